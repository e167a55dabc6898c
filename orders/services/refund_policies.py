"""The refund formula as staff change it: every version is kept, the newest counts."""

from datetime import datetime

from django.db import connection, transaction

from audit.services import record_audit
from orders.models import RefundPolicy
from orders.refund_terms import RefundTerms, Steps
from orders.services.refund_quotes import refund_policy

TURN = 7_281_001
"""Advisory lock: versions are made one after another, so that each audit entry knows the last."""


@transaction.atomic
def set_refund_policy(
    *, terms: RefundTerms, actor: str, source: str, now: datetime
) -> RefundPolicy:
    """Put a formula in force; the one that is in force already stays as it is."""
    take_turn()
    current, before = refund_policy()
    if current is not None and before == terms:
        return current
    policy = RefundPolicy.objects.create(
        period_days=terms.period_days,
        day_steps=_plain(terms.day_steps),
        claim_steps=_plain(terms.claim_steps),
        created_at=now,
        created_by=actor,
    )
    record_audit(
        actor=actor,
        action="set_refund_policy",
        target=f"refund_policy:{policy.pk}",
        source=source,
        now=now,
        changes=({"formula": str(before)}, {"formula": str(terms)}),
    )
    return policy


def take_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def _plain(steps: Steps) -> list[list[int | str]]:
    return [[number, f"{multiplier.normalize():f}"] for number, multiplier in steps]
