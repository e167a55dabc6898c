"""The history of other seeds: believable too, and the same every time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Customer, LedgerEntry
from catalog.models import Product
from operations.demo import seeding
from operations.demo.bank import DemoBank
from operations.demo.plan import COMMON, Fate, Visit
from operations.demo.products import SOLD_OUT
from operations.demo.seeding import Past, is_seeded, measure_store, plan_past, seed_store
from operations.invariants import broken_invariants
from orders.models import Order, VoucherUse
from payments.gateways import get_gateway, use_gateway
from payments.models import Case, GatewayEvent, Payment
from sandbox.pakasir.qris import crc16
from tests.operations.conftest import pretend_to_commit

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
EMPTY = seeding.StoreSize(0, 0, 0, 0, 0, 0)
Rows = dict[str, list[tuple[Any, ...]]]


def digest() -> Rows:
    """Return what a seed decides. Invoice numbers, references and bank ids are drawn anew."""
    tables = {
        Customer: "id name username language is_reseller is_banned account_balance created_at "
        "blocked_bot_at",
        Order: "customer items__product_name items__quantity subtotal voucher_discount "
        "payment_fee total_bill payment_method status placed_at paid_at delivered_at ended_at",
        Payment: "customer purpose txn_id amount fee received_amount qr_string status created_at "
        "ended_at completed_at applied_at",
        LedgerEntry: "customer amount balance_after kind created_at",
        GatewayEvent: "txn_id status received_at handled_at error",
        Case: "kind opened_at",
    }
    return {
        model.__name__: list(model.objects.order_by("pk").values_list(*names.split()))
        for model, names in tables.items()
    }


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("seed", [2, 3])
def test_every_seed_makes_a_sound_store(seed: int) -> None:
    seed_store(seed=seed, now=NOW)
    assert broken_invariants(NOW) == []
    assert not Product.objects.get(number=SOLD_OUT).stock.available().exists()
    assert VoucherUse.objects.filter(voucher__code="PERDANA", state="consumed").count() == 3
    assert Order.objects.paid().count() >= 150


@pytest.mark.slow
@pytest.mark.django_db
def test_a_seed_and_a_moment_decide_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = past(2)
    # A quarter says as much; every fate must be in it.
    some = [visit for number, visit in enumerate(whole.visits) if is_shown(number, visit)]
    assert {visit.fate for visit in some} == set(Fate)
    monkeypatch.setattr(seeding, "plan_past", lambda **_: Past(whole.presences, some))
    digests = []
    for _ in range(2):
        with pretend_to_commit():
            seed_store(seed=2, now=NOW)
            digests.append(digest())
            transaction.set_rollback(True)
    assert len(digests[0]["Order"]) >= 50
    assert digests[0] == digests[1]


def is_shown(number: int, visit: Visit) -> bool:
    return number % 4 == 0 or visit.fate not in COMMON or visit.number == SOLD_OUT


def past(seed: int, now: datetime = NOW) -> Past:
    return plan_past(rng=Random(seed), now=now)


def test_the_bank_is_the_shops_own_only_in_its_block_and_thread() -> None:
    bank = DemoBank(rng=Random(1))
    with use_gateway(bank), ThreadPoolExecutor(1) as pool:
        assert get_gateway() is bank
        assert get_gateway("demo") is bank
        assert get_gateway("pakasir").name == "pakasir"
        assert pool.submit(get_gateway).result().name == "pakasir"
    assert get_gateway().name == "pakasir"


def test_the_banks_codes_are_what_banking_apps_read() -> None:
    made = DemoBank(rng=Random(1)).create(order_id="QC12345", amount=Decimal(99_000))
    assert (made.fee, made.total_payment) == (1_003, 100_003)
    assert "5406100003" in made.qr_string
    assert made.qr_string[-4:] == crc16(made.qr_string[:-4])


def test_seeds_differ() -> None:
    assert past(1) == past(1)
    assert past(1) != past(2)


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("hour", [0, 3, 11, 16, 17, 22])
def test_at_any_hour_all_that_is_planned_has_ended(seed: int, hour: int) -> None:
    now = datetime(2026, 11, 22, hour, 20, tzinfo=UTC)
    planned = past(seed, now)
    assert all(each.came_at < now for each in planned.presences)
    for visit in planned.visits:
        longest = timedelta(seconds=visit.seconds) if visit.fate == Fate.LATE else timedelta()
        assert visit.at + longest < now - timedelta(minutes=20)


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestAllOrNothing:
    def test_what_fails_half_way_leaves_an_empty_store(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(**_: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(seeding, "make_vouchers", broken)
        with pytest.raises(ZeroDivisionError):
            seed_store(seed=1, now=NOW)
        assert (measure_store(), is_seeded()) == (EMPTY, False)
        assert connection.get_autocommit()

    @pytest.mark.slow
    def test_a_short_history_is_committed_at_once_and_wakes_nobody(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        woken: list[object] = []

        def note(wake_up: object) -> None:
            woken.append(wake_up)

        monkeypatch.setattr("core.jobs.WakeUp.enqueue", note)
        whole = past(1)
        since = NOW - timedelta(days=12)
        short = Past(whole.presences, [each for each in whole.visits if each.at > since][-12:])
        monkeypatch.setattr(seeding, "plan_past", lambda **_: short)
        size = seed_store(seed=1, now=NOW)
        connection.close()
        assert measure_store() == size
        assert size.orders == 12
        assert is_seeded()
        assert woken == []
