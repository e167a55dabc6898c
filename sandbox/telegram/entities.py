"""Message entities: offsets and lengths count UTF-16 code units, as everywhere in Telegram."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]

CODE_TYPES = frozenset({"code", "pre"})
QUOTE_TYPES = frozenset({"blockquote", "expandable_blockquote"})
STYLE_TYPES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})
# At equal ranges the outer one comes first; what is not named stands in the middle.
_RANKS = {"blockquote": 0, "expandable_blockquote": 0, "pre": 11, "code": 20, "text_link": 49}
_RANKS |= {"text_mention": 49, "bold": 90, "italic": 91, "underline": 92, "strikethrough": 93}
_RANKS |= {"spoiler": 94, "custom_emoji": 99}


@dataclass
class FormattedText:
    text: str
    entities: list[Entity] = field(default_factory=list)


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def make_entity(kind: str, offset: int, length: int, **extra: str) -> Entity:
    return {"type": kind, "offset": offset, "length": length, **extra}


def end_of(entity: Entity) -> int:
    return int(entity["offset"]) + int(entity["length"])


def tidy(formatted: FormattedText) -> FormattedText:
    """Trim the text, put the entities in order, drop what may not nest, add the automatic ones."""
    stripped = formatted.text.rstrip()
    text = stripped.lstrip()
    shift = utf16_length(stripped) - utf16_length(text)
    entities = _without_forbidden_nesting(
        _moved(formatted.entities, shift=shift, length=utf16_length(text))
    )
    return FormattedText(text, in_order([*entities, *find_automatic(text, entities)]))


def in_order(entities: Iterable[Entity]) -> list[Entity]:
    def key(entity: Entity) -> tuple[int, int, int]:
        return entity["offset"], -entity["length"], _RANKS.get(entity["type"], 50)

    return sorted(entities, key=key)


def _moved(entities: Iterable[Entity], *, shift: int, length: int) -> list[Entity]:
    moved = []
    for entity in entities:
        start = max(0, entity["offset"] - shift)
        end = min(length, end_of(entity) - shift)
        if end > start:
            moved.append({**entity, "offset": start, "length": end - start})
    return moved


def _without_forbidden_nesting(entities: list[Entity]) -> list[Entity]:
    """Quotes do not nest, nor do links and code; styles are cut out of code."""
    ordered = in_order(entities)
    quotes = _without_overlap(e for e in ordered if e["type"] in QUOTE_TYPES)
    solid = _without_overlap(e for e in ordered if e["type"] not in QUOTE_TYPES | STYLE_TYPES)
    code = [e for e in solid if e["type"] in CODE_TYPES]
    styles = [e for e in ordered if e["type"] in STYLE_TYPES]
    return [*quotes, *solid, *(part for style in styles for part in _cut_out(style, code))]


def _without_overlap(ordered: Iterable[Entity]) -> list[Entity]:
    kept: list[Entity] = []
    for entity in ordered:
        if not kept or entity["offset"] >= end_of(kept[-1]):
            kept.append(entity)
    return kept


def _cut_out(style: Entity, holes: list[Entity]) -> list[Entity]:
    parts, start = [], style["offset"]
    for hole in holes:
        if hole["offset"] < end_of(style) and end_of(hole) > start:
            parts.append((start, hole["offset"]))
            start = end_of(hole)
    parts.append((start, end_of(style)))
    return [{**style, "offset": s, "length": e - s} for s, e in parts if e > s]


_AUTOMATIC = re.compile(
    r"(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+\.[A-Za-z]{2,}(?:\.[A-Za-z]{2,})*)"
    r"|(?P<url>(?<![\w@.])(?:https?://[^\s<>\"]*[^\s<>\".,:;!?)]|t\.me/[\w/?=+-]+))"
    r"|(?P<mention>(?<![\w@/])@[A-Za-z]\w{2,31}\b)"
    r"|(?P<hashtag>(?<![\w#/])\#(?=\w*[^\W\d])\w{1,256})"
    r"|(?P<bot_command>(?<![\w/<>.])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/]))",
    re.ASCII,
)


def find_automatic(text: str, entities: list[Entity]) -> list[Entity]:
    """Links, mentions, hashtags and commands that Telegram finds by itself."""
    taken = [e for e in entities if e["type"] in CODE_TYPES | {"text_link", "text_mention"}]
    found = []
    for match in _AUTOMATIC.finditer(text):
        offset = utf16_length(text[: match.start()])
        length = utf16_length(match.group())
        if all(offset >= end_of(e) or offset + length <= e["offset"] for e in taken):
            found.append(make_entity(match.lastgroup or "url", offset, length))
    return found
