"""Uploads, file ids and links: whatever a method accepts as a file."""

import mimetypes
import secrets
from pathlib import Path, PurePosixPath
from typing import Any

import httpx

from sandbox.telegram.errors import bad_request
from sandbox.telegram.images import Picture, read_picture
from sandbox.telegram.models import File
from sandbox.telegram.params import Params

PHOTO_BYTES = 10 * 2**20
UPLOAD_BYTES = 50 * 2**20
DOWNLOAD_BYTES = 20 * 2**20
DEMO_STICKER = "CAACAgUAAxkBAAESandboxWelcomeSticker"  # always there, for TELEGRAM_WELCOME_STICKER

_PREFIXES = {"photo": "AgACAgUAAxkB", "document": "BQACAgUAAxkB", "sticker": "CAACAgUAAxkB"}
_DEMO_STICKER_PICTURE = Path(__file__).parents[1] / "static/sandbox/brand/sticker.svg"


def file_argument(params: Params, name: str, kind: File.Kind) -> File:
    """The file of argument `name`: an upload, `attach://<field>`, a known file_id or a link."""
    if name in params.files:
        upload = params.files[name]
        return store_file(kind, upload.read(), upload.name or "file", upload.content_type or "")
    return resolve_file(params, params.text(name), kind)


def resolve_file(params: Params, source: str, kind: File.Kind) -> File:
    if not source:
        raise bad_request(f"there is no {kind.value} in the request")
    if source.startswith("attach://"):
        field = source.removeprefix("attach://")
        if field not in params.files:
            raise bad_request(f"attached file '{field}' not found")
        return file_argument(params, field, kind)
    if source.startswith(("http://", "https://")):
        return _download(source, kind)
    return known_file(source, kind)


def known_file(file_id: str, kind: File.Kind) -> File:
    if file_id == DEMO_STICKER and kind == File.Kind.STICKER:
        return demo_sticker()
    file = File.objects.defer("content").filter(file_id=file_id[:120]).first()
    if file is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise bad_request("type of file mismatch")
    return file


def demo_sticker() -> File:
    content = _DEMO_STICKER_PICTURE.read_bytes()
    details = {"kind": "sticker", "name": "sticker.svg", "extension": "svg", "size": len(content)}
    details |= {"mime_type": "image/svg+xml", "width": 512, "height": 512, "content": content}
    file, _ = File.objects.get_or_create(file_id=DEMO_STICKER, defaults=details)
    return file


def store_file(kind: File.Kind, content: bytes, name: str, mime_type: str) -> File:
    if not content:
        raise bad_request("file must be non-empty")
    if len(content) > UPLOAD_BYTES:
        raise bad_request("file is too big")
    picture = read_picture(content)
    if kind == File.Kind.PHOTO:
        _check_photo(picture, len(content))
    name = PurePosixPath(name.replace("\\", "/")).name[:255] or "file"
    guessed = mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return File.objects.create(
        file_id=_PREFIXES[kind] + secrets.token_urlsafe(24),
        kind=kind,
        name=name,
        extension=picture.extension if picture else _extension(name),
        mime_type=picture.mime_type if picture else guessed,
        size=len(content),
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        content=content,
    )


def _check_photo(picture: Picture | None, size: int) -> None:
    if picture is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if size > PHOTO_BYTES:
        raise bad_request("file is too big")
    longer, shorter = max(picture.width, picture.height), min(picture.width, picture.height)
    if shorter < 1 or longer > 20 * shorter or longer + shorter > 10_000:
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def _extension(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lstrip(".").lower()
    return suffix if suffix.isascii() and suffix.isalnum() and len(suffix) <= 8 else "bin"


def _download(url: str, kind: File.Kind) -> File:
    try:
        response = httpx.get(url, timeout=10, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise bad_request("failed to get HTTP URL content") from None
    if response.status_code != 200:
        raise bad_request("failed to get HTTP URL content")
    mime_type = response.headers.get("content-type", "").partition(";")[0]
    return store_file(kind, response.content, PurePosixPath(response.url.path).name, mime_type)


def media_fields(file: File) -> dict[str, Any]:
    """The field of a Message that shows this file."""
    common = {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
    }
    if file.kind == File.Kind.PHOTO:
        return {"photo": [{**common, "width": file.width, "height": file.height}]}
    if file.kind == File.Kind.DOCUMENT:
        return {"document": {**common, "file_name": file.name, "mime_type": file.mime_type}}
    shape = {"type": "regular", "is_animated": False, "is_video": False}
    return {
        "sticker": {**common, **shape, "width": file.width or 512, "height": file.height or 512}
    }


def find_by_path(path: str) -> File | None:
    """`photos/file_12.png`, as getFile gave it."""
    number = PurePosixPath(path).stem.removeprefix("file_")
    if not number.isdecimal() or len(number) > 18:
        return None
    file = File.objects.filter(pk=int(number)).first()
    return file if file is not None and file.path == path else None
