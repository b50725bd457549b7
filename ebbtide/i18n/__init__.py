"""Texts in a reader's language: one catalogue (gettext) for pages, API, mail and command line.

A language is one file, ``locale/LANGUAGE/LC_MESSAGES/ebbtide.po``. It is read when the language is
first asked for, and is not compiled to a ``.mo`` file, which could differ from it. Babel is loaded
only then: English, in which the texts are written, needs neither. CONTRIBUTING.md says how a
language is added.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

__all__ = ["DEFAULT", "N_", "Translate", "choose_language", "languages", "load_catalogue"]
__all__ += ["language_of_tag", "translate_number", "translator"]

Translate = Callable[[str], str]
DEFAULT = "en"
LOCALE_FOLDER = Path(__file__).with_name("locale")


def N_(words: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Mark a text for the catalogue; it is translated when its reader is known."""
    return words


@cache
def languages() -> tuple[str, ...]:
    """List the languages that there are, as BCP 47 tags: English first."""
    found = sorted(path.parts[-3] for path in LOCALE_FOLDER.glob("*/LC_MESSAGES/ebbtide.po"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


def language_of_tag(tag: str) -> str | None:
    """Return the language of a BCP 47 tag or a POSIX locale such as ``de_DE.UTF-8``.

    None where there is no catalogue of it.
    """
    language = tag.strip().replace("_", "-").split(".")[0].split("-")[0].lower()
    return language if language in languages() else None


@lru_cache(maxsize=256)  # what strangers send has no end
def choose_language(accept_language: str) -> str:
    """Choose by the header ``Accept-Language`` (RFC 9110, 12.5.4).

    English where it names no language that there is.

    Examples
    --------
    >>> choose_language("fr-CH, de;q=0.8, en;q=0.9"), choose_language("de-AT"), choose_language("")
    ('en', 'de', 'en')
    """
    found, best = DEFAULT, 0.0
    for item in accept_language[:200].split(",")[:20]:
        tag, _, parameter = item.partition(";")
        language = DEFAULT if tag.strip() == "*" else language_of_tag(tag)
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            weight = 0.0
        if language is not None and best < weight <= 1:
            found, best = language, weight
    return found


def translator(language: str) -> Translate:
    """Return what translates into a language.

    For English, and for one that is not there, it leaves a text as it is.
    """
    if language not in languages() or language == DEFAULT:
        return N_
    return load_catalogue(language).gettext


def translate_number(language: str, one: str, many: str, number: int) -> str:
    """Return the form for a number in a language; English has ``one`` for 1 alone."""
    if language not in languages() or language == DEFAULT:
        return one if number == 1 else many
    return load_catalogue(language).ngettext(one, many, number)


@cache
def load_catalogue(language: str) -> NullTranslations:
    """Read the catalogue of a language; one without texts where there is none."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import NullTranslations, Translations

    path = LOCALE_FOLDER / language / "LC_MESSAGES" / "ebbtide.po"
    if language not in languages() or not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return Translations(compiled, domain="ebbtide")
