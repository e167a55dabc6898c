"""A product's picture: checked by what it is, not by what it is called."""

from datetime import datetime

from django.db import transaction

from audit.services import record_audit
from catalog.errors import PhotoRefused, ProductUnavailable
from catalog.models import Product, ProductPhoto
from catalog.services.picture_size import Size, jpeg_size, png_size, webp_size

MOST_PHOTO = 5 * 1024 * 1024
"""Largest picture in bytes; Telegram takes photos up to 10 MB (Bot API, sendPhoto)."""
MOST_SIDES = 10_000
"""Most of width and height together, in pixels (Bot API, sendPhoto)."""
MOST_RATIO = 20
"""Most that one side may be of the other (Bot API, sendPhoto)."""


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
    content_type = check_photo(image)
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


def check_photo(image: bytes) -> str:
    """Return the content type of a picture that Telegram takes; raise PhotoRefused otherwise."""
    if len(image) > MOST_PHOTO:
        raise PhotoRefused("the picture is larger than 5 MB")
    content_type, size = _type_and_size(image)
    if size is None or 0 in size:
        raise PhotoRefused("the file is damaged: it does not say how large the picture is")
    width, height = size
    shown = f"this one is {width} × {height} pixels"
    if width + height > MOST_SIDES:
        raise PhotoRefused(
            f"Telegram shows pictures of up to {MOST_SIDES:,} pixels, width and height together;"
            f" {shown}"
        )
    if max(size) > MOST_RATIO * min(size):
        raise PhotoRefused(
            f"Telegram shows no picture more than {MOST_RATIO} times as long as it is wide;"
            f" {shown}"
        )
    return content_type


def _type_and_size(image: bytes) -> tuple[str, Size | None]:
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", png_size(image)
    if image.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", jpeg_size(image)
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp", webp_size(image)
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
