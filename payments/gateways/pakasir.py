"""Pakasir API v2, for QRIS.

There is no public reference: what is known is in the facts gathered from integrations. A call is
repeated on trouble because each may be: create finds what it made, cancel and status change
nothing more. The key leaves this module only as a header, the secret never.
"""

import functools
import hmac
import logging
import re
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx

from payments.gateways.base import (
    AmountOutOfRange,
    Answer,
    GatewayMismatch,
    GatewayRateLimited,
    GatewayRefused,
    GatewayStatus,
    GatewayTransaction,
    GatewayUnauthorized,
    GatewayUnavailable,
    InvalidOrderId,
    RetryPolicy,
    Sleep,
    TransactionStatus,
    Turn,
    Unreadable,
    WebhookEvent,
    WebhookMalformed,
    WebhookRefused,
    at_once,
)

TakeTurn = Callable[[str, Sleep], AbstractContextManager[None]]
S = TypeVar("S")
T = TypeVar("T")

logger = logging.getLogger(__name__)

MINIMUM, MAXIMUM = Decimal(500), Decimal(10_000_000)
WEBHOOK_BYTES = 64 * 1024
_ORDER_ID = re.compile(r"[A-Za-z0-9._~-]{5,}")
# Not documented; as it becomes a path segment it must not be able to be "..".
_TXN_ID = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~:-]{0,99}")
_SECONDS = re.compile(r"[0-9]{1,6}")
_STATUSES = {
    "pending": GatewayStatus.PENDING,
    "completed": GatewayStatus.COMPLETED,
    "canceled": GatewayStatus.CANCELLED,
    "cancelled": GatewayStatus.CANCELLED,
}


@dataclass(frozen=True, kw_only=True)
class FeeSchedule:
    """QRIS: a percentage plus a flat part up to the limit, a percentage above; rounded up."""

    limit: Decimal = Decimal(105_000)
    rate: Decimal = Decimal("0.007")
    flat: Decimal = Decimal(310)
    rate_above: Decimal = Decimal("0.01")

    def fee(self, amount: Decimal) -> Decimal:
        above = amount > self.limit
        exact = amount * self.rate_above if above else amount * self.rate + self.flat
        return exact.to_integral_value(ROUND_CEILING)


def _no_limit(_name: str, _sleep: Sleep) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class PakasirGateway:
    """`take_turn` keeps the limits of create and cancel over all processes, call by call."""

    name: ClassVar[str] = "pakasir"

    base_url: str
    checkout_base_url: str
    project: str
    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    timeout: httpx.Timeout = field(default_factory=lambda: httpx.Timeout(8.0, connect=3.0))
    transport: httpx.BaseTransport | None = field(default=None, repr=False)
    fees: FeeSchedule = field(default_factory=FeeSchedule)
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    take_turn: Callable[[str, Sleep], AbstractContextManager[None]] = field(
        default=_no_limit, repr=False
    )

    def create(
        self, *, order_id: str, amount: Decimal, deadline: datetime | None = None
    ) -> GatewayTransaction:
        _check_amount(amount)
        if not _ORDER_ID.fullmatch(order_id):
            raise InvalidOrderId
        path = f"create-transaction/{self._slug}/{quote(order_id, safe='')}"
        body = {"method": "qris", "amount": int(amount)}
        answer = self._call("POST", path, body=body, deadline=deadline, turn=self._turn("create"))
        created = _understand(_transaction, answer)
        if (created.order_id, created.amount) != (order_id, amount):
            raise GatewayMismatch(status_code=200, message="it created another order or amount")
        if created.total_payment < created.amount:
            raise GatewayMismatch(status_code=200, message="it asks for less than our amount")
        return created

    def status(self, txn_id: str) -> TransactionStatus:
        # Tried once: the gateway wants 4 s between two questions about one transaction.
        once = replace(self.retries, tries=1)
        path = f"transaction-status/{self._slug}/{_segment(txn_id)}"
        return _understand(_status, self._call("GET", path, retries=once))

    def cancel(self, txn_id: str) -> None:
        path = f"cancel-transaction/{self._slug}/{_segment(txn_id)}"
        self._call("POST", path, turn=self._turn("cancel"))

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """X-Secret is a password, not a signature: the body proves nothing, ask `status`."""
        self._check_secret(headers)
        if len(body) > WEBHOOK_BYTES:
            raise WebhookMalformed("The webhook's body is too big")
        try:
            return _event(Answer.parse(body))
        except Unreadable as error:
            raise WebhookMalformed(f"The webhook's body cannot be read: {error}") from None

    def checkout_url(self, txn_id: str, redirect: str | None = None) -> str:
        query = {"qris_only": "1"} | ({"redirect": redirect} if redirect else {})
        return f"{self.checkout_base_url.rstrip('/')}/{_segment(txn_id)}?{urlencode(query)}"

    def estimate_fee(self, amount: Decimal) -> Decimal:
        return self.fees.fee(amount)

    def ping(self) -> None:
        once = replace(self.retries, tries=1)
        _understand(_qris_fee, self._call("GET", f"payment-fee/{int(MINIMUM)}", retries=once))

    def _turn(self, call: str) -> Turn:
        return functools.partial(self.take_turn, f"{self.name}:{call}:{self.project}")

    @property
    def _slug(self) -> str:
        return quote(self.project, safe="")

    def _check_secret(self, headers: Mapping[str, str]) -> None:
        given = next((v for k, v in headers.items() if k.lower() == "x-secret"), "")
        ours = self.webhook_secret.encode()
        same = hmac.compare_digest(given.encode(errors="backslashreplace"), ours)
        if not ours or not same:
            raise WebhookRefused("The webhook's secret is missing or wrong")

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        deadline: datetime | None = None,
        retries: RetryPolicy | None = None,
        turn: Turn = at_once,
    ) -> Answer:
        with self._client() as client:
            request = functools.partial(self._ask, client, method, path, body)
            return (retries or self.retries).run(request, deadline=deadline, turn=turn)

    def _client(self) -> httpx.Client:
        """A client per call: a connection kept over a worker's fork would mix up answers."""
        return httpx.Client(
            base_url=self.base_url.rstrip("/") + "/",
            headers={"X-Api-Key": self.api_key, "Accept": "application/json"},
            transport=self.transport,
            verify=_tls(),
            trust_env=not _is_local(self.base_url),
        )

    def _ask(
        self,
        client: httpx.Client,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        seconds_left: float,
    ) -> Answer:
        try:
            response = client.request(
                method, path, json=body, timeout=_within(self.timeout, seconds_left)
            )
        except (httpx.RequestError, httpx.InvalidURL) as error:
            # The class only: the text of some of these quotes the request.
            logger.warning("pakasir call failed", extra={"error": type(error).__name__})
            raise GatewayUnavailable(type(error).__name__) from None
        return self._read(response)

    def _read(self, response: httpx.Response) -> Answer:
        if response.is_success:
            return _understand(Answer.parse, response.content)
        status = response.status_code
        logger.warning("pakasir answered with an error", extra={"http_status": status})
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise GatewayRateLimited(_retry_after(response))
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise GatewayUnauthorized
        if response.is_client_error and status != httpx.codes.REQUEST_TIMEOUT:
            raise GatewayRefused(status_code=status, message=self._safe_message(response))
        raise GatewayUnavailable(f"HTTP {status}")

    def _safe_message(self, response: httpx.Response) -> str:
        try:
            answer = Answer.parse(response.content).fields
        except Unreadable:
            return ""
        text = str(answer.get("message") or answer.get("error") or "")
        for secret in filter(None, (self.api_key, self.webhook_secret)):
            text = text.replace(secret, "***")
        return "".join(c for c in text if c.isprintable())[:200]


def _check_amount(amount: Decimal) -> None:
    if not MINIMUM <= amount <= MAXIMUM or amount != amount.to_integral_value():
        raise AmountOutOfRange(amount=amount, minimum=MINIMUM, maximum=MAXIMUM)


def _segment(txn_id: str) -> str:
    if not _TXN_ID.fullmatch(txn_id):
        raise GatewayRefused(status_code=None, message="not a transaction id")
    return quote(txn_id, safe="")


def _understand(read: Callable[[S], T], answer: S) -> T:
    try:
        return read(answer)
    except Unreadable as error:
        logger.warning("pakasir answer unreadable", extra={"field": str(error)})
        raise GatewayUnavailable(f"unreadable answer ({error})") from None


def _transaction(answer: Answer) -> GatewayTransaction:
    created = GatewayTransaction(
        txn_id=_txn_id(answer),
        order_id=answer.text("order_id"),
        amount=answer.rupiah("amount"),
        fee=answer.rupiah("fee"),
        total_payment=answer.rupiah("total_payment"),
        qr_string=answer.text("qr_string"),
        expired_at=answer.moment("expired_at"),
        is_sandbox=answer.flag("is_sandbox"),
        status=_state(answer) if answer.fields.get("status") else GatewayStatus.PENDING,
    )
    if created.total_payment != created.amount + created.fee:
        logger.error("pakasir total differs from amount + fee", extra={"txn_id": created.txn_id})
    return created


def _status(answer: Answer) -> TransactionStatus:
    return TransactionStatus(
        txn_id=_txn_id(answer),
        order_id=answer.text("order_id"),
        amount=answer.rupiah("amount"),
        is_sandbox=answer.flag("is_sandbox"),
        status=_state(answer),
        completed_at=answer.moment("completed_at"),
    )


def _qris_fee(answer: Answer) -> Decimal:
    return answer.rupiah("qris")


def _event(answer: Answer) -> WebhookEvent:
    return WebhookEvent(
        txn_id=_txn_id(answer),
        order_id=answer.text("order_id"),
        status=_state(answer),
        amount=answer.rupiah("amount"),
        is_sandbox="is_sandbox" in answer.fields and answer.flag("is_sandbox"),
        body=answer.fields,
    )


def _txn_id(answer: Answer) -> str:
    value = answer.text("txn_id")
    if not _TXN_ID.fullmatch(value):
        raise Unreadable("txn_id")
    return value


def _state(answer: Answer) -> GatewayStatus:
    """Read an unknown status as pending, neither paid nor over; the error log is the alert."""
    value = answer.text("status")
    known = _STATUSES.get(value.lower())
    if known is None:
        logger.error("pakasir status unknown", extra={"gateway_status": value[:50]})
        return GatewayStatus.PENDING
    return known


def _within(timeout: httpx.Timeout, seconds: float) -> httpx.Timeout:
    def at_most(limit: float | None) -> float:
        return max(0.1, seconds if limit is None else min(limit, seconds))

    return httpx.Timeout(
        connect=at_most(timeout.connect),
        read=at_most(timeout.read),
        write=at_most(timeout.write),
        pool=at_most(timeout.pool),
    )


def _retry_after(response: httpx.Response) -> float:
    """Read the seconds to wait; without any, the window of the call's own limit."""
    value = response.headers.get("Retry-After", "")
    if _SECONDS.fullmatch(value):
        return float(min(int(value), 3600))
    return 4.0 if "/transaction-status/" in response.url.path else 0.5


def _is_local(url: str) -> bool:
    """Tell our own stand-in, which no proxy of the environment could reach."""
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
