"""The language of the command line: its help, its results, and what is wrong with a command.

It is that of ``EBBTIDE_LANGUAGE``, or else of the terminal (``LC_ALL``, ``LC_MESSAGES``, ``LANG``).
Help and errors stand in English beside the code; ``help_texts.py`` and ``error_texts`` list them
for the catalogue, which is read only for another language. Results go through ``_`` where they are
printed; what others say of data (caveats, what is wrong with a store) is listed in
``result_texts.py``. JSON and CSV are English. ``tests/cli/test_language.py``,
``test_error_texts.py`` and ``test_result_texts.py`` find what is not listed.
"""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from functools import cache
from typing import Any

from ebbtide.errors import EbbtideError
from ebbtide.i18n import DEFAULT, Translate, language_of_tag, translate_number, translator
from ebbtide.i18n.sentences import Sentences

_VARIABLES = ("EBBTIDE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def terminal_language(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language of the terminal, as the first variable that is set says it."""
    named = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return language_of_tag(named) or DEFAULT


def _(words: str) -> str:
    """Translate into the language of the terminal."""
    return translator(terminal_language())(words)


def ngettext(one: str, many: str, number: int) -> str:
    """Translate into the language of the terminal, in the form for a number."""
    return translate_number(terminal_language(), one, many, number)


class _LocalFormatter(string.Formatter):
    """Write fractions with the decimal mark of a language; whole numbers and words as they are."""

    def __init__(self, decimal: str) -> None:
        self._decimal = decimal

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format as Python does, and put the mark in."""
        text = format(value, format_spec)
        return text.replace(".", self._decimal) if isinstance(value, float) else text


@cache
def _formatter(language: str) -> _LocalFormatter:
    if language == DEFAULT:
        return _LocalFormatter(".")
    from babel import Locale

    return _LocalFormatter(str(Locale(language).number_symbols["latn"]["decimal"]))


def fill(words: str, **fields: Any) -> str:
    """Put fields into a text that is for people, fractions with the decimal mark that they write.

    JSON, CSV and what can be typed as an option keep the point: they are formatted as Python does.
    """
    return _formatter(terminal_language()).vformat(words, (), fields)


def translate_command(command: Any, translate: Translate) -> None:
    """Put the help of a command, of its options and of its own commands into a language."""
    command.help = translate(_in_a_line(command.help)) if command.help else command.help
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = translate(parameter.help)
    show_help = command.get_help_option

    def get_help_option(context: Any) -> Any:
        option = show_help(context)
        option.help = translate(option.help)
        return option

    def format_usage(context: Any, formatter: Any) -> None:
        pieces = " ".join(command.collect_usage_pieces(context))
        formatter.write_usage(context.command_path, pieces, prefix=translate("Usage: "))

    command.get_help_option, command.format_usage = get_help_option, format_usage
    if hasattr(command, "commands"):  # a group, whose commands are made when they are called
        command.translate = lambda text: translate(_in_a_line(text))
        command.commands.prepare(lambda other: translate_command(other, translate))


def translate_parser(translate: Translate) -> None:
    """Have Typer say its own words in a language; it has no setting for where gettext looks."""
    import typer.core

    typer.core._ = translate  # type: ignore[assignment, attr-defined]


def say_error(error: EbbtideError, language: str | None = None) -> str:
    """Say an error in the language of the terminal; what is not listed stays English."""
    return " ".join(say_words(words, language) for words in (error.what, error.remedy) if words)


def say_words(words: str, language: str | None = None) -> str:
    """Say a sentence of an error in the language of the terminal, or as it is."""
    chosen = terminal_language() if language is None else language
    if chosen == DEFAULT:
        return words
    from cli.error_texts import KINDS

    translate = translator(chosen)

    def say_field(field: str) -> str:
        return translate(field) if field in KINDS else field

    return _known_errors().translate(words, translate, say_field) or words


def say_result(words: str, language: str | None = None) -> str:
    """Say what others say of data, such as a caveat or why a number is missing, in the language of
    the terminal; what is not listed stays as it is.
    """
    chosen = terminal_language() if language is None else language
    if chosen == DEFAULT:
        return words
    translate = translator(chosen)

    def say_field(field: str) -> str:
        return _known_fields().translate(field, translate, str) or field

    return _known_results().translate(words, translate, say_field) or words


def say_finding(words: str, language: str | None = None) -> str:
    """Say a finding, a caveat or how a file was read, which the pages show too, in the language of
    the terminal; what is listed for neither stays as it is.
    """
    chosen = terminal_language() if language is None else language
    said = say_result(words, chosen)
    if chosen == DEFAULT or said != words:
        return said
    from babel import Locale

    from dashboard.i18n import api_texts, reading_texts
    from dashboard.i18n.language import reading_as

    with reading_as(Locale(chosen)):
        said = reading_texts.say_of_file(words)
        return said if said != words else api_texts.say(words)


@cache
def _known_results() -> Sentences:
    from cli.result_texts import RESULTS

    return Sentences(RESULTS)


@cache
def _known_fields() -> Sentences:
    from cli.result_texts import FIELDS

    return Sentences(FIELDS)


@cache
def _known_errors() -> Sentences:
    from cli.error_texts import ERRORS

    return Sentences(ERRORS)


def help_texts(command: Any) -> set[str]:
    """List the help of a command, of its options and of its own commands, as it is listed below."""
    found = {_in_a_line(command.help)} if command.help else set()
    found |= {p.help for p in command.params if getattr(p, "help", None)}
    return found.union(*(help_texts(o) for o in getattr(command, "commands", {}).values()))


def _in_a_line(text: str) -> str:
    """Put the lines of each paragraph of a docstring together, as the terminal breaks them."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
