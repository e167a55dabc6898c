"""`parse_mode=HTML`, as strict as the original and with its words.

Source: the tags of "HTML style" on the Bot API page; byte offsets count UTF-8 bytes of the source.
"""

import re
from dataclasses import dataclass

from sandbox.telegram.entities import Entity, FormattedText, make_entity, utf16_length
from sandbox.telegram.errors import ApiError, bad_request

_SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
}
_TAGS = frozenset({*_SIMPLE, "a", "pre", "blockquote", "tg-emoji"})
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]+));?")
_ATTRIBUTE = re.compile(r"[^\s=>/\"']*")
_TOKEN = re.compile(r"[A-Za-z0-9.-]*")


@dataclass
class _OpenTag:
    name: str
    argument: str
    offset: int
    text_position: int
    language: str = ""


def parse_html(source: str) -> FormattedText:
    return _Parser(source).parse()


def decode_references(text: str) -> str:
    """The four named references and numeric ones; any other `&` stands for itself."""
    return _REFERENCE.sub(_decoded, text) if "&" in text else text


def _decoded(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name is not None:
        return _NAMED.get(name, match.group())
    code = int(decimal) if decimal else int(hexadecimal, 16)
    is_character = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_character else match.group()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.text = ""
        self.offset = 0
        self.open_tags: list[_OpenTag] = []
        self.entities: list[Entity] = []

    def parse(self) -> FormattedText:
        while self.position < len(self.source):
            begin = self.source.find("<", self.position)
            self._append(self.source[self.position : begin if begin >= 0 else None])
            if begin < 0:
                break
            self.position = begin + 1
            if self.source.startswith("/", self.position):
                self._end_tag(begin)
            else:
                self._start_tag(begin)
        if self.open_tags:
            name = self.open_tags[-1].name
            raise _refusal(f'Can\'t find end tag corresponding to start tag "{name}"')
        return FormattedText(self.text, self.entities)

    def _append(self, raw: str) -> None:
        decoded = decode_references(raw)
        self.text += decoded
        self.offset += utf16_length(decoded)

    def _refuse(self, what: str, position: int) -> ApiError:
        return _refusal(f"{what} at byte offset {len(self.source[:position].encode())}")

    def _peek(self) -> str:
        return self.source[self.position : self.position + 1]

    def _skip_spaces(self) -> None:
        while self._peek().isspace():
            self.position += 1

    def _read_name(self) -> str:
        start = self.position
        while self._peek() and self._peek() != ">" and not self._peek().isspace():
            self.position += 1
        return self.source[start : self.position].lower()

    def _start_tag(self, begin: int) -> None:
        name = self._read_name()
        if not self._peek():
            raise self._refuse("Unclosed start tag", begin)
        if name not in _TAGS:
            raise self._refuse(f'Unsupported start tag "{name}"', begin)
        argument = self._read_attributes(name, begin)
        if name == "span" and argument != "spoiler":
            raise self._refuse('Tag "span" must have class "tg-spoiler"', begin)
        self.open_tags.append(_OpenTag(name, argument, self.offset, len(self.text)))

    def _read_attributes(self, tag: str, begin: int) -> str:
        argument = ""
        while True:
            self._skip_spaces()
            if self._peek() == ">":
                self.position += 1
                return argument
            name = self._match(_ATTRIBUTE).lower()
            if not name and self._peek():
                raise self._refuse(f'Empty attribute name in the tag "{tag}"', begin)
            value = self._read_value(tag, begin)
            argument = _argument(tag, name, value) or argument

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.source, self.position)
        text = found.group() if found else ""
        self.position += len(text)
        return text

    def _read_value(self, tag: str, begin: int) -> str | None:
        """None for an attribute that stands alone, such as `expandable`."""
        self._skip_spaces()
        if self._peek() != "=":
            if self._peek():
                return None
            raise self._refuse(f'Unclosed start tag "{tag}"', begin)
        self.position += 1
        self._skip_spaces()
        quote = self._peek()
        value = self._quoted(quote) if quote in {'"', "'"} else self._token()
        if not self._peek():
            raise self._refuse("Unclosed start tag", begin)
        return value

    def _quoted(self, quote: str) -> str:
        end = self.source.find(quote, self.position + 1)
        value = self.source[self.position + 1 : end if end >= 0 else None]
        self.position = end + 1 if end >= 0 else len(self.source)
        return decode_references(value)

    def _token(self) -> str:
        value = self._match(_TOKEN).lower()
        if self._peek() and self._peek() != ">" and not self._peek().isspace():
            raise self._refuse("Unexpected end of name token", self.position)
        return value

    def _end_tag(self, begin: int) -> None:
        if not self.open_tags:
            raise self._refuse("Unexpected end tag", begin)
        self.position += 1
        name = self._read_name()
        self._skip_spaces()
        if self._peek() != ">":
            raise self._refuse("Unclosed end tag", begin)
        self.position += 1
        tag = self.open_tags.pop()
        if name not in {"", tag.name}:
            what = f"Unmatched end tag at byte offset {len(self.source[:begin].encode())}"
            raise _refusal(f'{what}, expected "</{tag.name}>", found "</{name}>"')
        if self.offset > tag.offset:
            self._close(tag)

    def _close(self, tag: _OpenTag) -> None:
        length = self.offset - tag.offset
        if tag.name == "code" and self._is_language_of_pre(tag):
            self.open_tags[-1].language = tag.argument
            return
        entity = _entity(tag, length, inner_text=self.text[tag.text_position :])
        if entity is not None:
            self.entities.append(entity)

    def _is_language_of_pre(self, tag: _OpenTag) -> bool:
        parent = self.open_tags[-1] if self.open_tags else None
        return parent is not None and parent.name == "pre" and parent.offset == tag.offset


def _argument(tag: str, name: str, value: str | None) -> str:
    """What the entity needs to know from an attribute; others are ignored."""
    if tag == "blockquote" and name == "expandable":
        return "expandable"
    wanted = {("a", "href"): "", ("tg-emoji", "emoji-id"): ""}
    wanted |= {("code", "class"): "language-", ("span", "class"): "tg-"}
    prefix = wanted.get((tag, name))
    if value is None or prefix is None or not value.startswith(prefix):
        return ""
    return value.removeprefix(prefix)


def _entity(tag: _OpenTag, length: int, *, inner_text: str) -> Entity | None:
    if tag.name == "a":
        return link_entity(tag.argument or inner_text, tag.offset, length)
    if tag.name == "pre":
        extra = {"language": tag.language} if tag.language else {}
        return make_entity("pre", tag.offset, length, **extra)
    if tag.name == "blockquote":
        kind = "expandable_blockquote" if tag.argument else "blockquote"
        return make_entity(kind, tag.offset, length)
    if tag.name == "tg-emoji":
        return custom_emoji_entity(tag.argument, tag.offset, length)
    return make_entity(_SIMPLE[tag.name], tag.offset, length)


_LINK = re.compile(r"(?:(?:https?|tg|ton|tonsite)://)?[^\s/?#]+\.?[^\s]*", re.IGNORECASE)


def link_entity(url: str, offset: int, length: int) -> Entity | None:
    """None when it is no link: the original shows plain text then."""
    url = url.strip()
    user = re.fullmatch(r"tg://user\?id=(\d+)", url)
    if user is not None:
        return make_entity("text_mention", offset, length, user_id=user.group(1))
    has_scheme = re.match(r"(?:https?|tg|ton|tonsite)://", url, re.IGNORECASE)
    if not _LINK.fullmatch(url) or (":" in url.split("/")[0] and not has_scheme):
        return None
    if not has_scheme and "." not in url.split("/")[0]:
        return None
    if not has_scheme:
        url = f"http://{url}" if "/" in url else f"http://{url}/"
    return make_entity("text_link", offset, length, url=url)


def custom_emoji_entity(emoji_id: str, offset: int, length: int) -> Entity:
    if not emoji_id.isdecimal():
        raise _refusal("Invalid custom emoji identifier specified")
    return make_entity("custom_emoji", offset, length, custom_emoji_id=emoji_id)


def _refusal(what: str) -> ApiError:
    return bad_request(f"can't parse entities: {what}")
