"""The gateway's own page for one transaction: scan, or press the button a bank app would have."""

from urllib.parse import urlsplit

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sandbox.pakasir import transactions
from sandbox.pakasir.driving import pay_and_tell
from sandbox.pakasir.errors import Refusal


class _BackToShop(HttpResponseRedirect):
    allowed_schemes = ["http", "https", "tg"]


@csrf_exempt
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, txn_id: str) -> HttpResponse:
    try:
        return _answer(request, txn_id)
    except Refusal as refusal:
        return HttpResponse(refusal.message, status=refusal.status, content_type="text/plain")


def _answer(request: HttpRequest, txn_id: str) -> HttpResponse:
    redirect = _safe(request.GET.get("redirect", ""))
    if request.method == "POST":
        pay_and_tell(txn_id)
        return _BackToShop(redirect or request.get_full_path())
    transaction = transactions.find(txn_id)
    qr = segno.make(transaction.qr_string, error="m")
    context = {
        "transaction": transaction,
        "total": _rupiah(transaction.total_payment),
        "lines": {"Jumlah": _rupiah(transaction.amount), "Biaya": _rupiah(transaction.fee)},
        "qr": qr.svg_inline(border=2, omitsize=True),
        "redirect": redirect,
    }
    return render(request, "sandbox/pakasir_checkout.html", context)


def _rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")


def _safe(url: str) -> str:
    """Keep a way back only if it cannot run a script."""
    try:
        return url if urlsplit(url).scheme in _BackToShop.allowed_schemes else ""
    except ValueError:
        return ""
