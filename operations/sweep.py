"""Everything that is due, once. Needs no Redis: the database says what work there is."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from audit.services import ship_audit
from payments.models import GatewayEvent, Payment
from payments.services.check import tend_payment
from payments.services.events import handle_event
from payments.services.expiry import due_orders, expire_order
from payments.services.settle import apply_completion
from telegram_bot.delivery import deliver_outbox

logger = logging.getLogger(__name__)
BATCH = 50


def sweep(*, now: datetime) -> dict[str, int]:
    """Do what is due and return how many things each step looked at.

    A step that fails is logged and tried again by the next sweep; it never stops the others.
    """
    steps: dict[str, Callable[[], int]] = {
        "completions": lambda: _each(
            _keys(Payment.objects.unapplied().order_by("completed_at")),
            lambda pk: apply_completion(payment_id=pk, now=now),
        ),
        "messages": lambda: deliver_outbox(now=now).sent,
        "events": lambda: _each(
            _keys(GatewayEvent.objects.filter(handled_at=None, next_try_at__lte=now)),
            lambda pk: handle_event(event_id=pk, now=now),
        ),
        "expiries": lambda: _each(
            due_orders(now=now, limit=BATCH), lambda pk: expire_order(order_id=pk, now=now)
        ),
        "payments": lambda: _each(
            _keys(Payment.objects.due_for_check(now)),
            lambda pk: tend_payment(payment_id=pk, now=now),
        ),
        "audit": lambda: ship_audit(now=now),
        "messages of this sweep": lambda: deliver_outbox(now=now).sent,
    }
    return {name: _run(name, step) for name, step in steps.items()}


def _keys(rows: "QuerySet[Payment] | QuerySet[GatewayEvent]") -> list[int]:
    return list(rows.values_list("pk", flat=True)[:BATCH])


def _run(name: str, step: Callable[[], int]) -> int:
    try:
        return step()
    except Exception:
        _raise_if_database_is_away()
        logger.exception("step of the sweep failed", extra={"step": name})
        return 0


def _raise_if_database_is_away() -> None:
    """Inside an except clause: without the database every further row would fail the same way."""
    if not connection.is_usable():
        raise  # noqa: PLE0704 (the caller's exception)


def _each(keys: Iterable[int], work: Callable[[int], object]) -> int:
    done = 0
    for key in keys:
        try:
            work(key)
            done += 1
        except Exception:
            _raise_if_database_is_away()
            # One bad row must not keep the others waiting; it stays due and stays in the log.
            logger.exception("row of the sweep failed", extra={"key": key})
    return done
