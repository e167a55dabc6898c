"""Translations without gettext's tools: Babel reads the messages and writes the catalogs.

`script/messages` adds new messages to the catalog, `--check` says what is wrong with it,
`--compile` makes the binary catalog Django reads.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
# The message ids are English, so English needs no catalog.
LANGUAGES = ("id",)
# Indonesian has one form for any number.
NEW_CATALOG = """\
# Indonesian texts. script/messages adds what is new, script/lint says what is missing.
msgid ""
msgstr ""
"Project-Id-Version: QuickCart\\n"
"Report-Msgid-Bugs-To: \\n"
"Last-Translator: QuickCart\\n"
"Language-Team: Indonesian\\n"
"Language: id\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"""
LEFT_OUT = {"tests", "migrations", "bench", "docs", "script", "node_modules", "staticfiles"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")


@dataclass(frozen=True)
class Found:
    """A message in the code: its id (singular and plural, if it has one), context and file."""

    id: str | tuple[str, str]
    context: str | None
    path: str


def find_messages(root: Path = ROOT) -> Iterator[Found]:
    """Yield the messages of all Python files and templates, file by file."""
    for path in sorted(_sources(root)):
        text = path.read_text()
        if path.suffix != ".py":
            # Only the calls matter; what is left of the layout would look like bad indentation.
            text = "\n".join(line.lstrip() for line in templatize(text).splitlines()) + "\n"
        name = str(path.relative_to(root))
        options = {"encoding": "utf-8"}
        for _, ids, _, context in extract(
            "python", BytesIO(text.encode()), KEYWORDS, options=options
        ):
            message_id = ids if isinstance(ids, str) else (ids[0], ids[1])
            yield Found(message_id, context, name)


def _sources(root: Path) -> Iterator[Path]:
    for folder in root.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in LEFT_OUT:
            pattern = "*" if folder.name == "templates" else "*.py"
            files = (path for path in folder.rglob(pattern) if path.is_file())
            yield from (path for path in files if not LEFT_OUT & set(path.parts))


def catalog_path(language: str, root: Path = ROOT) -> Path:
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def read_catalog(language: str, root: Path = ROOT) -> Catalog:
    path = catalog_path(language, root)
    if not path.exists():
        return read_po(BytesIO(NEW_CATALOG.encode()), locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update_catalog(language: str, root: Path = ROOT) -> None:
    """Add what is new, drop what is gone, keep every translation."""
    catalog = read_catalog(language, root)
    template = Catalog(creation_date=catalog.creation_date)
    for found in find_messages(root):
        template.add(found.id, context=found.context, locations=[(found.path, 0)])
    catalog.update(template)
    path = catalog_path(language, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=98, ignore_obsolete=True, include_lineno=False)


def problems(language: str, root: Path = ROOT) -> list[str]:
    """Return one line for everything a reader of this language would notice."""
    catalog = read_catalog(language, root)
    used = {(found.id, found.context): found for found in find_messages(root)}
    said = []
    for (message_id, context), found in used.items():
        message = catalog.get(_singular(message_id), context)
        fault = _fault(message, message_id, catalog.num_plurals) if message else "is missing"
        if fault:
            said.append(f"{language}: {_singular(message_id)!r} ({found.path}) {fault}")
    known = {(_singular(message_id), context) for message_id, context in used}
    unused = (
        message
        for message in catalog
        if message.id and (_singular(message.id), message.context) not in known
    )
    said += [f"{language}: {_singular(message.id)!r} is used nowhere" for message in unused]
    return said


def _fault(message: Message, message_id: str | tuple[str, str], forms: int) -> str:
    ids = message_id if isinstance(message_id, tuple) else (message_id,)
    if len(ids) > 1 and message.id != message_id:
        return "has another plural"
    given = message.string
    texts = [text for text in ([given] if isinstance(given, str) else given or ()) if text]
    if len(texts) < (forms if len(ids) > 1 else 1):
        return "is not translated"
    if message.fuzzy:
        return "is marked fuzzy"
    expected = _placeholders(ids[-1])
    for text in texts:
        if _placeholders(text) != expected:
            return f"needs the placeholders {', '.join(sorted(expected)) or '(none)'}: {text!r}"
    return ""


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text.replace("%%", "")))


def _singular(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def compile_catalogs(root: Path = ROOT) -> None:
    """Write the binary catalogs that are older than their sources."""
    for language in LANGUAGES:
        source = catalog_path(language, root)
        target = source.with_suffix(".mo")
        if not source.exists():
            continue
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        new = target.with_suffix(f".{os.getpid()}.tmp")  # another process may do the same
        with new.open("wb") as file:
            write_mo(file, read_catalog(language, root))
        new.replace(target)


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/messages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if anything is untranslated")
    parser.add_argument("--compile", action="store_true", help="only write the binary catalogs")
    options = parser.parse_args()
    if options.check:
        said = [line for language in LANGUAGES for line in problems(language)]
        sys.exit("\n".join(said) or 0)
    if not options.compile:
        for language in LANGUAGES:
            update_catalog(language)
    compile_catalogs()


if __name__ == "__main__":
    main()
