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
