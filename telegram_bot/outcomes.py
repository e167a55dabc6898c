"""What became of a delivery, written to its outbox row."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import F
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from accounts.models import StaffChat
from accounts.services.customers import mark_blocked
from core.encryption import EncryptionError
from core.models import OutboxMessage, OutboxPriority, OutboxState
from core.outbox import enqueue_message
from orders.models import Order
from orders.services.fulfilment import GOODS
from telegram_bot import alerts
from telegram_bot.client import seconds_of
from telegram_bot.outgoing import Delivery
from telegram_bot.pace import NotYet
from telegram_bot.undelivered import open_delivery_case

logger = logging.getLogger(__name__)

MOST_PAUSE = timedelta(minutes=5)
# Of what is wrong with the row or with us; counted apart, because the servers we need may be away
# for as long as they like.
MOST_OWN_ERRORS = 12
PASSING = (TelegramError, TimeoutError, OperationalError)
# Kept in the row's references.
SENT_PARTS = "sent_parts"
OWN_ERRORS = "own_errors"


def record_outcome(delivery: Delivery, now: datetime) -> str:
    """Write the outcome and return its name: sent, postponed, paced, blocked, failed or moved."""
    error = delivery.error
    if error is None:
        return record_sent(delivery, now)
    for kind, record in _RECORDERS:
        if isinstance(error, kind):
            return record(delivery, error, now)
    return postpone(delivery, error, now)


def record_sent(delivery: Delivery, now: datetime) -> str:
    """Mark the row sent together with what follows from it.

    What follows is written first: orders and payments are locked before their messages.
    """
    try:
        with transaction.atomic():
            _follow_up(delivery, now)
            _mark_sent(delivery, now)
    except Exception:
        # It was sent: whatever is wrong with the rest, goods must not go out a second time.
        logger.exception("sent, but not followed up", extra=_context(delivery.row))
        _mark_sent(delivery, now)
        _follow_up_later(delivery, now)
    return "sent"


def _follow_up_later(delivery: Delivery, now: datetime) -> None:
    """Try once more, by itself; that goods have arrived is also found by the sweep."""
    try:
        with transaction.atomic():
            _follow_up(delivery, now)
    except Exception:
        logger.exception("still not followed up", extra=_context(delivery.row))


def _follow_up(delivery: Delivery, now: datetime) -> None:
    message_id = delivery.progress.message_id
    if delivery.outgoing.after_sent is not None and message_id is not None:
        delivery.outgoing.after_sent(delivery.chat_id, message_id, now)


@transaction.atomic
def _mark_sent(delivery: Delivery, now: datetime) -> None:
    marked = (
        OutboxMessage.objects.pending()
        .filter(pk=delivery.row.pk)
        .update(
            state=OutboxState.SENT,
            sent_at=now,
            telegram_message_id=delivery.progress.message_id,
            leased_until=None,
            chat_waits_until=None,
            error="",
        )
    )
    _keep_removals(delivery)
    if marked:
        alerts.tell_of_arrival(OutboxMessage.objects.get(pk=delivery.row.pk))


def _keep_removals(delivery: Delivery) -> None:
    """What could not be taken away is tried again by itself, after the messages of orders."""
    for chat_id, message_id in delivery.standing:
        enqueue_message(
            recipient=delivery.row.recipient,
            kind="message_removal",
            references={"chat_id": chat_id, "message_id": message_id},
            dedupe_key=f"message_removal:{chat_id}:{message_id}",
            priority=OutboxPriority.NOTICE,
        )


@transaction.atomic
def postpone(delivery: Delivery, error: Exception, now: datetime) -> str:
    """Try again later: soon at first, then every few minutes, until it arrives."""
    row = delivery.row
    if isinstance(error, EncryptionError):
        return _wait_for_keys(delivery, error, now)
    is_ours = not isinstance(error, PASSING)
    if is_ours and _count_own_error(row) >= MOST_OWN_ERRORS:
        return fail(delivery, error, now)
    level = logging.ERROR if is_ours else logging.WARNING
    logger.log(level, "not sent yet: %s", error, extra=_context(row), exc_info=is_ours and error)
    if _release(delivery, not_before=now + _pause(row), error=_text(error)):
        alerts.tell_if_it_keeps_failing(row, now)
    return "postponed"


def _pause(row: OutboxMessage) -> timedelta:
    return min(timedelta(seconds=2 ** min(row.attempts, 10)), MOST_PAUSE)


@transaction.atomic
def _wait_for_keys(delivery: Delivery, error: Exception, now: datetime) -> str:
    """Goods that no key opens wait for the right key however long; staff hear of it at once."""
    _lock_order(delivery.row)
    logger.error("goods do not open: %s", error, extra=_context(delivery.row))
    is_held = _release(delivery, not_before=now + _pause(delivery.row), error=_text(error))
    if is_held and delivery.row.kind == GOODS:
        open_delivery_case(order_id=int(delivery.row.references["order_id"]), now=now)
    return "postponed"


def _count_own_error(row: OutboxMessage) -> int:
    count = int(row.references.get(OWN_ERRORS, 0)) + 1
    row.references = {**row.references, OWN_ERRORS: count}
    return count


@transaction.atomic
def _wait_as_told(delivery: Delivery, error: Exception, now: datetime) -> str:
    """Telegram's limits: only this chat waits, with all its rows, for as long as Telegram says."""
    assert isinstance(error, RetryAfter)  # noqa: S101
    pause = timedelta(seconds=seconds_of(error))
    logger.warning("told to wait %s", pause, extra=_context(delivery.row))
    until = now + pause
    if _release(delivery, not_before=until, chat_waits_until=until, error=_text(error)):
        alerts.tell_if_it_keeps_failing(delivery.row, now)
    return "postponed"


def _keep_pace(delivery: Delivery, error: Exception, now: datetime) -> str:
    """The chat had its messages for now: nothing failed, so no attempt is counted."""
    assert isinstance(error, NotYet)  # noqa: S101
    _release(delivery, not_before=now + error.pause, attempts=F("attempts") - 1)
    return "paced"


@transaction.atomic
def _block(delivery: Delivery, error: Exception, now: datetime) -> str:
    """Keep the row back: what was paid for goes out when the recipient writes again."""
    mark_blocked(customer_id=delivery.chat_id, now=now)
    logger.info("recipient blocked the bot", extra=_context(delivery.row))
    _release(delivery, state=OutboxState.BLOCKED, error=_text(error))
    return "blocked"


@transaction.atomic
def fail(delivery: Delivery, error: Exception, now: datetime) -> str:
    """Park the row: repeating it would change nothing. Paid goods become a case for staff."""
    _lock_order(delivery.row)
    logger.error("not deliverable: %s", error, extra=_context(delivery.row))
    is_parked = _release(delivery, state=OutboxState.FAILED, error=_text(error))
    if is_parked and delivery.row.kind == GOODS:
        open_delivery_case(order_id=int(delivery.row.references["order_id"]), now=now)
    elif is_parked:
        alerts.tell_of_failure(delivery.row, now)
    return "failed"


def _lock_order(row: OutboxMessage) -> None:
    """Before the message with its goods, as whoever delivers, reports or refunds them."""
    if row.kind == GOODS:
        Order.objects.lock().filter(pk=row.references["order_id"]).first()


@transaction.atomic
def _move(delivery: Delivery, error: Exception, now: datetime) -> str:  # noqa: ARG001
    """The group became a supergroup: what waits for it goes to its new id."""
    assert isinstance(error, ChatMigrated)  # noqa: S101
    old, new = delivery.chat_id, error.new_chat_id
    if StaffChat.objects.filter(chat_id=new).exists():
        StaffChat.objects.filter(chat_id=old).delete()
    StaffChat.objects.filter(chat_id=old).update(chat_id=new)
    _release(delivery)
    OutboxMessage.objects.pending().filter(recipient=old).update(recipient=new)
    logger.info("staff chat moved", extra={"chat": old, "new_chat": new})
    return "moved"


Recorder = Callable[[Delivery, Exception, datetime], str]
_RECORDERS: tuple[tuple[type[Exception], Recorder], ...] = (
    (NotYet, _keep_pace),
    (RetryAfter, _wait_as_told),
    (ChatMigrated, _move),
    (Forbidden, _block),
    (BadRequest, fail),  # before any NetworkError, which it is by inheritance only
)


@transaction.atomic
def _release(delivery: Delivery, **values: Any) -> bool:
    """Give the lease back, keeping what was sent, so that a repetition goes on from there.

    Only while the lease is ours: who took it after it ran out knows better. Return whether it is.
    """
    row, progress = delivery.row, delivery.progress
    references = row.references
    if progress.done:
        references = {**references, SENT_PARTS: progress.done}
        values["telegram_message_id"] = progress.message_id
    held = OutboxMessage.objects.pending().filter(pk=row.pk, leased_until=row.leased_until)
    is_held = bool(held.update(leased_until=None, references=references, **values))
    if is_held:
        _keep_removals(delivery)
    return is_held


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _context(row: OutboxMessage) -> dict[str, object]:
    return {"outbox": row.pk, "kind": row.kind, "chat": row.recipient, "attempts": row.attempts}
