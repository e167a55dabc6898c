"""What a person or a test does on the other side: pay, look, break things."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sandbox.pakasir import transactions, webhook
from sandbox.pakasir.api import json_object, json_view, whole_number
from sandbox.pakasir.errors import Refusal
from sandbox.pakasir.faults import DEFAULT_DELAY_MS
from sandbox.pakasir.fees import MAXIMUM
from sandbox.pakasir.models import PakasirFault, PakasirTransaction
from sandbox.pakasir.qris import MERCHANT

LONGEST_DELAY_MS = 600_000
COPIES = {"send": 1, "drop": 0, "duplicate": 2}


@require_GET
@json_view
def transaction_list(request: HttpRequest) -> HttpResponse:
    """Newest last; with `limit` only the newest that many."""
    limit = request.GET.get("limit", "")
    found = PakasirTransaction.objects.order_by("-pk")
    newest = found[: int(limit)] if limit.isascii() and limit.isdigit() else found
    return JsonResponse({"transactions": [_shown(each) for each in reversed(newest)]})


def _shown(transaction: PakasirTransaction) -> dict[str, Any]:
    names = ("txn_id", "order_id", "amount", "fee", "total_payment", "status", "qr_string")
    shown = {name: getattr(transaction, name) for name in names}
    moments = ("created_at", "expired_at", "completed_at")
    shown |= {name: _written(getattr(transaction, name)) for name in moments}
    return shown | {"merchant": MERCHANT}


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


@require_POST
@json_view
def pay(request: HttpRequest, txn_id: str) -> HttpResponse:
    body = json_object(request, known=("webhook", "delay_ms", "amount"))
    mode, delay_ms = body.get("webhook", "send"), _delay(body)
    if not isinstance(mode, str) or mode not in COPIES:
        raise Refusal(400, f"webhook: one of {', '.join(COPIES)}")
    amount = None if body.get("amount") is None else _amount(body)
    statuses = pay_and_tell(txn_id, amount=amount, copies=COPIES[mode], delay_ms=delay_ms)
    return JsonResponse({"status": "completed", "webhook_statuses": statuses})


def pay_and_tell(
    txn_id: str, *, amount: int | None = None, copies: int = 1, delay_ms: int = 0
) -> list[int]:
    """Return the webhook's HTTP statuses; none when it was paid before: that was told then."""
    if not transactions.pay(txn_id, amount=amount):
        return []
    body = transactions.status_answer(transactions.find(txn_id))
    return webhook.deliver(body, copies=copies, delay_ms=delay_ms)


def _amount(body: dict[str, Any]) -> int:
    amount = whole_number(body, "amount")
    if not 0 < amount <= MAXIMUM:
        raise Refusal(400, f"amount: from 1 to {MAXIMUM}")
    return amount


def _delay(body: dict[str, Any], default: int = 0) -> int:
    delay_ms = whole_number(body, "delay_ms", default=default)
    if not 0 <= delay_ms <= LONGEST_DELAY_MS:
        raise Refusal(400, f"delay_ms: from 0 to {LONGEST_DELAY_MS}")
    return delay_ms


@json_view
def nothing(_request: HttpRequest, rest: str) -> HttpResponse:
    raise Refusal(404, f"No such address: {rest}")


@require_http_methods(["GET", "POST", "DELETE"])
@json_view
def fault_list(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return JsonResponse({"id": _add_fault(request).pk})
    if request.method == "DELETE":
        PakasirFault.objects.all().delete()
        return JsonResponse({})
    names = ("id", "call", "kind", "times", "used", "delay_ms")
    return JsonResponse({"faults": list(PakasirFault.objects.order_by("pk").values(*names))})


@require_http_methods(["DELETE"])
@json_view
def fault(_request: HttpRequest, fault_id: int) -> HttpResponse:
    if not PakasirFault.objects.filter(pk=fault_id).delete()[0]:
        raise Refusal(404, f"unknown fault {fault_id}")
    return JsonResponse({})


def _add_fault(request: HttpRequest) -> PakasirFault:
    body = json_object(request, known=("call", "kind", "times", "delay_ms"))
    try:
        call = PakasirFault.Call(str(body.get("call")))
        kind = PakasirFault.Kind(str(body.get("kind")))
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    times = whole_number(body, "times", default=1)
    if not 0 < times <= 1_000_000:
        raise Refusal(400, "times: from 1 to 1000000")
    delay_ms = _delay(body, DEFAULT_DELAY_MS.get(kind, 0))
    return PakasirFault.objects.create(call=call, kind=kind, times=times, delay_ms=delay_ms)
