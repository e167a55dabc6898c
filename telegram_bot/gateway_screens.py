"""What staff read of the payment gateway: an outage, refusals, the nightly comparison."""

from datetime import datetime

from core.outbox import References
from payments.models import StatusReport
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render_text


def staff_gateway_down(references: References) -> Screen:
    context = {"since": _moment(references["since"])}
    return Screen(render_text("telegram/staff_gateway_down.html", context))


def staff_gateway_up(references: References) -> Screen:
    context = {"since": _moment(references["since"]), "until": _moment(references["until"])}
    return Screen(render_text("telegram/staff_gateway_up.html", context))


def staff_gateway_refuses(references: References) -> Screen:
    context = {"is_key_refused": references["why"] == "key"}
    return Screen(render_text("telegram/staff_gateway_refuses.html", context))


def staff_report(references: References) -> Screen:
    """Say that all agree in one line; otherwise say how much differed, and differs still."""
    report = StatusReport.objects.get(pk=references["report_id"])
    found = [entry for entry in report.differences if entry["remains"] is not None]
    context = {
        "report": report,
        "differences": len(found),
        "remaining": sum(entry["remains"] for entry in found),
    }
    return Screen(render_text("telegram/staff_report.html", context))


def _moment(text: int | str) -> datetime:
    return datetime.fromisoformat(str(text))
