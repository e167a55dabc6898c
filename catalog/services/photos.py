"""A product's picture: checked by what it is, not by what it is called."""

from datetime import datetime

from django.db import transaction

from audit.services import record_audit
from catalog.errors import PhotoRefused, ProductUnavailable
from catalog.models import Product, ProductPhoto

MOST_PHOTO = 5 * 1024 * 1024
"""Largest picture in bytes; Telegram takes photos up to 10 MB (Bot API, sendPhoto)."""


def set_photo(*, product_id: int, image: bytes, content_type: str = "image/png") -> ProductPhoto:
    """Store a picture as it is; Telegram's copy of the one before is forgotten."""
    photo, _ = ProductPhoto.objects.update_or_create(
        product_id=product_id,
        defaults={"image": image, "content_type": content_type, "telegram_file_id": ""},
    )
    return photo


@transaction.atomic
def upload_photo(
    *, product_id: int, image: bytes, actor: str, source: str, now: datetime
) -> ProductPhoto:
    """Check and store a picture. Raises PhotoRefused or ProductUnavailable."""
    content_type = photo_type(image)
    before = _lock_and_describe(product_id)
    photo = set_photo(product_id=product_id, image=image, content_type=content_type)
    _record(product_id, actor, source, now, (before, _describe(image, content_type)))
    return photo


@transaction.atomic
def remove_photo(*, product_id: int, actor: str, source: str, now: datetime) -> None:
    """Remove the picture if there is one."""
    before = _lock_and_describe(product_id)
    if before is not None:
        ProductPhoto.objects.filter(product=product_id).delete()
        _record(product_id, actor, source, now, (before, None))


def photo_type(image: bytes) -> str:
    """Return the content type that the first bytes show; raise PhotoRefused for any other."""
    if len(image) > MOST_PHOTO:
        raise PhotoRefused("the picture is larger than 5 MB")
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if image.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    raise PhotoRefused("the file is not a PNG, JPEG or WebP picture")


def _lock_and_describe(product_id: int) -> dict[str, int | str] | None:
    if not Product.objects.lock().filter(pk=product_id).exists():
        raise ProductUnavailable(product_id)
    photo = ProductPhoto.objects.filter(product=product_id).first()
    return None if photo is None else _describe(bytes(photo.image), photo.content_type)


def _describe(image: bytes, content_type: str) -> dict[str, int | str]:
    return {"type": content_type, "bytes": len(image)}


def _record(
    product_id: int,
    actor: str,
    source: str,
    now: datetime,
    changes: tuple[dict[str, int | str] | None, dict[str, int | str] | None],
) -> None:
    record_audit(
        actor=actor,
        action="change_photo",
        target=f"product:{product_id}",
        source=source,
        now=now,
        changes=changes,
    )
