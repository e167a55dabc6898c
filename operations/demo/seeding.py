"""Makes the demo store: all of it or nothing, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction
from django.db.models import Q

from accounts.models import Customer, LedgerEntry
from accounts.services.customers import mark_blocked
from catalog.models import Category, Product, StockItem
from core.models import OutboxMessage, OutboxState
from operations.demo.assortment import Warehouse, make_assortment
from operations.demo.bank import DemoBank
from operations.demo.funding import KEY_PREFIX, top_up_to
from operations.demo.names import BANNED
from operations.demo.people import (
    demo_buyers,
    demo_personas,
    give_role,
    make_staff,
    register_buyer,
)
from operations.demo.plan import (
    Presence,
    Visit,
    delivery_times,
    opening_time,
    plan_demand,
    plan_presences,
    plan_visits,
)
from operations.demo.scenes import last_units, money_of_the_banned, past_of, persona_presences
from operations.demo.stories import Stage, purchase
from operations.demo.timeline import Story, forget_wake_ups, play
from operations.demo.vouchers import make_vouchers
from orders.models import Order, Voucher
from payments.gateways import use_gateway
from payments.models import Payment

WEBHOOKS_KEPT = timedelta(days=7)
"""How far back the history has the calls of its bank; before, only what they led to."""


@dataclass(frozen=True)
class StoreSize:
    categories: int
    products: int
    items: int
    vouchers: int
    customers: int
    orders: int


def is_seeded() -> bool:
    return LedgerEntry.objects.filter(idempotency_key__startswith=KEY_PREFIX).exists()


def measure_store() -> StoreSize:
    return StoreSize(
        categories=Category.objects.count(),
        products=Product.objects.count(),
        items=StockItem.objects.count(),
        vouchers=Voucher.objects.count(),
        customers=Customer.objects.count(),
        orders=Order.objects.count(),
    )


@dataclass(frozen=True)
class Past:
    """The plan of a history: who comes when, who buys what when."""

    presences: list[Presence]
    visits: list[Visit]


def plan_past(*, rng: Random, now: datetime) -> Past:
    others = plan_presences(buyers=demo_buyers(), rng=rng, now=now)
    visits = plan_visits(presences=others, rng=rng, now=now)
    personas = persona_presences(personas=demo_personas(), now=now)
    visits += [visit for each in personas for visit in past_of(each.buyer, now)]
    visits += last_units(presences=others, now=now) + money_of_the_banned(presences=others)
    return Past([*personas, *others], sorted(visits, key=lambda visit: visit.at))


def seed_store(*, seed: int, now: datetime) -> StoreSize:
    """Fill an empty store with a demo that the seed decides, relative to `now`."""
    rng = Random(seed)  # noqa: S311 (a demo must be repeatable, not secret)
    past = plan_past(rng=rng, now=now)
    with _all_or_nothing():
        _make(past, DemoBank(rng=rng), rng, now)
    return measure_store()


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Commit once, at the end, and wake nobody.

    By hand: `settle` insists on committing what came by itself and refuses to run in an atomic
    block. Within somebody's transaction it is theirs to commit.
    """
    if connection.in_atomic_block:
        yield
        return
    transaction.set_autocommit(False)
    try:
        yield
        transaction.commit()
    except BaseException:
        transaction.rollback()
        raise
    finally:
        forget_wake_ups()
        transaction.set_autocommit(True)


def _make(past: Past, bank: DemoBank, rng: Random, now: datetime) -> None:
    opened_at = opening_time(now)
    times = delivery_times(now)
    make_staff()
    make_vouchers(opened_at=opened_at, now=now)
    stage = Stage(bank, make_assortment(now=opened_at), webhooks_from=now - WEBHOOKS_KEPT)
    demand = plan_demand(visits=past.visits, times=times)
    warehouse = Warehouse(products=stage.products, demand=demand, rng=rng)
    warehouse.deliver_copies(opened_at)
    with use_gateway(bank):
        play(
            [
                *((at, warehouse.deliver(index, at)) for index, at in enumerate(times)),
                *((each.came_at, _membership(each, now)) for each in past.presences),
                *((visit.at, purchase(visit, stage)) for visit in past.visits),
            ]
        )
    _lay_to_rest()


def _membership(presence: Presence, now: datetime) -> Story:
    buyer = presence.buyer
    register_buyer(buyer=buyer, now=presence.came_at)
    yield presence.left_at
    if buyer.balance:
        top_up_to(buyer=buyer, now=now)
    elif buyer.profile.username == BANNED:
        give_role(customer_id=buyer.id, role="is_banned", now=presence.left_at)
    elif presence.left_at < now:
        mark_blocked(customer_id=buyer.id, now=presence.left_at)


def _lay_to_rest() -> None:
    """Let nothing of the past be sent any more, nor its bank be asked about anything."""
    about_purchases = Q(references__has_any_keys=["order_id", "payment_id", "case_id"])
    OutboxMessage.objects.pending().filter(about_purchases).update(state=OutboxState.DROPPED)
    Payment.objects.exclude(next_check_at=None).update(next_check_at=None)
    forget_wake_ups()
