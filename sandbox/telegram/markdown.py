"""`parse_mode=MarkdownV2` and the legacy `Markdown`, with the original's refusals."""

import re
from dataclasses import dataclass

from sandbox.telegram.entities import Entity, FormattedText, make_entity, utf16_length
from sandbox.telegram.errors import ApiError, bad_request
from sandbox.telegram.html import custom_emoji_entity, link_entity

_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_MARKS = {
    "*": "bold",
    "_": "italic",
    "__": "underline",
    "~": "strikethrough",
    "||": "spoiler",
    "`": "code",
    "```": "pre",
    "[": "text_link",
    "![": "custom_emoji",
}
_NAMES = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
}
_LANGUAGE = re.compile(r"([^\s`]+)\n|\n")


@dataclass
class _Open:
    kind: str
    offset: int
    byte_offset: int


def parse_markdown_v2(source: str) -> FormattedText:
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.text = ""
        self.open: list[_Open] = []
        self.languages: list[str] = []
        self.entities: list[Entity] = []
        self.quote: _Open | None = None

    def parse(self) -> FormattedText:
        while self.position < len(self.source):
            self._step()
        if self.open:
            raise self._unclosed(self.open[-1])
        self._end_quote()
        return FormattedText(self.text, self.entities)

    def _step(self) -> None:
        character = self.source[self.position]
        is_in_code = bool(self.open) and self.open[-1].kind in {"code", "pre"}
        if character == "\\" and self._next_is_escapable():
            self._take(self.source[self.position + 1], width=2)
        elif is_in_code:
            self._step_in_code(character)
        elif character == ">" and (not self.text or self.text.endswith("\n")):
            self._start_quote()
        elif character not in _RESERVED:
            self._plain(character)
        else:
            self._mark()

    def _plain(self, character: str) -> None:
        self._take(character)
        if character == "\n" and not self.source.startswith(">", self.position):
            self._end_quote()

    def _next_is_escapable(self) -> bool:
        following = self.source[self.position + 1 : self.position + 2]
        return bool(following) and 0 < ord(following) <= 126 and not following.isspace()

    def _take(self, character: str, *, width: int = 1) -> None:
        self.text += character
        self.position += width

    def _step_in_code(self, character: str) -> None:
        mark = "`" if self.open[-1].kind == "code" else "```"
        if self.source.startswith(mark, self.position):
            self.position += len(mark)
            self._close()
        else:
            self._take(character)

    def _start_quote(self) -> None:
        if self.quote is None:
            self.quote = self._opening("blockquote")
        self.position += 1

    def _end_quote(self) -> None:
        if self.quote is None:
            return
        quoted = self.text.rstrip("\n")
        length = utf16_length(quoted) - self.quote.offset
        if length > 0:
            self.entities.append(make_entity("blockquote", self.quote.offset, length))
        self.quote = None

    def _mark(self) -> None:
        rest = self.source[self.position : self.position + 3]
        if self.open and rest[0] == "]" and self.open[-1].kind in {"text_link", "custom_emoji"}:
            self.position += 1
            self._close()
            return
        mark = next((m for m in ("```", "||", "__", "![", *_MARKS) if rest.startswith(m)), None)
        if mark is None:
            raise _refusal(
                f"Character '{rest[0]}' is reserved and must be escaped with the preceding '\\'"
            )
        kind = _MARKS[mark]
        opening = self._opening(kind)
        self.position += len(mark)
        if self.open and self.open[-1].kind == kind:
            self._close()
            return
        self.open.append(opening)
        if kind == "pre":
            self.languages.append(self._language())

    def _opening(self, kind: str) -> _Open:
        return _Open(kind, utf16_length(self.text), len(self.source[: self.position].encode()))

    def _language(self) -> str:
        found = _LANGUAGE.match(self.source, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found.group(1) or ""

    def _close(self) -> None:
        opened = self.open.pop()
        length = utf16_length(self.text) - opened.offset
        entity = self._entity(opened, length)
        if entity is not None and length > 0:
            self.entities.append(entity)

    def _entity(self, opened: _Open, length: int) -> Entity | None:
        if opened.kind == "pre":
            language = self.languages.pop()
            extra = {"language": language} if language else {}
            return make_entity("pre", opened.offset, length, **extra)
        if opened.kind not in {"text_link", "custom_emoji"}:
            return make_entity(opened.kind, opened.offset, length)
        url = self._url()
        if opened.kind == "text_link":
            inner = self.text.encode("utf-16-le")[opened.offset * 2 :].decode("utf-16-le")
            return link_entity(url or inner, opened.offset, length)
        return custom_emoji_entity(url.removeprefix("tg://emoji?id="), opened.offset, length)

    def _url(self) -> str:
        if not self.source.startswith("(", self.position):
            return ""
        found = re.compile(r"\(((?:\\.|[^)\\])*)\)").match(self.source, self.position)
        if found is None:
            start = len(self.source[: self.position].encode())
            raise _refusal(f"Can't find end of a URL at byte offset {start}")
        self.position = found.end()
        return re.sub(r"\\(.)", r"\1", found.group(1))

    def _unclosed(self, opened: _Open) -> ApiError:
        name = _NAMES[opened.kind]
        return _refusal(f"Can't find end of {name} entity at byte offset {opened.byte_offset}")


_LEGACY = re.compile(
    r"\\(?P<escaped>[_*`\[])"
    r"|```(?:(?P<language>[^\s`]+)?\n)?(?P<pre>.*?)```"
    r"|`(?P<code>[^`]*)`"
    r"|\*(?P<bold>[^*]*)\*"
    r"|_(?P<italic>[^_]*)_"
    r"|\[(?P<label>[^\]]*)\]\((?P<url>[^)]*)\)"
    r"|\[(?P<bare>[^\]]*)\]"
    r"|(?P<broken>[_*`\[])",
    re.DOTALL,
)


def parse_markdown(source: str) -> FormattedText:
    text, entities, position = "", list[Entity](), 0
    for match in _LEGACY.finditer(source):
        text += source[position : match.start()]
        position = match.end()
        if match["broken"]:
            start = len(source[: match.start()].encode())
            raise _refusal(f"Can't find end of the entity starting at byte offset {start}")
        inner = next((part for part in _legacy_inner(match) if part is not None), "")
        entity = _legacy_entity(match, utf16_length(text), utf16_length(inner))
        if entity is not None and inner:
            entities.append(entity)
        text += inner
    return FormattedText(text + source[position:], entities)


def _legacy_inner(match: re.Match[str]) -> list[str | None]:
    return [match[n] for n in ("escaped", "pre", "code", "bold", "italic", "label", "bare")]


def _legacy_entity(match: re.Match[str], offset: int, length: int) -> Entity | None:
    if match["url"] is not None:
        return link_entity(match["url"], offset, length)
    if match["pre"] is not None and match["language"]:
        return make_entity("pre", offset, length, language=match["language"])
    kind = next((k for k in ("pre", "code", "bold", "italic") if match[k] is not None), None)
    return make_entity(kind, offset, length) if kind else None


def _refusal(what: str) -> ApiError:
    return bad_request(f"can't parse entities: {what}")
