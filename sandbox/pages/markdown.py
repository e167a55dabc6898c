"""Markdown as HTML for these pages: no raw HTML, links between files lead to their pages."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_READER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@dataclass(frozen=True)
class Page:
    html: SafeString
    title: str


def read_markdown(source: str, *, folder: str = ".") -> Page:
    """`folder`: where the file lies below the repository, for its relative links."""
    tokens = _READER.parse(source)
    for token in _flat(tokens):
        _lead_to_pages(token, folder)
    _name_headings(tokens)
    html = _READER.renderer.render(tokens, _READER.options, {})
    # Safe: raw HTML is off, so every tag in it is the renderer's own.
    title = next((words for _, words in _headings(tokens)), "")
    return Page(mark_safe(html), title)  # noqa: S308


def _flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _lead_to_pages(token: Token, folder: str) -> None:
    for name in ("href", "src"):
        address = token.attrs.get(name)
        if isinstance(address, str):
            token.attrs[name] = _address(address, folder)
            if not token.attrs[name]:
                del token.attrs[name]  # its words stay
    if str(token.attrs.get("href", "")).startswith(("http:", "https:")):
        token.attrs |= {"target": "_blank", "rel": "noopener noreferrer"}


def _address(address: str, folder: str) -> str:
    """Where a link of a file in `folder` leads; empty where no page shows that file."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return address
    path = PurePosixPath(posixpath.normpath(posixpath.join(folder, parts.path)))
    page = _page_of(path)
    return f"{page}#{parts.fragment}" if page and parts.fragment else page


def _page_of(path: PurePosixPath) -> str:
    if path == PurePosixPath("README.md"):
        return reverse("sandbox-docs")
    if path == PurePosixPath("README.id.md"):
        return reverse("sandbox-doc", kwargs={"name": "readme-id"})
    if path.parent == PurePosixPath("docs") and re.fullmatch(r"[\w-]+\.md", path.name):
        return reverse("sandbox-doc", kwargs={"name": path.stem})
    if path.parent == PurePosixPath("docs/pictures"):
        return reverse("sandbox-doc-picture", kwargs={"name": path.name})
    return ""


def _headings(tokens: list[Token]) -> Iterator[tuple[Token, str]]:
    """Yield each heading's opening tag and its words."""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            yield opening, "".join(child.content for child in inline.children or ())


def _name_headings(tokens: list[Token]) -> None:
    """Give headings the anchors that GitHub gives them, so that links with `#` arrive."""
    seen: Counter[str] = Counter()
    for opening, words in _headings(tokens):
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        opening.attrs["id"] = f"{name}-{seen[name]}" if seen[name] else name
        seen[name] += 1
