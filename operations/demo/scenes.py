"""The written part of the history: the personas' pasts, and what must happen in every demo."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from operations.demo.names import BANNED
from operations.demo.people import Buyer
from operations.demo.plan import Fate, Presence, Visit, midnight, sold_out_time
from operations.demo.products import SOLD_OUT

# (days ago, hour, minute, product, units, fate, voucher)
_Scene = tuple[int, int, int, int, int, Fate, str]
_PASTS: dict[str, tuple[_Scene, ...]] = {
    "customer": (
        (52, 19, 12, 119, 1, Fate.BALANCE, ""),
        (52, 20, 40, 105, 1, Fate.QRIS, ""),
        (41, 20, 5, 101, 1, Fate.QRIS, "MERDEKA17"),
        (33, 12, 31, 117, 1, Fate.BALANCE, ""),
        (24, 21, 2, 106, 1, Fate.EXPIRED, ""),
        (24, 21, 30, 106, 2, Fate.QRIS, ""),
        (16, 18, 45, 121, 1, Fate.LATE, ""),
        (9, 19, 55, 120, 2, Fate.QRIS, ""),
        (4, 22, 10, 110, 1, Fate.CANCELLED, ""),
        (3, 13, 4, 105, 2, Fate.BALANCE, ""),
        (1, 19, 20, 101, 1, Fate.QRIS, ""),
    ),
    "reseller": (
        (57, 9, 30, 101, 5, Fate.BALANCE, ""),
        (51, 10, 15, 105, 8, Fate.BALANCE, ""),
        (46, 14, 2, 120, 10, Fate.QRIS, ""),
        (40, 9, 48, 103, 4, Fate.BALANCE, ""),
        (35, 11, 20, 101, 8, Fate.BALANCE, ""),
        (29, 16, 33, 108, 3, Fate.QRIS, ""),
        (25, 10, 5, 112, 2, Fate.EXPIRED, ""),
        (21, 9, 12, 109, 2, Fate.BALANCE, ""),
        (15, 13, 40, 105, 12, Fate.BALANCE, ""),
        (10, 10, 26, 120, 15, Fate.QRIS, ""),
        (6, 17, 18, 101, 10, Fate.BALANCE, ""),
        (2, 11, 9, 105, 10, Fate.QRIS, ""),
    ),
    "admin": (
        (58, 8, 30, 124, 1, Fate.QRIS, ""),
        (58, 8, 50, 119, 1, Fate.BALANCE, ""),
        (30, 15, 20, 115, 1, Fate.QRIS, ""),
        (7, 16, 10, 124, 2, Fate.BALANCE, ""),
    ),
}


def persona_presences(*, personas: Sequence[Buyer], now: datetime) -> list[Presence]:
    return [
        Presence(each, min(visit.at for visit in past_of(each, now)) - timedelta(minutes=20), now)
        for each in personas
    ]


def past_of(persona: Buyer, now: datetime) -> list[Visit]:
    """Return a persona's visits: the same in every demo, so that they may be shown and tested."""
    return [
        Visit(
            customer_id=persona.id,
            number=number,
            at=midnight(now, days_ago=days_ago) + timedelta(hours=hour, minutes=minute),
            fate=fate,
            quantity=quantity,
            seconds=90 * 60 if fate == Fate.LATE else 45,
            voucher=voucher,
        )
        for days_ago, hour, minute, number, quantity, fate, voucher in _PASTS[persona.role]
    ]


def last_units(*, presences: Sequence[Presence], now: datetime) -> list[Visit]:
    """Let the last units be sold while another waits to pay: that money comes too late."""
    evening = sold_out_time(now) + timedelta(hours=19)
    slow, quick = [each.buyer for each in presences if _is_regular(each, evening)][:2]
    return [
        Visit(slow.id, SOLD_OUT, evening, Fate.LATE, seconds=3 * 3600),
        Visit(quick.id, SOLD_OUT, evening + timedelta(hours=1), Fate.QRIS, 2),
    ]


def money_of_the_banned(*, presences: Sequence[Presence]) -> list[Visit]:
    """Let the banned one's money arrive after the ban: it is credited, not lost."""
    banned = next(each for each in presences if each.buyer.profile.username == BANNED)
    before = banned.left_at - timedelta(minutes=40)
    return [Visit(banned.buyer.id, 102, before, Fate.LATE, seconds=2 * 3600)]


def _is_regular(presence: Presence, moment: datetime) -> bool:
    return presence.buyer.visits > 0 and presence.came_at < moment < presence.left_at
