"""The nightly comparisons with the gateway."""
# ruff: noqa: ARG002 (the signatures are Django's)

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from backoffice.admin.base import ReadOnlyAdmin, time_column
from backoffice.display import NOTHING, badge, link_to, money
from backoffice.panels import Panel, Timeline
from payments.models import Payment, StatusReport

MOST_ROWS = 200


@admin.register(StatusReport)
class StatusReportAdmin(ReadOnlyAdmin[StatusReport]):
    list_display = ("date", "outcome", "checked", "unanswered", "started", "finished")
    ordering = ("-day",)
    empty_text = "Every night the payments of the last 48 hours are compared with the gateway."
    row_names = ("nightly comparison", "nightly comparisons")
    fields = ("date", "outcome", "checked", "unanswered", "started", "finished")
    readonly_fields = ("date", "outcome", "started", "finished")

    started = time_column("started_at", "begun")
    finished = time_column("finished_at", "finished")

    @admin.display(description="day", ordering="day")
    def date(self, row: StatusReport) -> str:
        return f"{row.day:%-d %b %Y}"

    def row_title(self, row: StatusReport) -> str:
        return f"Comparison of {row.day:%-d %b %Y}"

    @admin.display(description="outcome")
    def outcome(self, row: StatusReport) -> SafeString:
        if row.finished_at is None:
            return badge("under way", "wait")
        remaining = sum(entry["remains"] is True for entry in row.differences)
        if remaining:
            return badge(f"{remaining} still differ", "bad")
        if row.unanswered:
            return badge(f"{row.unanswered} without an answer", "wait")
        settled = len(row.differences)
        return badge(f"{settled} settled" if settled else "all agree", "good")

    def panels(self, request: HttpRequest, row: StatusReport) -> list[Panel | Timeline]:
        entries = row.differences[:MOST_ROWS]
        keys = [entry["payment"] for entry in entries]
        payments = {payment.pk: payment for payment in Payment.objects.filter(pk__in=keys)}
        return [
            Panel(
                title="Differences",
                headers=("Payment", "Ours", "Gateway", "Our amount", "Its amount", "Now"),
                rows=[_cells(entry, payments.get(entry["payment"])) for entry in entries],
                empty="Everything agrees.",
                permission="payments.view_payment",
            )
        ]


def _cells(entry: dict[str, Any], payment: Payment | None) -> tuple[Any, ...]:
    return (
        link_to(payment) if payment else entry["reference"],
        entry["ours"],
        entry["theirs"] or "no answer",
        _amount(entry["our_amount"]),
        _amount(entry["their_amount"]),
        _now(entry["remains"]),
    )


def _amount(text: str | None) -> str:
    return NOTHING if text is None else money(Decimal(text))


def _now(remains: bool | None) -> SafeString:
    if remains is None:
        return badge("not compared", "wait")
    return badge("still differs", "bad") if remains else badge("settled", "good")
