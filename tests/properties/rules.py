"""What the rules of all topics share: the shop, picking somebody or something, counting."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import Q
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from accounts.models import Customer
from orders.models import Order
from payments.models import Payment
from payments.services.checkout import Checkout
from sandbox.pakasir.models import PakasirTransaction
from tests.properties.books import ENDED_ORDERS, ENDED_PAYMENTS, Books
from tests.properties.shop import Shop

T = TypeVar("T")
WHICH = st.integers(0, 11)
"""Which of those there are: counted from the newest, round and round."""
WEBHOOK = st.sampled_from(["send", "drop", "duplicate"])
Move = tuple[str, dict[str, Any]]
MOVES: dict[str, tuple[int, st.SearchStrategy[dict[str, Any]]]] = {}
Paid = PakasirTransaction.Status.COMPLETED


class ShopRules(RuleBasedStateMachine):
    shop: ClassVar[Shop]
    books: Books
    checkouts: dict[str, Checkout]
    has_changed: bool
    """Whether something happened since the last look at the books."""

    @staticmethod
    def pick(things: Sequence[T], which: int) -> T | None:
        return things[-1 - which % len(things)] if things else None

    def payable(self, which: int, *, ended: bool = False) -> Payment | None:
        """A payment whose QR somebody holds and nobody paid; `ended`: its order is over."""
        there = PakasirTransaction.objects.exclude(status=Paid)
        unpaid = list(there.filter(expired_at__gt=self.shop.now).values_list("txn_id", flat=True))
        rows = Payment.objects.exclude(qr_string="").filter(txn_id__in=unpaid)
        over = Q(order__status__in=ENDED_ORDERS) | Q(order=None, status__in=ENDED_PAYMENTS)
        rows = rows.filter(over if ended else ~over)
        return self.pick(list(rows.order_by("pk")), which)

    def checkout_of(self, payment: Payment) -> Checkout | None:
        """The summary an order was placed from."""
        return self.checkouts.get(payment.order.checkout_key) if payment.order else None

    def customer(self, which: int) -> Customer:
        customers = self.shop.town.customers
        return Customer.objects.get(pk=customers[which % len(customers)].pk)

    def pending(self, which: int) -> Order | None:
        return self.pick(list(Order.objects.pending().order_by("pk")), which)


def step(
    weight: int = 1, **drawn: st.SearchStrategy[Any]
) -> Callable[[Callable[..., bool]], Callable[..., bool]]:
    """Make a move of the machine out of a method that tells whether there was anything to do."""

    def decorate(method: Callable[..., bool]) -> Callable[..., bool]:
        MOVES[method.__name__] = (weight, st.fixed_dictionaries(drawn))
        return method

    return decorate


def move() -> st.SearchStrategy[Move]:
    """Draw the name of a move and its arguments.

    Not a rule of Hypothesis for each: it switches rules off for whole runs, in half of the runs
    most of them, which is too dull for a shop in which one thing needs the other.
    """
    names = [name for name, (weight, _) in MOVES.items() for _ in range(weight)]
    return st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), MOVES[name][1]))
