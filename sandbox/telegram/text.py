"""Texts and captions as arguments: parse mode, explicit entities, limits."""

from typing import Any

from sandbox.telegram.entities import Entity, FormattedText, tidy, utf16_length
from sandbox.telegram.errors import bad_request
from sandbox.telegram.html import parse_html
from sandbox.telegram.markdown import parse_markdown, parse_markdown_v2
from sandbox.telegram.models import Chat
from sandbox.telegram.params import Params, as_integer

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

_PARSERS = {"html": parse_html, "markdownv2": parse_markdown_v2, "markdown": parse_markdown}
_ENTITY_TYPES = frozenset(
    [
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
    ]
)


def message_text(params: Params) -> dict[str, Any]:
    """`text` and `entities` of a Message."""
    formatted = _read(params, text="text", entities="entities")
    if not formatted.text:
        raise bad_request("message text is empty")
    if utf16_length(formatted.text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return as_fields(formatted, "text", "entities")


def message_caption(params: Params) -> dict[str, Any]:
    """`caption` and `caption_entities` of a Message; nothing when there is no caption."""
    formatted = _read(params, text="caption", entities="caption_entities")
    if utf16_length(formatted.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return as_fields(formatted, "caption", "caption_entities")


def as_fields(formatted: FormattedText, text: str, entities: str) -> dict[str, Any]:
    fields: dict[str, Any] = {text: formatted.text} if formatted.text else {}
    if formatted.text and formatted.entities:
        fields[entities] = formatted.entities
    return fields


def _read(params: Params, *, text: str, entities: str) -> FormattedText:
    source = params.text(text)
    mode = params.text("parse_mode").lower()
    if mode in {"", "none"}:
        given = params.parsed(entities, what="message entities") or []
        return tidy(FormattedText(source, _explicit(given)))
    parser = _PARSERS.get(mode)
    if parser is None:
        raise bad_request("unsupported parse_mode")
    formatted = parser(source)
    formatted.entities = _with_users(formatted.entities)
    return tidy(formatted)


def _explicit(given: Any) -> list[Entity]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise bad_request("expected an Array of MessageEntity")
    for entity in given:
        if str(entity.get("type")) not in _ENTITY_TYPES:
            raise bad_request("can't parse MessageEntity: unsupported type")
    numbers = [
        {**e, "offset": as_integer(e.get("offset"), -1), "length": as_integer(e.get("length"))}
        for e in given
    ]
    return [e for e in numbers if e["offset"] >= 0 and e["length"] > 0]


def _with_users(entities: list[Entity]) -> list[Entity]:
    """A mention by id names its user; of one nobody knows, plain text is left."""
    resolved = []
    for entity in entities:
        user_id = entity.pop("user_id", None)
        person = Chat.objects.filter(pk=int(user_id[:18])).first() if user_id else None
        if user_id is None:
            resolved.append(entity)
        elif person is not None:
            user = {"id": person.pk, "is_bot": False, "first_name": person.first_name}
            resolved.append({**entity, "user": user})
    return resolved
