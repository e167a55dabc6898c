"""Staff send a message of the outbox again."""

from datetime import datetime

from django.db import transaction

from accounts.services.customers import PAID_FOR
from audit.services import record_audit
from core.errors import DomainError
from core.jobs import wake
from core.models import OutboxMessage, OutboxState
from telegram_bot.outcomes import OWN_ERRORS, SENT_PARTS

UNDELIVERED = (OutboxState.FAILED, OutboxState.BLOCKED)


class NotResendable(DomainError):
    """`state` says why; `kind` matters where the message was sent."""

    code = "not_resendable"

    def __init__(self, *, state: str, kind: str) -> None:
        super().__init__(f"{kind} is {state}")
        self.state = state
        self.kind = kind


def is_resendable(message: OutboxMessage) -> bool:
    """Whether sending it again makes sense: it did not arrive, or is what somebody paid for."""
    if message.recipient is None:
        return False
    if message.state == OutboxState.SENT:
        return message.kind in PAID_FOR
    return message.state in UNDELIVERED


@transaction.atomic
def resend_message(*, message_id: int, actor: str, source: str, now: datetime) -> OutboxMessage:
    """Let a message go out again, rendered as things are now.

    One that stopped halfway goes on there; one that was sent is sent whole. Raises NotResendable
    for what is on its way already, was dropped, or was only good once; then nothing changed.
    """
    message = OutboxMessage.objects.lock().get(pk=message_id)
    if not is_resendable(message):
        raise NotResendable(state=message.state, kind=message.kind)
    before = message.state
    if before == OutboxState.SENT:
        _forget_progress(message)
    message.references.pop(OWN_ERRORS, None)
    message.state, message.error, message.attempts = OutboxState.PENDING, "", 0
    message.not_before = message.leased_until = message.chat_waits_until = None
    message.save()
    wake("deliver_outbox")
    record_audit(
        actor=actor,
        action="resend_message",
        target=f"outboxmessage:{message_id}",
        source=source,
        now=now,
        changes=({"state": before}, {"state": message.state}),
    )
    return message


def _forget_progress(message: OutboxMessage) -> None:
    message.references.pop(SENT_PARTS, None)
    message.telegram_message_id = message.sent_at = None
