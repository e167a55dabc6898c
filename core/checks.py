"""What `manage.py check` and every start say about the keys of the goods."""

from typing import Any

from django.core.checks import CheckMessage, Error

from core.encryption import NoUsableKey, encrypt


def check_stock_keys(**_options: Any) -> list[CheckMessage]:
    try:
        encrypt(b"")
    except NoUsableKey as error:
        hint = "Goods can neither be stored nor delivered; see STOCK_KEYS in .env.example."
        return [Error(str(error), hint=hint, id="core.E001")]
    return []
