"""Rendering: a view model and a language in, the page's bytes out. Templates and catalogues are read once.

Every value is escaped, and what a platform supplied is isolated with <bdi>, so that neither markup nor
writing direction of a name can change what the citizen reads around it (abuse cases 20, P11).
Pages carry no inline script, and one inline style that the policy knows by its hash.
No page asks a third party for anything: a network's logo comes from our own address, or a monogram stands in
(decision 18).
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from idp.identity.assurance import ACR_VALUES
from idp.pages.correction_words import correction_filters
from idp.pages.export_words import export_filters
from idp.pages.list_words import list_filters
from idp.pages.notice_words import notice_filters
from idp.pages.start_words import start_filters
from idp.pages.views import Page
from idp.pages.words import Words
from idp.web.qr_codes import qr_code
from idp.web.stylesheet import STYLESHEET

Locale = Literal["vi", "en"]

LANGUAGES: Mapping[Locale, str] = {"vi": "Tiếng Việt", "en": "English"}
"""The languages of the pages, the default first (R23), each by its own name."""

LOCALES = tuple(LANGUAGES)

_PACKAGE = Path(__file__).resolve().parent.parent
TEMPLATES = _PACKAGE / "templates"
CATALOGUES = _PACKAGE / "locale"
STATIC = _PACKAGE / "static"
"""The folder behind /static; every address carries the version, so answers may be kept for a year."""


class CompiledTemplates(BytecodeCache):
    """What templates were compiled to: each when it is first asked for, for all languages at once."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled before, if it was."""
        compiled = self._compiled.get(bucket.key)
        if compiled is not None:
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Remember what was compiled."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_COMPILED = CompiledTemplates()


class Pages:
    """All pages in all languages. One per process; what it holds follows from the files alone."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self.static_version = _static_version()
        parts = urlsplit(issuer)
        self._globals: Mapping[str, object] = {
            "issuer": issuer,
            "host": parts.netloc,
            "static": f"{parts.path.rstrip('/')}/static",
            "static_version": self.static_version,
            "stylesheet": Markup(STYLESHEET),  # noqa: S704 - our own file
            "languages": LANGUAGES,
            "levels": ACR_VALUES,
        }
        self._environments = {locale: self._environment(locale) for locale in LOCALES}

    def render(self, view: Page, locale: Locale, kept: str = "") -> bytes:
        """Return the page as UTF-8 HTML, to be sent as `text/html; charset=utf-8`.

        `kept` is what of its query stands in the other language's address, too, with an `&` at its end.
        """
        template = self._environments[locale].get_template(view.template)
        return template.render(view=view, kept=kept).encode()

    def _environment(self, locale: Locale) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=_COMPILED,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Line breaks in a template are for its reader, not for the translator.
        environment.policies["ext.i18n.trimmed"] = True
        translations = read_catalogue(locale)
        # The extension adds this method at run time, where no type checker can see it.
        cast("Any", environment).install_gettext_translations(translations, newstyle=True)
        environment.globals.update(self._globals, locale=locale)
        environment.filters.update(Words(translations, locale, self._issuer).filters())
        for filters in (correction_filters, export_filters, list_filters, notice_filters, start_filters):
            environment.filters.update(filters(translations))
        environment.filters["qr"] = lambda text, label: qr_code(text).as_svg(label)
        return environment


@cache
def read_catalogue(locale: Locale) -> Translations:
    """Read a language's texts from its .po file, so that no build step can be forgotten."""
    compiled = BytesIO()
    with (CATALOGUES / locale / "LC_MESSAGES" / "messages.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return Translations(compiled)


def choose_locale(ui_locales: Sequence[str], accept_language: str | None, cookie: str | None) -> Locale:
    """Choose the page's language: the person's own choice, the network's wish, the browser's, Vietnamese.

    `ui_locales` are BCP 47 tags in order of preference (OpenID Connect Core §3.1.2.1); a tag fits by its
    first part (RFC 4647 §3.4), so that `en-GB` finds English.
    """
    for tag in (cookie or "", *ui_locales, *_by_quality(accept_language or "")):
        language = tag.strip().lower().replace("_", "-").partition("-")[0]
        for locale in LOCALES:
            if language == locale:
                return locale
    return LOCALES[0]


def _by_quality(accept_language: str) -> list[str]:
    """Order the ranges of an Accept-Language header (RFC 9110 §12.5.4); refused ones (q=0) are left out."""
    ranked: list[tuple[float, str]] = []
    for entry in accept_language[:500].split(","):
        tag, _, weight = entry.partition(";")
        quality = _quality(weight)
        if quality > 0:
            ranked.append((quality, tag))
    return [tag for _, tag in sorted(ranked, key=lambda entry: -entry[0])]


def _quality(weight: str) -> float:
    """Read `q=0.8`; nothing means 1, nonsense means refused (RFC 9110 §12.4.2)."""
    name, _, number = weight.strip().partition("=")
    if not name:
        return 1.0
    is_number = name.strip().lower() == "q" and number.replace(".", "", 1).isdecimal()
    return float(number) if is_number else 0.0


def _static_version() -> str:
    """Hash what stands in the static folder: the address changes when, and only when, a file does."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
