import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core.money import rupiah
from payments.gateways.base import GatewayError
from payments.services.check import AskedLately
from payments.services.comparison import Comparison, comparable_payments, compare_payment
from payments.services.schedule import CHECK_PAUSE

ROW = "{:<22} {:<12} {:<20} {:>14} {:>14}  {}"
HEAD = ("payment", "ours", "gateway", "our amount", "its amount", "now")


class Command(BaseCommand):
    help = (
        "Compare every payment of the last 48 hours with the gateway's word now, settle what it"
        " says and show the differences. Safe beside the scheduler. Exit code 1 if a difference"
        " remains or a payment had no answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument("--hours", type=int, default=48, help="how far back (default: 48)")
        scope.add_argument("--all", action="store_true", help="every payment there ever was")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        within = None if options["all"] else timedelta(hours=options["hours"])
        payments = comparable_payments(now=timezone.now(), within=within).order_by("pk")
        keys = list(payments.values_list("pk", flat=True))
        found = list(_compare(keys))
        differences = [each for each in found if each.differs]
        result = {
            "checked": len(found),
            "unanswered": len(keys) - len(found),
            "remaining": sum(each.remains for each in differences),
            "differences": [asdict(each) for each in differences],
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, default=str, indent=2))
        else:
            self._show(result, differences)
        if result["remaining"] or result["unanswered"]:
            sys.exit(1)

    def _show(self, result: dict[str, Any], differences: list[Comparison]) -> None:
        if differences:
            self.stdout.write(ROW.format(*HEAD))
        for each in differences:
            theirs = "–" if each.their_amount is None else rupiah(each.their_amount)
            now = "differs" if each.remains else "settled"
            words = (each.reference, each.ours, each.theirs)
            self.stdout.write(ROW.format(*words, rupiah(each.our_amount), theirs, now))
        self.stdout.write(
            f"{result['checked']} compared, {len(differences)} differed,"
            f" {result['remaining']} still differ, {result['unanswered']} had no answer"
        )


def _compare(keys: list[int]) -> Iterator[Comparison]:
    """Compare one after another; who was asked about a moment ago is asked again at the end."""
    again = []
    for key in keys:
        try:
            yield compare_payment(payment_id=key, now=timezone.now())
        except AskedLately:
            again.append(key)
        except GatewayError:
            continue
    if again:
        time.sleep(CHECK_PAUSE.total_seconds())
    for key in again:
        try:
            yield compare_payment(payment_id=key, now=timezone.now())
        except (AskedLately, GatewayError):
            continue
