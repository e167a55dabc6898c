"""What can go wrong on the way, on request."""

import time
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, JsonResponse

from sandbox.pakasir.errors import Refusal, TooManyRequests
from sandbox.pakasir.models import PakasirFault

Kind = PakasirFault.Kind
Body = dict[str, Any]
Handle = Callable[[], Body]

# Longer than a sensible client waits; `slow` is within what it should bear.
DEFAULT_DELAY_MS = {Kind.TIMEOUT: 15_000, Kind.TIMEOUT_AFTER_EFFECT: 15_000, Kind.SLOW: 3_000}

sleep = time.sleep  # replaced by tests


def answer(fault: PakasirFault | None, handle: Handle) -> HttpResponse:
    if fault is None:
        return JsonResponse(handle())
    kind = Kind(fault.kind)
    if kind == Kind.TIMEOUT_AFTER_EFFECT:
        handle()
    sleep(fault.delay_ms / 1000)
    if kind in _INSTEAD:
        return _INSTEAD[kind]()
    return JsonResponse(_CHANGED.get(kind, dict)(handle()))


def _timed_out() -> HttpResponse:
    """Answer at last, for a client that is still there."""
    return HttpResponse(status=504)


def _limited() -> HttpResponse:
    raise TooManyRequests(1)


def _error() -> HttpResponse:
    raise Refusal(500, "Internal server error")


def _html() -> HttpResponse:
    return HttpResponse("<!doctype html><title>Just a moment...</title><h1>Just a moment</h1>")


def _empty() -> HttpResponse:
    return HttpResponse(content_type="application/json")


def _wrong_amount(body: Body) -> Body:
    """State another amount for one answer; what is stored stays right."""
    amounts = {name: body[name] for name in ("amount", "total_payment", "qris") if name in body}
    return body | {name: amount + 1000 for name, amount in amounts.items()}


def _sandbox_flag(body: Body) -> Body:
    return body | ({"is_sandbox": True} if "is_sandbox" in body else {})


_INSTEAD: dict[Kind, Callable[[], HttpResponse]] = {
    Kind.TIMEOUT: _timed_out,
    Kind.TIMEOUT_AFTER_EFFECT: _timed_out,
    Kind.LIMITED: _limited,
    Kind.ERROR: _error,
    Kind.HTML: _html,
    Kind.EMPTY: _empty,
}
_CHANGED: dict[Kind, Callable[[Body], Body]] = {
    Kind.WRONG_AMOUNT: _wrong_amount,
    Kind.SANDBOX_FLAG: _sandbox_flag,
}
