"""The nightly comparison of every recent payment, as a report for staff (rule 7 of money).

A portion of it is done by each sweep. Before a payment is asked about it has an entry in the
report; the answer takes the entry away, or makes it a difference. So a crash at any moment leaves
an entry that is asked about again, and nothing is passed over.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from core.clock import local_time
from core.models import OutboxPriority
from core.outbox import STAFF, enqueue_message
from payments.gateways.base import GatewayError
from payments.models import Payment, StatusReport
from payments.services.check import AskedLately
from payments.services.comparison import Comparison, comparable_payments, compare_payment

BEGINS_AT = 3
"""Hour of the store's clock."""
WATCHED = timedelta(hours=48)
TRIES = 3
PAUSE = timedelta(minutes=5)
"""Between two questions about a payment that had no answer."""

Entry = dict[str, Any]
"""payment, reference, ours, theirs (empty: no answer), our_amount, their_amount, tries, asked_at,
and `remains`: whether they still differ, None until that is known."""


def current_report(*, now: datetime) -> StatusReport | None:
    """Return the report that is under way, begin today's when it is time, or return None."""
    unfinished = StatusReport.objects.filter(finished_at=None).order_by("day").first()
    if unfinished is not None:
        return unfinished
    local = local_time(now)
    if local.hour < BEGINS_AT or StatusReport.objects.filter(day=local.date()).exists():
        return None
    report, _ = StatusReport.objects.get_or_create(day=local.date(), defaults={"started_at": now})
    return report if report.finished_at is None else None


def next_to_compare(*, report: StatusReport, now: datetime, limit: int) -> list[int]:
    """Return the next payments of the report, then those to ask about again."""
    payments = comparable_payments(now=report.started_at, within=WATCHED)
    fresh = payments.filter(pk__gt=report.last_payment_id).order_by("pk")
    keys = list(fresh.values_list("pk", flat=True)[:limit])
    again = [entry["payment"] for entry in report.differences if _is_due(entry, now)]
    return [*keys, *again][:limit]


def _is_due(entry: Entry, now: datetime) -> bool:
    asked_at = datetime.fromisoformat(entry["asked_at"])
    return entry["remains"] is None and entry["tries"] < TRIES and asked_at <= now - PAUSE


def compare_for_report(*, report_id: int, payment_id: int, now: datetime) -> None:
    """Compare one payment of the report; a peer who does it at the same time does it alone."""
    if not _begin(report_id, payment_id, now):
        return
    try:
        found = compare_payment(
            payment_id=payment_id, now=now, note=partial(_note_difference, report_id)
        )
    except AskedLately:
        _give_back_try(report_id, payment_id)
    except GatewayError:
        return  # its entry says that there was no answer
    else:
        _note_outcome(report_id, found)


@transaction.atomic
def _begin(report_id: int, payment_id: int, now: datetime) -> bool:
    report = StatusReport.objects.lock().get(pk=report_id)
    entry = _entry_of(report, payment_id)
    if report.finished_at is not None or (entry and not _is_due(entry, now)):
        return False
    if entry is None:
        if payment_id <= report.last_payment_id:
            return False
        entry = _new_entry(payment_id)
        report.differences.append(entry)
        report.last_payment_id = payment_id
    entry["tries"] += 1
    entry["asked_at"] = now.isoformat()
    report.save(update_fields=["differences", "last_payment_id"])
    return True


def _new_entry(payment_id: int) -> Entry:
    payment = Payment.objects.get(pk=payment_id)
    return {
        "payment": payment_id,
        "reference": payment.reference,
        "ours": payment.status,
        "theirs": "",
        "our_amount": str(int(payment.received_amount or payment.amount)),
        "their_amount": None,
        "tries": 0,
        "asked_at": "",
        "remains": None,
    }


def _entry_of(report: StatusReport, payment_id: int) -> Entry | None:
    return next((each for each in report.differences if each["payment"] == payment_id), None)


@transaction.atomic
def _give_back_try(report_id: int, payment_id: int) -> None:
    report = StatusReport.objects.lock().get(pk=report_id)
    entry = _entry_of(report, payment_id)
    if entry is not None:
        entry["tries"] -= 1
        report.save(update_fields=["differences"])


@transaction.atomic
def _note_difference(report_id: int, found: Comparison) -> None:
    report = StatusReport.objects.lock().get(pk=report_id)
    entry = _entry_of(report, found.payment_id)
    if entry is None or entry["theirs"]:
        return  # noted before a crash: what we had then is the difference
    entry["ours"], entry["theirs"] = found.ours, found.theirs
    entry["our_amount"] = str(found.our_amount)
    entry["their_amount"] = None if found.their_amount is None else str(found.their_amount)
    report.save(update_fields=["differences"])


@transaction.atomic
def _note_outcome(report_id: int, found: Comparison) -> None:
    """Close the payment's entry: one that never was a difference goes away."""
    report = StatusReport.objects.lock().get(pk=report_id)
    entry = _entry_of(report, found.payment_id)
    if entry is None or entry["remains"] is not None:
        return
    report.checked += 1
    if entry["theirs"]:
        entry["remains"] = found.remains
    else:
        report.differences.remove(entry)
    report.save(update_fields=["differences", "checked"])


@transaction.atomic
def finish_report(*, report_id: int, now: datetime) -> bool:
    """Finish a report that has nothing left to ask about and tell staff, once."""
    report = StatusReport.objects.lock().get(pk=report_id)
    left = comparable_payments(now=report.started_at, within=WATCHED)
    if report.finished_at is not None or left.filter(pk__gt=report.last_payment_id).exists():
        return False
    unanswered = [entry for entry in report.differences if entry["remains"] is None]
    if any(entry["tries"] < TRIES for entry in unanswered):
        return False
    report.finished_at = now
    report.unanswered = len(unanswered)
    report.save(update_fields=["finished_at", "unanswered"])
    if report.checked or report.unanswered:
        _tell(report)
    return True


def _tell(report: StatusReport) -> None:
    enqueue_message(
        recipient=STAFF,
        kind="staff_report",
        references={"report_id": report.pk},
        dedupe_key=f"staff_report:{report.pk}",
        priority=OutboxPriority.NOTICE,
    )
