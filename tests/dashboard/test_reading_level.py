"""Somebody of twelve can read the pages: a formula of each language, and the exceptions.

German: the first Wiener Sachtextformel (Bamberger and Vanecek 1984), a year of school. English: the
grade of Kincaid et al. (1975). Syllables are counted as groups of vowels, which both make of most
words; a text shorter than 20 words says too little for either.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from babel.messages.pofile import read_po

from tests.dashboard.test_language import CATALOGUE

MIN_WORDS = 20
HIGHEST = 8.0  # of one text, in years of school
HIGHEST_OF_ALL = 6.0
# Names of things, or for those who treat and analyse.
# Of files, for who exports from other programs: names of programs and signals are long.
_REFUSALS = (
    "Record with a chest strap, in ebbtide or an app",
    "The signal '{label}' of {path} has a value every",
)
# Of the command line, for who runs a server.
_OPERATING = (
    "Exports that people made (ebbtide export",
    "Use InfluxDB 1.x or 2.x, or set EBBTIDE_INFLUXDB_WITHOUT_ERASURE",
)
EXCEPTIONS = {
    "de": (
        "Heartbeats, ratings, notes, practices, meetings",
        "Open **Settings**. Search there",
        "That is {percent}% less pain",
        "Who answers on some moments",
        "each person's slope beyond",
        "{estimate} points of pain for a point of stress",
        *_REFUSALS,
        *_OPERATING,
    ),
    "en": (
        "The page *Bring in a file* reads",
        # The text of consent ``offers-1``: another would have to be agreed to anew.
        "At some of your questions chance decides, like a coin",
        *_REFUSALS,
        *_OPERATING,
        "  {estimate:+.3g} of {y} for one more of {x} in the changes",
        "Export the results from Kubios as ASCII text",
    ),
}


def _german_year(words: list[str], sentences: int) -> float:
    syllables = [len(re.findall("ei|ai|au|äu|eu|ie|[aeiouyäöü]", word.lower())) for word in words]
    share = 100 / len(words)
    return (
        0.1935 * share * sum(count >= 3 for count in syllables)
        + 0.1672 * len(words) / sentences
        + 0.1297 * share * sum(len(word) > 6 for word in words)
        - 0.0327 * share * sum(count <= 1 for count in syllables)
        - 0.875
    )


def _english_grade(words: list[str], sentences: int) -> float:
    syllables = 0
    for word in words:
        silent = word.endswith("e") and not word.endswith("le")
        syllables += max(1, len(re.findall("[aeiouy]+", word.lower())) - silent)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


@pytest.mark.parametrize(("tag", "formula"), [("de", _german_year), ("en", _english_grade)])
def test_texts_can_be_read_at_twelve(tag: str, formula: Callable[[list[str], int], float]) -> None:
    path = CATALOGUE if tag == "en" else CATALOGUE.parent / tag / "LC_MESSAGES" / "ebbtide.po"
    with path.open("rb") as file:
        texts = {str(m.id): str(m.string or m.id) for m in read_po(file) if m.id}
    hard, all_words, all_sentences = {}, [], 0
    for english, text in texts.items():
        plain = re.sub(r"`[^`]*`|\{[^}]*\}|:gray|\*", "", text)
        words = re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", plain)
        ends = re.split(r"[.!?:;]+(?:\s|$)", plain)
        sentences = max(1, sum(bool(re.search(r"[^\W\d_]{2}", part)) for part in ends))
        all_words += words
        all_sentences += sentences
        is_exception = english.startswith(EXCEPTIONS[tag])
        if len(words) >= MIN_WORDS and (formula(words, sentences) > HIGHEST) != is_exception:
            hard[english[:60]] = round(formula(words, sentences), 1)
    assert hard == {}, "shorten these, or take them out of EXCEPTIONS"
    level = formula(all_words, all_sentences)
    print(f"{tag}: {level:.1f} of {len(texts)} texts")
    assert level < HIGHEST_OF_ALL
    hardest = "Bewertungsverfahren, Schmerzempfindlichkeit" if tag == "de" else "Methodological"
    assert formula(hardest.split(", ") * 10, 1) > HIGHEST  # the formula can find something
