"""The gateway's own page for one transaction: scan, or press the button a bank app would have."""

from typing import Any
from urllib.parse import urlsplit

import segno
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sandbox.pages.policy import own_page
from sandbox.pakasir import transactions
from sandbox.pakasir.driving import pay_and_tell
from sandbox.pakasir.errors import Refusal
from sandbox.pakasir.models import PakasirTransaction
from sandbox.pakasir.qris import MERCHANT
from sandbox.telegram import bot

Status = PakasirTransaction.Status

_WAYS_BACK = frozenset({"http", "https", "tg"})
_STATUS = {
    Status.PENDING: "Menunggu pembayaran",
    Status.COMPLETED: "Lunas",
    Status.CANCELED: "Dibatalkan toko",
}


@csrf_exempt
@require_http_methods(["GET", "POST"])
@own_page
def page(request: HttpRequest, txn_id: str) -> HttpResponse:
    try:
        return _answer(request, txn_id)
    except Refusal as refusal:
        return HttpResponse(refusal.message, status=refusal.status, content_type="text/plain")
    except DataError:
        return HttpResponse("Transaction not found", status=400, content_type="text/plain")


def _answer(request: HttpRequest, txn_id: str) -> HttpResponse:
    if request.method == "POST":
        pay_and_tell(txn_id)
        return HttpResponseRedirect(request.get_full_path())  # where it says that it is paid
    context = _shown(transactions.find(txn_id))
    context["redirect"] = _way_back(request.GET.get("redirect", ""))
    return render(request, "sandbox/pakasir_checkout.html", context)


def _shown(transaction: PakasirTransaction) -> dict[str, Any]:
    is_paid = transaction.status == Status.COMPLETED
    is_expired = not is_paid and transaction.expired_at <= timezone.now()
    qr = segno.make(transaction.qr_string, error="m")
    return {
        "transaction": transaction,
        "merchant": MERCHANT,
        "status": "Kedaluwarsa" if is_expired else _STATUS[Status(transaction.status)],
        "outcome": "Pembayaran diterima. Terima kasih!"
        if is_paid
        else "Kode QR ini sudah kedaluwarsa. Buat pesanan baru di toko.",
        "is_payable": not is_paid and not is_expired,
        "total": _rupiah(transaction.total_payment),
        "lines": {"Jumlah": _rupiah(transaction.amount), "Biaya": _rupiah(transaction.fee)},
        "qr": qr.svg_inline(border=2, omitsize=True),
        "moment_name": "Dibayar" if is_paid else "Berlaku sampai",
        "moment": transaction.completed_at if is_paid else transaction.expired_at,
    }


def _rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")


def _way_back(url: str) -> str:
    """Keep it only if it cannot run a script. Our bot's chat is not at Telegram but here."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in _WAYS_BACK:
        return ""
    chat = parts.path.strip("/").partition("/")[0].lower()
    is_ours = parts.hostname == "t.me" and chat == bot.username().lower()
    return reverse("sandbox-chat") if is_ours else url
