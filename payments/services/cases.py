"""Staff say of a case what was done about it."""

from datetime import datetime

from django.db import transaction

from audit.services import conceal, record_audit
from core.errors import DomainError
from payments.models import Case

MOST_NOTE = 2000
"""Most characters of what was done."""


class CaseClosed(DomainError):
    """Somebody said before what was done about it."""

    code = "case_closed"

    def __init__(self, *, closed_at: datetime, resolution: str) -> None:
        super().__init__(closed_at.isoformat())
        self.closed_at = closed_at
        self.resolution = resolution


class NoteRefused(DomainError):
    """A case is closed with a note, and with no novel."""

    code = "note_refused"


@transaction.atomic
def close_case(*, case_id: int, resolution: str, actor: str, source: str, now: datetime) -> Case:
    """Close a case with a note of what was done, once.

    Raises NoteRefused for an empty or too long note and CaseClosed when it is closed already;
    then nothing changed.
    """
    note = resolution.strip()
    if not 0 < len(note) <= MOST_NOTE:
        raise NoteRefused
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.closed_at is not None:
        raise CaseClosed(closed_at=case.closed_at, resolution=case.resolution)
    before = {"closed_at": None, "resolution": case.resolution}
    after = {"closed_at": now.isoformat(), "resolution": note}
    case.closed_at = now
    case.resolution = note
    case.save(update_fields=["closed_at", "resolution"])
    record_audit(
        actor=actor,
        action="close_case",
        target=f"case:{case_id}",
        source=source,
        now=now,
        changes=conceal((before, after), owner=_about(case), names={"resolution"}),
    )
    return case


def _about(case: Case) -> str:
    """Return whose key the note is kept under: it may name the customer of the case."""
    belongs = case.order or case.payment
    return f"case:{case.pk}" if belongs is None else f"customer:{belongs.customer_id}"
