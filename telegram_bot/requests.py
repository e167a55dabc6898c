"""What a view is given: one Telegram update, as plain data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accounts.models import Customer


class RequestKind(StrEnum):
    COMMAND = "command"
    TEXT = "text"
    CALLBACK = "callback"
    INLINE = "inline"
    OTHER = "other"


@dataclass(frozen=True)
class BotRequest:
    """One update of one person.

    `message_id` is the message of the pressed button, or the message that was typed. `text` is the
    typed text, the argument of a command, a caption or an inline query; `command` is its name
    without the slash; `path` is the data of a button, as untrusted as anything a browser sends.
    """

    update_id: int
    kind: RequestKind
    customer: Customer
    is_new: bool
    chat_id: int
    is_private: bool
    message_id: int | None
    text: str
    command: str
    path: str
    now: datetime
