"""The reader's locale, and the translation of texts into their language.

The catalogue is that of ``ebbtide.i18n``. Every text of the pages goes through ``_``, or is marked
with ``N_`` where it is defined before there is a reader and goes through ``_`` later, so that
``ebbtide.pot`` holds all of them. Babel finds no ``_`` within an f-string.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import streamlit as st
from babel import Locale, UnknownLocaleError

from ebbtide import i18n
from ebbtide.i18n import N_, Translate

__all__ = ["N_", "_", "language_for", "reader_locale", "reading_as", "translate_for"]
_DEFAULT = Locale("en", "GB")
_READER: ContextVar[Locale | None] = ContextVar("reader", default=None)


def _(words: str) -> str:
    """Translate into the reader's language."""
    return i18n.translator(reader_locale().language)(words)


def translate_for(tag: str) -> Translate:
    """Return what translates into the language of a BCP 47 tag, outside of Streamlit."""
    return i18n.translator(_match_locale(tag).language)


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
    language = wanted.language if wanted.language in i18n.languages() else i18n.DEFAULT
    if wanted.territory is None:
        return _DEFAULT if language == "en" else Locale(language)
    try:
        return Locale(language, wanted.territory)  # CLDR has English as written in Germany, too
    except UnknownLocaleError:
        return _DEFAULT if language == "en" else Locale(language)
