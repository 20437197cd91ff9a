import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from jinja2 import Environment

from idp.pages import words
from idp.pages.rendering import CATALOGUES, LANGUAGES, LOCALES, TEMPLATES, Locale

SOURCES = sorted(TEMPLATES.rglob("*.html"))
Text = str | tuple[str, ...]


def texts_in_use() -> set[Text]:
    options = {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
    found = {
        text
        for path in SOURCES
        for _, text, *_ in extract_from_file("jinja2.ext:babel_extract", path, options=options)
    }
    return found | {
        text
        for path in Path(words.__file__).parent.glob("*words.py")
        for _, text, *_ in extract_from_file("python", path, {"msgid": None})
    }


def catalogue(locale: str) -> Catalog:
    with (CATALOGUES / locale / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(source, locale=locale, abort_invalid=True)


def forms(text: Text) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text,)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_in_the_catalogue_and_nothing_else(locale: Locale) -> None:
    entries = catalogue(locale)
    known = {entry.id for entry in entries if entry.id}
    assert known == texts_in_use()
    assert not entries.obsolete
    assert not any(entry.fuzzy for entry in entries if entry.id)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_with_the_same_variables(locale: Locale) -> None:
    for entry in catalogue(locale):
        if entry.id:
            wanted = set(re.findall(r"%\(\w+\)s|</?\w+>", forms(entry.id)[-1]))
            for said in forms(entry.string):
                assert said.strip(), entry.id
                missing = wanted - set(re.findall(r"%\(\w+\)s|</?\w+>", said))
                assert missing <= ({"%(count)s"} if said == entry.string[0] else set()), entry.id


def test_vietnamese_is_vietnamese() -> None:
    same = {entry.id for entry in catalogue("vi") if entry.id and entry.id == entry.string}
    assert same == set()


def test_english_says_what_the_templates_say() -> None:
    assert all(entry.string == entry.id for entry in catalogue("en") if entry.id)


def test_no_state_body_is_named() -> None:
    said = " ".join(text for entry in catalogue("vi") if entry.id for text in forms(entry.string))
    assert not re.search(r"VNeID|Bộ Công an|công an|nhà nước", said, re.IGNORECASE)


def test_every_catalogue_is_a_language_of_the_pages() -> None:
    assert {path.name for path in CATALOGUES.iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_no_words_stand_outside_a_translated_text(path: Path) -> None:
    outside, is_in_trans, is_tag_start = "", False, False
    for _, kind, value in Environment(extensions=["jinja2.ext.i18n"]).lex(path.read_text()):
        if kind == "block_begin":
            is_tag_start = True
        elif is_tag_start and kind == "name":
            is_in_trans = value == "trans" or (is_in_trans and value == "pluralize")
            is_tag_start = False
        elif kind == "data" and not is_in_trans:
            outside += value
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', outside)
    spoken.append(re.sub(r"<[^>]*>", "", outside))
    assert not [word for text in spoken for word in re.findall(r"[^\W\d_]+", text)]
