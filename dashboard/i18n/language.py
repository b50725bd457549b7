"""The reader's locale, and the translation of texts (gettext).

A text is translated where a catalogue of the reader's language exists:
``locale/LANGUAGE/LC_MESSAGES/ebbtide.po``. It is read when the language is first asked for, and
is not compiled to a ``.mo`` file, which could differ from it. Every text of the pages goes through
``_``, or is marked with ``N_`` where it is defined before there is a reader and goes through ``_``
later, so that ``locale/ebbtide.pot`` holds all of them. Babel finds no ``_`` within an f-string.
CONTRIBUTING.md says how a language is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path

import streamlit as st
from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

_FOLDER = Path(__file__).with_name("locale")
_DEFAULT = Locale("en", "GB")
_READER: ContextVar[Locale | None] = ContextVar("reader", default=None)


def _(words: str) -> str:
    """Translate into the reader's language."""
    return str(_catalogue(reader_locale().language).gettext(words))


def N_(words: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Mark a text for the catalogue; it goes through ``_`` when a page is rendered."""
    return words


def translate_for(tag: str) -> Callable[[str], str]:
    """Return what translates into the language of a BCP 47 tag, outside of Streamlit."""
    catalogue = _catalogue(_match_locale(tag).language)
    return lambda words: str(catalogue.gettext(words))


def language_for(tag: str) -> str:
    """Return the language into which ``translate_for`` translates, as a BCP 47 tag."""
    return _match_locale(tag).language


def reader_locale() -> Locale:
    """Return the locale of the reader's browser, or the nearest one that is supported."""
    return _READER.get() or _match_locale(st.context.locale or "")


@contextmanager
def reading_as(locale: Locale) -> Iterator[None]:
    """Translate and format for this locale until the context ends.

    For what Streamlit calls outside of a session, as the contents of a download.
    """
    token = _READER.set(locale)
    try:
        yield
    finally:
        _READER.reset(token)


@cache
def _match_locale(tag: str) -> Locale:
    """Parse a BCP 47 tag; unsupported languages become English, of the same region."""
    try:
        wanted = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return _DEFAULT
    language = wanted.language if (_FOLDER / wanted.language).is_dir() else "en"
    if wanted.territory is None:
        return _DEFAULT if language == "en" else Locale(language)
    try:
        return Locale(language, wanted.territory)  # CLDR has English as written in Germany, too
    except UnknownLocaleError:
        return _DEFAULT if language == "en" else Locale(language)


@cache
def _catalogue(language: str) -> NullTranslations:
    path = _FOLDER / language / "LC_MESSAGES" / "ebbtide.po"
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return Translations(compiled, domain="ebbtide")
