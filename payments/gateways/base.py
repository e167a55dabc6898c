"""What the shop asks of a payment gateway, whichever it is, and how patiently and strictly.

Money is whole rupiah as Decimal.
"""

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeVar

from django.utils import timezone

from core.errors import DomainError
from core.money import MOST

T = TypeVar("T")

_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


class GatewayStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class GatewayTransaction:
    """A transaction as created: `amount` is ours, `fee` is what the gateway puts on top of it."""

    txn_id: str
    order_id: str
    amount: Decimal
    fee: Decimal
    total_payment: Decimal
    qr_string: str
    expired_at: datetime | None
    is_sandbox: bool
    status: GatewayStatus


@dataclass(frozen=True, kw_only=True)
class TransactionStatus:
    """The gateway's word on a transaction: the only proof of a payment."""

    txn_id: str
    order_id: str
    amount: Decimal
    is_sandbox: bool
    status: GatewayStatus
    completed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """A hint that something happened. `body` is what was sent, safe to store as jsonb."""

    txn_id: str
    order_id: str
    status: str
    amount: Decimal
    is_sandbox: bool
    body: dict[str, Any]


class GatewayError(DomainError):
    """Messages of these errors never hold a key, a secret or the gateway's raw answer."""

    code = "gateway_error"


class GatewayUnavailable(GatewayError):
    """No usable answer. The transaction asked for may exist all the same: do not assume."""

    code = "gateway_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The payment gateway gave no usable answer: {reason}")
        self.reason = reason


class GatewayRateLimited(GatewayError):
    code = "gateway_rate_limited"

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"The payment gateway asks to wait {retry_after:g} s")
        self.retry_after = retry_after


class GatewayBusy(GatewayRateLimited):
    """We did not call: its limit gives the next turns to others. Says nothing of the gateway."""

    code = "gateway_busy"


class GatewayRefused(GatewayError):
    """The gateway understood and said no: asking the same again cannot help."""

    code = "gateway_refused"

    def __init__(self, *, status_code: int | None, message: str) -> None:
        super().__init__(f"The payment gateway refused: {message or status_code}")
        self.status_code = status_code
        self.message = message


class GatewayUnauthorized(GatewayError):
    """The key is wrong or withdrawn: no payment's fault, and none works without it."""

    code = "gateway_unauthorized"

    def __init__(self) -> None:
        super().__init__("The payment gateway does not accept our key")


class GatewayMismatch(GatewayRefused):
    """The gateway created something else than we asked for: it must not be shown to anyone."""

    code = "gateway_mismatch"


class InvalidOrderId(GatewayRefused):
    code = "gateway_invalid_order_id"

    def __init__(self) -> None:
        super().__init__(status_code=None, message="the order_id breaks the gateway's rules")


class AmountOutOfRange(GatewayRefused):
    code = "gateway_amount_out_of_range"

    def __init__(self, *, amount: Decimal, minimum: Decimal, maximum: Decimal) -> None:
        super().__init__(
            status_code=None, message=f"{amount} is not a whole amount of {minimum} to {maximum}"
        )
        self.amount = amount
        self.minimum = minimum
        self.maximum = maximum


class WebhookRefused(GatewayError):
    """The caller did not prove that it is the gateway."""

    code = "webhook_refused"


class WebhookMalformed(GatewayError):
    """The caller is the gateway, but what it sent cannot be read."""

    code = "webhook_malformed"


class Gateway(Protocol):
    name: ClassVar[str]

    def create(
        self, *, order_id: str, amount: Decimal, deadline: datetime | None = None
    ) -> GatewayTransaction:
        """Find or create, so that the same order_id may be asked for again after a timeout.

        Nothing is sent at or after `deadline`: that is GatewayUnavailable.
        """
        ...

    def status(self, txn_id: str) -> TransactionStatus: ...

    def cancel(self, txn_id: str) -> None: ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Check the secret and the shape, or raise WebhookRefused or WebhookMalformed."""
        ...

    def checkout_url(self, txn_id: str, redirect: str | None = None) -> str: ...

    def estimate_fee(self, amount: Decimal) -> Decimal:
        """For the summary only: the fee that `create` returns is the binding one."""
        ...

    def ping(self) -> None:
        """Ask for something that costs nothing and changes nothing: does it answer?"""
        ...


Sleep = Callable[[float], None]
Turn = Callable[[Sleep], AbstractContextManager[None]]
"""Waits, by the sleep it is given, until a call may be sent; held while it is on its way."""


def at_once(_sleep: Sleep) -> AbstractContextManager[None]:
    """Stand for the turn of a call that has no limit."""
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long to insist. Seconds; only for calls that may be repeated without harm."""

    tries: int = 3
    budget: float = 15.0
    first_delay: float = 0.3
    longest_wait: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    elapsed: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = timezone.now

    def run(
        self,
        call: Callable[[float], T],
        *,
        deadline: datetime | None = None,
        turn: Turn = at_once,
    ) -> T:
        """Give `call` the seconds left, again while its errors may pass and there is time.

        Every try takes a turn of its own; GatewayBusy, when there is none soon, is not waited out.
        """
        end = self.elapsed() + self.budget
        for attempt in range(1, self.tries):
            self._check_deadline(deadline)
            try:
                return self._send(call, end, deadline, turn)
            except GatewayBusy:
                raise
            except (GatewayUnavailable, GatewayRateLimited) as error:
                delay = self._delay(attempt, error)
                if delay > self.longest_wait or self.elapsed() + delay >= end:
                    raise
                self.sleep(delay)
        self._check_deadline(deadline)
        return self._send(call, end, deadline, turn)

    def _send(
        self, call: Callable[[float], T], end: float, deadline: datetime | None, turn: Turn
    ) -> T:
        with turn(self.sleep):
            self._check_deadline(deadline)  # it may have passed meanwhile
            return call(end - self.elapsed())

    def _check_deadline(self, deadline: datetime | None) -> None:
        if deadline is not None and self.now() >= deadline:
            raise GatewayUnavailable("the time to ask is over")

    def _delay(self, attempt: int, error: GatewayUnavailable | GatewayRateLimited) -> float:
        backoff = self.first_delay * 2.0 ** (attempt - 1)
        jittered = backoff * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, hides nothing
        if isinstance(error, GatewayRateLimited):
            return error.retry_after + jittered
        return jittered


class Unreadable(ValueError):
    """A field is missing or of another kind than agreed. The message names it, not its value."""


@dataclass(frozen=True)
class Answer:
    """A JSON object from outside, read field by field; every reader raises Unreadable."""

    fields: dict[str, Any]

    @classmethod
    def parse(cls, body: bytes) -> "Answer":
        """Accept an object that PostgreSQL can store as jsonb: no NaN, NUL or half surrogates."""
        try:
            parsed = json.loads(body)
            stored = json.dumps(parsed, allow_nan=False, ensure_ascii=False)
            stored.encode()
        except (ValueError, RecursionError):
            raise Unreadable("not JSON") from None
        if not isinstance(parsed, dict) or "\\u0000" in stored:
            raise Unreadable("not a plain object")
        return cls(parsed)

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str) or not value:
            raise Unreadable(name)
        return value

    def flag(self, name: str) -> bool:
        value = self.fields.get(name)
        if not isinstance(value, bool):
            raise Unreadable(name)
        return value

    def rupiah(self, name: str) -> Decimal:
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unreadable(name)
        if not 0 <= value <= MOST or value != int(value):
            raise Unreadable(name)
        return Decimal(int(value))

    def moment(self, name: str) -> datetime | None:
        """Read ISO 8601, also with nanoseconds; UTC where it names no zone."""
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(_BEYOND_MICROSECONDS.sub(r"\1", value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise Unreadable(name) from None
