"""Arguments of a method: query string, form, multipart or JSON, all read alike."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from sandbox.telegram.errors import bad_request

BIGGEST_ID = 2**52


@dataclass(frozen=True)
class Params:
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, "UploadedFile[Any]"] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if isinstance(value, str):
            return value
        return "" if value is None else json.dumps(value, ensure_ascii=False)

    def integer(self, name: str, default: int = 0) -> int:
        """What is no number counts as the default, as in the original."""
        return as_integer(self.values.get(name), default)

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in {"true", "yes", "1"}

    def parsed(self, name: str, *, what: str) -> Any:
        """A JSON-serialized argument, sent as text or as JSON itself; None when left out."""
        value = self.values.get(name)
        if value in (None, ""):
            return None
        if not isinstance(value, str):
            return value
        try:
            return clean(_loads(value))
        except (ValueError, RecursionError):
            raise bad_request(f"can't parse {what} JSON object") from None


def as_integer(value: Any, default: int = 0) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if abs(number) <= BIGGEST_ID else default


def read_params(request: HttpRequest) -> Params:
    values: dict[str, Any] = {name: clean(value) for name, value in request.GET.items()}
    if request.content_type == "application/json" and request.body:
        values.update(_json_object(request.body))
        return Params(values)
    values.update({name: clean(value) for name, value in request.POST.items()})
    files = {name: file for name, file in request.FILES.items() if isinstance(file, UploadedFile)}
    return Params(values, files)


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        value = clean(_loads(raw))
    except (ValueError, RecursionError):
        raise bad_request("can't parse JSON object") from None
    if not isinstance(value, dict):
        raise bad_request("object expected as JSON body")
    return value


def _loads(source: str | bytes) -> Any:
    return json.loads(source, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def clean(value: Any) -> Any:
    """Control characters become spaces, as in the original; lone surrogates are refused."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean_text(key): clean(item) for key, item in value.items()}
    return value


_CONTROLS = {number: " " for number in range(32) if number not in {9, 10, 13}} | {13: None}


def _clean_text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    return value if value.isprintable() else value.translate(_CONTROLS)
