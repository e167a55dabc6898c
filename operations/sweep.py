"""Everything that is due, once. Needs no Redis: the database says what work there is."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils import timezone

from audit.services import ship_audit
from operations import purging
from operations.side_by_side import share_out
from payments.models import GatewayEvent, Payment, PaymentStatus
from payments.services.check import tend_payment
from payments.services.events import handle_event
from payments.services.expiry import due_deposits, due_orders, expire_deposit, expire_order
from payments.services.health import probe_gateway
from payments.services.reports import (
    compare_for_report,
    current_report,
    finish_report,
    next_to_compare,
)
from payments.services.settle import resume_completion
from telegram_bot.delivery import deliver_outbox
from telegram_bot.undelivered import report_undelivered, undelivered_orders

logger = logging.getLogger(__name__)
BATCH = 200
STEP_SECONDS = 5.0
"""After these a step begins no further row: a server that is silent must not stop the rest."""

Clock = Callable[[], datetime]
Step = tuple[str, Callable[[], int]]


def sweep(
    *, now: datetime | None = None, after_step: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """Do what is due and return how many things each step did.

    A step that fails is logged and tried again by the next sweep; it never stops the others.
    `now` is for travelling in time: without it the clock is read for every row, as what a slow
    step leaves behind must not be claimed with a time that is over. `after_step` is told of
    progress. Raises OperationalError when the database is away.
    """
    done: Counter[str] = Counter()
    for name, step in _steps(now):
        done[name] += _run(name, step)
        after_step()
    return dict(done)


def _steps(now: datetime | None) -> list[Step]:
    """Return the steps in order: what needs no gateway first, and again after what does."""

    def clock() -> datetime:
        return now or timezone.now()

    messages = ("messages", lambda: deliver_outbox(now=now, seconds=STEP_SECONDS).sent)
    return [
        ("completions", lambda: _apply_completions(clock)),
        messages,
        ("events", lambda: _handle_events(clock)),
        messages,
        ("expiries", lambda: _expire_orders(clock)),
        ("expiries", lambda: _expire_deposits(clock)),
        messages,
        # Apart: many who pay at once wait for turns to be created, polls need none.
        ("openings", lambda: _open_payments(clock)),
        ("payments", lambda: _tend_payments(clock)),
        messages,
        ("undelivered", lambda: _report_undelivered(clock)),
        ("probes", lambda: int(probe_gateway(now=clock()))),
        ("comparisons", lambda: _compare(clock)),
        ("purges", lambda: _purge(clock)),
        ("audit", lambda: ship_audit(now=clock())),
    ]


def _apply_completions(clock: Clock) -> int:
    due = Payment.objects.due_for_application(clock()).values_list("pk", flat=True)
    return _each(due[:BATCH], lambda pk: resume_completion(payment_id=pk, now=clock()))


def _handle_events(clock: Clock) -> int:
    open_events = GatewayEvent.objects.filter(handled_at=None, next_try_at__lte=clock())
    due = open_events.order_by("next_try_at", "pk").values_list("pk", flat=True)
    return _each_asking(list(due[:BATCH]), lambda pk: handle_event(event_id=pk, now=clock()))


def _expire_orders(clock: Clock) -> int:
    due = due_orders(now=clock(), limit=BATCH)
    return _each_asking(due, lambda pk: expire_order(order_id=pk, now=clock()))


def _open_payments(clock: Clock) -> int:
    due = Payment.objects.due_for_check(clock()).filter(status=PaymentStatus.CREATING)
    return _tend(due.values_list("pk", flat=True)[:BATCH], clock)


def _expire_deposits(clock: Clock) -> int:
    due = due_deposits(now=clock(), limit=BATCH)
    return _each_asking(due, lambda pk: expire_deposit(payment_id=pk, now=clock()))


def _tend_payments(clock: Clock) -> int:
    due = Payment.objects.due_for_check(clock()).exclude(status=PaymentStatus.CREATING)
    return _tend(due.values_list("pk", flat=True)[:BATCH], clock)


def _tend(due: Iterable[int], clock: Clock) -> int:
    return _each_asking(list(due), lambda pk: tend_payment(payment_id=pk, now=clock()))


def _report_undelivered(clock: Clock) -> int:
    due = undelivered_orders(now=clock(), limit=BATCH)
    return _each(due, lambda pk: report_undelivered(order_id=pk, now=clock()))


def _compare(clock: Clock) -> int:
    """Do a portion of the night's report."""
    report = current_report(now=clock())
    if report is None:
        return 0

    def compare(pk: int) -> None:
        compare_for_report(report_id=report.pk, payment_id=pk, now=clock())

    # One after another: an entry of the report is begun in the order of the payments.
    done = _each(next_to_compare(report=report, now=clock(), limit=BATCH), compare)
    finish_report(report_id=report.pk, now=clock())
    return done


def _purge(clock: Clock) -> int:
    if not purging.is_due(now=clock()):
        return 0
    deleted: list[int] = []
    purges = purging.PURGES
    _each(range(len(purges)), lambda number: deleted.append(purges[number](now=clock())))
    if not any(deleted):
        purging.rest(now=clock())
    return sum(deleted)


def _run(name: str, step: Callable[[], int]) -> int:
    try:
        return step()
    except Exception:
        _raise_if_database_is_away()
        logger.exception("step of the sweep failed", extra={"step": name})
        return 0


def _each_asking(keys: Sequence[int], work: Callable[[int], object]) -> int:
    """Do what asks the gateway for several rows at a time: it is far away, and they are many."""
    shares = share_out(keys, lambda share: _each(share, work), threads=settings.SWEEP_THREADS)
    return sum(shares)


def _each(keys: Iterable[int], work: Callable[[int], object]) -> int:
    done = 0
    ends_at = time.monotonic() + STEP_SECONDS
    for key in keys:
        try:
            work(key)
            done += 1
        except Exception:
            _raise_if_database_is_away()
            # One bad row must not keep the others waiting; it stays due and stays in the log.
            logger.exception("row of the sweep failed", extra={"key": key})
        if time.monotonic() >= ends_at:
            logger.warning("the next sweep goes on here", extra={"key": key})
            break
    return done


def _raise_if_database_is_away() -> None:
    """Inside an except clause: without the database every further row would fail the same way."""
    if not connection.is_usable():
        raise  # noqa: PLE0704 (the caller's exception)
