"""Reads settings from the environment and says everything that is wrong with them at once."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


class Environment:
    """Typed access to environment variables that collects errors instead of stopping at one.

    An empty variable counts as unset, so a line `NAME=` in `.env` means "the default".
    """

    def __init__(self, env_file: Path) -> None:
        self._env = environ.Env()
        self.errors: list[str] = []
        if env_file.exists():
            self._env.read_env(env_file)

    def text(self, name: str, default: str = "") -> str:
        # Not env.str(): it would take a secret that starts with `$` for the name of a variable.
        return self._env.ENVIRON.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name).lower()
        if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
            return value in {"1", "true", "yes", "on"} if value else default
        self.errors.append(f"{name} must be true or false, not {value!r}.")
        return default

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 2**63 - 1) -> int:
        return self._parse(
            name,
            default,
            lambda text: _whole_number(text, least, most),
            f"a whole number from {least} to {most}",
        )

    def texts(self, name: str, default: list[str] | None = None) -> list[str]:
        found = [part.strip() for part in self.text(name).split(",") if part.strip()]
        return found or list(default or [])

    def whole_numbers(self, name: str) -> list[int]:
        return self._parse(
            name,
            [],
            lambda text: [int(part) for part in text.split(",") if part.strip()],
            "whole numbers separated by commas",
        )

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value in choices:
            return value
        self.errors.append(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        return default

    def url(self, name: str, default: str, *, schemes: tuple[str, ...] = ("http", "https")) -> str:
        value = self.text(name, default).rstrip("/")
        if value and not _is_url(value, schemes):
            self.errors.append(f"{name} must be a URL starting with {' or '.join(schemes)}://.")
            return default
        return value

    def time_zone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.errors.append(f"{name} must be a time zone such as Asia/Jakarta, not {value!r}.")
            return default
        return value

    def fernet_keys(self, name: str, default: list[str]) -> list[str]:
        keys = self.texts(name, default)
        if all(_is_fernet_key(key) for key in keys):
            return keys
        self.errors.append(
            f"{name} must hold Fernet keys separated by commas (32 bytes, url-safe base64)."
        )
        return default

    def require(self, satisfied: object, sentence: str) -> None:
        if not satisfied:
            self.errors.append(sentence)

    def finish(self) -> None:
        """Raise ImproperlyConfigured with one line per error, if there was any."""
        if self.errors:
            raise ImproperlyConfigured("\n".join(f"- {error}" for error in self.errors))

    def _parse(self, name: str, default: T, parse: Callable[[str], T], wanted: str) -> T:
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError:
            self.errors.append(f"{name} must be {wanted}, not {value!r}.")
            return default


def _whole_number(text: str, least: int, most: int) -> int:
    number = int(text)
    if not least <= number <= most:
        raise ValueError(text)
    return number


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.netloc) and (parts.port or 1) > 0
    except ValueError:
        return False


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
