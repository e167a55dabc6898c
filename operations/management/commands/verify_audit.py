import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.findings import SENTENCES, Finding
from audit.verification import Verdict, verify_audit_trail


class Command(BaseCommand):
    help = "Walk the chain of the audit database; exit 1 if a row was changed, lost or added."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="say it as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        quiet = options["json"] or not options["verbosity"]
        verdict = verify_audit_trail(progress=(lambda _rows: None) if quiet else self._progress)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(verdict), indent=2))
        else:
            self._tell(verdict)
        if not verdict.is_whole:
            count = len(verdict.findings) + verdict.unlisted
            raise CommandError(f"The audit trail is not whole: findings: {count:,}.")

    def _progress(self, rows: int) -> None:
        self.stderr.write(f"{rows:,} rows …")

    def _tell(self, verdict: Verdict) -> None:
        for finding in verdict.findings:
            self.stdout.write(str(finding))
        if verdict.unlisted:
            self.stdout.write(f"and {verdict.unlisted:,} more")
        if verdict.waiting:
            self.stdout.write(f"{verdict.waiting:,} rows wait to be marked by the next shipment")
        counts = f"{verdict.rows:,} rows, the head at {verdict.head:,}, {verdict.kept:,} compared"
        self.stdout.write(f"{counts} with the main database.")
        if verdict.is_whole:
            self.stdout.write("The audit trail is whole.")


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "whole": verdict.is_whole,
        "rows": verdict.rows,
        "head": verdict.head,
        "kept": verdict.kept,
        "waiting": verdict.waiting,
        "findings": [_finding_as_json(finding) for finding in verdict.findings],
        "unlisted": verdict.unlisted,
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "position": finding.position,
        "last": finding.last,
        "uuid": str(finding.uuid) if finding.uuid else None,
        "text": SENTENCES[finding.kind],
    }
