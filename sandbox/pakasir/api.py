"""The API as a shop sees it: `/api/v2/…`, flat JSON, key in X-Api-Key."""

import hmac
import json
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from sandbox.pakasir import faults, transactions
from sandbox.pakasir.errors import Refusal
from sandbox.pakasir.fees import MAXIMUM, all_fees
from sandbox.pakasir.limits import admit
from sandbox.pakasir.models import PakasirFault

View = Callable[..., HttpResponse]


def json_view(view: View) -> View:
    """Answer a Refusal as JSON; other programs call, so there is no CSRF token."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, **path: Any) -> HttpResponse:
        try:
            return view(request, **path)
        except Refusal as refusal:
            body = {"message": refusal.message}
            return JsonResponse(body, status=refusal.status, headers=refusal.headers)
        except DataError as error:
            # A character PostgreSQL cannot hold, in the path.
            return JsonResponse({"message": str(error)}, status=400)

    return answer


def json_object(request: HttpRequest, *, known: Sequence[str] = ()) -> dict[str, Any]:
    """The body; with `known` a field of another name is refused: it would be misspelt."""
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(400, "The body is not JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body is not an object")
    unknown = [name for name in body if known and name not in known]
    if unknown:
        raise Refusal(400, f"{unknown[0]}: unknown field; known: {', '.join(known)}")
    return body


def whole_number(body: dict[str, Any], name: str, *, default: int | None = None) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(400, f"{name}: a whole number")
    return value


def gateway_call(call: PakasirFault.Call) -> Callable[[Callable[..., dict[str, Any]]], View]:
    """Check the key and the project, then answer, or fail as a waiting fault wants it."""

    def decorate(handle: Callable[..., dict[str, Any]]) -> View:
        @json_view
        @wraps(handle)
        def view(request: HttpRequest, **path: Any) -> HttpResponse:
            if call != PakasirFault.Call.FEE:
                _check_caller(request, path.pop("slug"))
            fault = PakasirFault.objects.take(call)
            return faults.answer(fault, partial(handle, request, **path))

        return view

    return decorate


def _check_caller(request: HttpRequest, slug: str) -> None:
    given, ours = request.headers.get("X-Api-Key", ""), settings.SANDBOX_PAKASIR_API_KEY
    if not hmac.compare_digest(given.encode(), ours.encode()):
        raise Refusal(401, "Invalid API key")
    if slug != settings.SANDBOX_PAKASIR_PROJECT:
        raise Refusal(404, "Project not found")


@require_POST
@gateway_call(PakasirFault.Call.CREATE)
def create(request: HttpRequest, order_id: str) -> dict[str, Any]:
    admit("create", calls=2, seconds=1)
    body = json_object(request)
    if body.get("method") != "qris":
        raise Refusal(400, "method: only qris is enabled for this project")
    amount = whole_number(body, "amount")
    return transactions.created_answer(
        transactions.find_or_create(order_id=order_id, amount=amount)
    )


@require_GET
@gateway_call(PakasirFault.Call.STATUS)
def status(_request: HttpRequest, txn_id: str) -> dict[str, Any]:
    transaction = transactions.find(txn_id)
    admit(f"status {txn_id}", calls=1, seconds=4)
    return transactions.status_answer(transaction)


@require_POST
@gateway_call(PakasirFault.Call.CANCEL)
def cancel(_request: HttpRequest, txn_id: str) -> dict[str, Any]:
    admit("cancel", calls=2, seconds=1)
    transactions.cancel(txn_id)
    return {"message": "Transaction canceled"}


@require_GET
@gateway_call(PakasirFault.Call.FEE)
def fee(_request: HttpRequest, amount: int) -> dict[str, Any]:
    if not 0 < amount <= MAXIMUM:
        raise Refusal(400, f"amount: up to {MAXIMUM}")
    return dict(all_fees(amount))
