"""Every text has its Indonesian form, and the tool that says so sees what it should."""

from pathlib import Path

import pytest

from quickcart import translations

CODE = """
from django.utils.translation import gettext as _, ngettext, pgettext
greeting = _("Hello %(name)s")
count = ngettext("%(n)d item", "%(n)d items", 3) % {"n": 3}
order = pgettext("verb", "Order")
variable = _(greeting)
"""
TEMPLATE = """{% load i18n %}
    {% if x %}
  {% translate "Stock" %} it's "quoted' text
{% blocktranslate trimmed with a=b %}
   Hi <b>{{ a }}</b>,
   welcome
{% endblocktranslate %}{{ _("Closed")|upper }}
 {% endif %}
"""
IDS = [
    "Hello %(name)s",
    ("%(n)d item", "%(n)d items"),
    "Order",
    "Stock",
    "Hi <b>%(a)s</b>, welcome",
    "Closed",
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "texts.py").write_text(CODE)
    (tmp_path / "templates" / "telegram").mkdir(parents=True)
    (tmp_path / "templates" / "telegram" / "page.html").write_text(TEMPLATE)
    return tmp_path


def edit(shop: Path, old: str, new: str) -> None:
    path = translations.catalog_path("id", shop)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_every_text_is_translated(language: str):
    assert translations.problems(language) == []


def test_texts_are_found_in_code_and_templates(shop: Path):
    assert [found.id for found in translations.find_messages(shop)] == IDS


def test_an_update_keeps_translations_and_changes_nothing_the_second_time(shop: Path):
    translations.update_catalog("id", shop)
    edit(shop, 'msgid "Stock"\nmsgstr ""', 'msgid "Stock"\nmsgstr "Stok"')
    before = translations.catalog_path("id", shop).read_text()
    translations.update_catalog("id", shop)
    assert translations.catalog_path("id", shop).read_text() == before


@pytest.mark.parametrize(
    ("translated", "fault"),
    [
        ('msgstr ""', "is not translated"),
        ('msgstr "Halo"', "needs the placeholders %(name)s: 'Halo'"),
        ('msgstr "Halo %(nama)s"', "needs the placeholders %(name)s: 'Halo %(nama)s'"),
    ],
)
def test_a_fault_is_named(shop: Path, translated: str, fault: str):
    translations.update_catalog("id", shop)
    edit(shop, 'msgid "Hello %(name)s"\nmsgstr ""', f'msgid "Hello %(name)s"\n{translated}')
    assert f"id: 'Hello %(name)s' (shop/texts.py) {fault}" in translations.problems("id", shop)


def test_fuzzy_unused_and_missing_texts_are_named(shop: Path):
    translations.update_catalog("id", shop)
    edit(shop, 'msgid "Stock"\nmsgstr ""', 'msgid "Shelf"\nmsgstr "Rak"')
    edit(shop, 'msgid "Closed"\nmsgstr ""', '#, fuzzy\nmsgid "Closed"\nmsgstr "Tutup"')
    said = translations.problems("id", shop)
    assert "id: 'Shelf' is used nowhere" in said
    assert "id: 'Stock' (templates/telegram/page.html) is missing" in said
    assert "id: 'Closed' (templates/telegram/page.html) is marked fuzzy" in said


def test_a_catalog_is_compiled_once_and_again_when_it_changed(shop: Path):
    translations.update_catalog("id", shop)
    source = translations.catalog_path("id", shop)
    target = source.with_suffix(".mo")
    translations.compile_catalogs(shop)
    first = target.stat().st_mtime_ns
    translations.compile_catalogs(shop)
    assert target.stat().st_mtime_ns == first
    edit(shop, 'msgid "Stock"\nmsgstr ""', 'msgid "Stock"\nmsgstr "Stok"')
    translations.compile_catalogs(shop)
    assert b"Stok" in target.read_bytes()
