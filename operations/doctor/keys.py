"""The keys of the goods: all there that is needed, and the same the goods were stored with."""

from collections import Counter
from datetime import datetime

from catalog.models import StockItem, StockState
from core.encryption import (
    DecryptionError,
    NoUsableKey,
    current_key_id,
    decrypt,
    encrypt,
    fingerprint,
    known_key_ids,
)
from operations.doctor.findings import Finding, ok, problem, warning
from operations.rotation import ENCRYPTED, count_by_key

ROTATE = "Run manage.py rotate_stock_key."
BRING_BACK = "Put the key back into STOCK_KEYS, behind the first one; then deliver or rotate."


def check_stock_keys(_now: datetime) -> Finding:
    try:
        encrypt(b"")
    except NoUsableKey as error:
        return problem(str(error), "Set STOCK_KEYS; see .env.example.")
    counts = count_by_key()
    missing = Counter({key: counts[key] for key in counts if key not in {"", *known_key_ids()}})
    if missing:
        names = ", ".join(f"{number:,} under key {key}" for key, number in missing.items())
        return problem(f"no key opens {names}", BRING_BACK)
    closed = [key or "not noted" for key in counts if not _opens(key)]
    if closed:
        return problem(f"goods do not open (key {', '.join(closed)})", BRING_BACK)
    return _old_keys(counts)


def _opens(key: str) -> bool:
    """Open the latest row of each table under this key: its name alone proves nothing."""
    for column in ENCRYPTED:
        rows = column.rows.filter(**{column.key_id: key}).reverse()
        token = rows.values_list(column.content, flat=True).first()
        try:
            if token is not None:
                decrypt(token)
        except DecryptionError:
            return False
    return True


def _old_keys(counts: Counter[str]) -> Finding:
    current = current_key_id()
    if counts[""]:
        return warning(f"the key of {counts['']:,} items is not noted", ROTATE)
    old = counts.total() - counts[current]
    if old:
        return warning(f"{old:,} of {counts.total():,} items are under an old key", ROTATE)
    unused = ", ".join(known_key_ids()[1:])
    note = f"; nothing needs {unused} any more" if unused else ""
    return ok(f"all {counts.total():,} items are under key {current}{note}")


def check_fingerprint_key(_now: datetime) -> Finding:
    """Compare with the latest goods that open."""
    rows = StockItem.objects.exclude(state=StockState.WITHDRAWN).order_by("-pk")
    row = rows.values_list("content", "fingerprint").first()
    if row is None:
        return ok("no goods yet")
    try:
        content = decrypt(row[0])
    except DecryptionError:
        return warning("goods do not open, so their mark is not seen", "See stock keys.")
    if fingerprint(content) != bytes(row[1]):
        advice = "Put back the STOCK_FINGERPRINT_KEY the goods were stored with."
        return problem("another key than the goods are marked with: no duplicate is found", advice)
    return ok("the one the goods are marked with")
