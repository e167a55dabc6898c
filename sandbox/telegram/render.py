"""Formatted text as HTML that a page may insert: everything escaped, only known tags."""

from html import escape
from typing import Any

from sandbox.telegram.entities import Entity, end_of, in_order

_TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "blockquote": "blockquote",
}
_SAFE_SCHEMES = ("http://", "https://", "tg://", "mailto:")


def message_html(body: dict[str, Any]) -> str:
    text = body.get("text", body.get("caption", ""))
    return render_html(text, body.get("entities", body.get("caption_entities", [])))


def render_html(text: str, entities: list[Entity]) -> str:
    """Overlaps are cut so that tags nest. Newlines stay: the page shows them (`pre-wrap`)."""
    units = text.encode("utf-16-le")
    parts: list[str] = []
    open_entities: list[tuple[int, str]] = []
    position = 0

    def advance(to: int) -> None:
        nonlocal position
        raw = units[position * 2 : to * 2].decode("utf-16-le", errors="replace")
        parts.append(escape(raw))
        position = max(position, to)

    def close_until(offset: int) -> None:
        while open_entities and open_entities[-1][0] <= offset:
            end, tag = open_entities.pop()
            advance(end)
            parts.append(tag)

    for entity in in_order(entities):
        close_until(entity["offset"])
        advance(entity["offset"])
        limit = open_entities[-1][0] if open_entities else len(units) // 2
        end = min(end_of(entity), limit)
        if end > position or entity["offset"] == position < end:
            inner = units[position * 2 : end * 2].decode("utf-16-le", errors="replace")
            opening, closing = _tags(entity, inner)
            parts.append(opening)
            open_entities.append((end, closing))
    close_until(len(units) // 2)
    advance(len(units) // 2)
    return "".join(parts)


def _tags(entity: Entity, inner: str) -> tuple[str, str]:
    kind = entity["type"]
    if kind in _TAGS:
        return f"<{_TAGS[kind]}>", f"</{_TAGS[kind]}>"
    if kind == "pre":
        return _pre(entity.get("language", ""))
    if kind == "expandable_blockquote":
        return '<blockquote class="expandable">', "</blockquote>"
    url = _address(entity, inner)
    if url.lower().startswith(_SAFE_SCHEMES):
        return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">', "</a>"
    return f'<span class="{escape(kind.replace("_", "-"))}">', "</span>"


def _pre(language: str) -> tuple[str, str]:
    if not language:
        return "<pre>", "</pre>"
    return f'<pre><code class="language-{escape(language)}">', "</code></pre>"


def _address(entity: Entity, inner: str) -> str:
    if entity["type"] == "text_link":
        return str(entity.get("url", ""))
    if entity["type"] == "url":
        return inner if "://" in inner else f"https://{inner}"
    return f"mailto:{inner}" if entity["type"] == "email" else ""
