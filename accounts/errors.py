"""Refusals of this app's services."""

from decimal import Decimal

from core.errors import DomainError


class CustomerBanned(DomainError):
    code = "banned"


class InsufficientBalance(DomainError):
    code = "insufficient_balance"

    def __init__(self, *, balance: Decimal, needed: Decimal) -> None:
        super().__init__(f"balance {balance}, needed {needed}")
        self.balance = balance
        self.needed = needed

    @property
    def missing(self) -> Decimal:
        return self.needed - self.balance


class CustomerNotFound(DomainError):
    code = "customer_not_found"


class AmountRefused(DomainError):
    """Not whole rupiah between `least` and `most`."""

    code = "amount_refused"

    def __init__(self, *, least: Decimal, most: Decimal) -> None:
        super().__init__(f"between {least} and {most}")
        self.least = least
        self.most = most


class BalanceMoved(DomainError):
    """The balance is no longer the one that was seen; `balance` is what it is now."""

    code = "balance_moved"

    def __init__(self, *, balance: Decimal) -> None:
        super().__init__(f"balance {balance}")
        self.balance = balance
