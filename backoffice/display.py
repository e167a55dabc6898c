"""How pages show money, times, states and structures."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.clock import local_time
from core.money import rupiah

NOTHING = "–"
TONES = {
    "paid": "good",
    "completed": "good",
    "available": "good",
    "sent": "good",
    "sold": "info",
    "consumed": "info",
    "pending": "wait",
    "creating": "wait",
    "reserved": "wait",
    "blocked": "wait",
    "failed": "bad",
}
"""Tone of a badge by state; what is not listed is over and quiet."""


def money(amount: Decimal | int | None) -> str:
    return NOTHING if amount is None else rupiah(amount)


def with_fee(amount: Decimal, fee: Decimal) -> str:
    """Return what a customer pays in all: `Rp25.485 = Rp25.000 + fee Rp485`."""
    return f"{money(amount + fee)} = {money(amount)} + fee {money(fee)}" if fee else money(amount)


def moment(at: datetime | None) -> str:
    """Return a time by the store's clock, short and on one line: `23 Nov 08:15`.

    The year is said when it is not the present one: `23 Nov 2025 08:15`.
    """
    if at is None:
        return NOTHING
    local = local_time(at)
    is_this_year = local.year == local_time(timezone.now()).year
    text = f"{local:%-d %b %H:%M}" if is_this_year else f"{local:%-d %b %Y %H:%M}"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def clock(at: datetime | None) -> str:
    """Return a time to the second, for what happened within minutes."""
    return NOTHING if at is None else f"{local_time(at):%-d %b %Y, %H:%M:%S}"


def badge(text: str, tone: str = "quiet") -> SafeString:
    """Return a badge; tones are good, info, wait, bad and quiet."""
    return format_html('<span class="qc-badge qc-badge--{}">{}</span>', tone, text)


def state_badge(state: str, label: str) -> SafeString:
    return badge(label, TONES.get(state, "quiet"))


def link_to(row: Model | None, text: str = "") -> SafeString | str:
    """Return a link to a row's page in the back office."""
    if row is None:
        return NOTHING
    name = row._meta.label_lower.replace(".", "_")
    address = reverse(f"admin:{name}_change", args=[row.pk])
    return format_html('<a class="qc-link" href="{}">{}</a>', address, text or str(row))


def changelist_url(model: type[Model], query: str = "") -> str:
    address = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
    return f"{address}?{query}" if query else address


def pretty_json(value: Any) -> SafeString | str:
    if value in (None, {}, []):
        return NOTHING
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre class="qc-json">{}</pre>', text)


def ranges(numbers: tuple[int, ...] | list[int], most: int = 20) -> str:
    """Return ascending numbers in short: `1–500, 510`; what is beyond `most` parts is counted."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    shown = ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in parts[:most])
    more = sum(high - low + 1 for low, high in parts[most:])
    return f"{shown} and {more:,} more" if more else shown
