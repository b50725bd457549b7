"""Notes of how a file was read, in the reader's language; none may be missing in the catalogue."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel import Locale

from analytics.hrv.requirements import insufficient_reason
from analytics.hrv.summary import SLOW_BREATHING
from cli.language import say_finding
from dashboard.i18n.language import reading_as
from dashboard.i18n.reading_texts import TEXTS, say_of_file
from ebbtide.i18n import translator
from ingest.files.recording import PULSE_NOTE, RATES_NOTE
from tests.conftest import ROOT
from tests.support.printed_texts import said_texts
from tests.support.raised_texts import without_names
from tests.support.syntax import template_of

FILES = sorted([*(ROOT / "ingest/files").rglob("*.py"), *(ROOT / "ingest/nights").rglob("*.py")])
LISTS = {"notes", "problems", "_problems", "faults", "said", "remarks"}
# Parts of another sentence, names and numbers.
SAME = {"{}: {} {}", "{} is not {}", "only {} of the intervals are normal; {}"}
SAME |= {"the file is cut off after {}{} records; they were kept"}
SAME |= {f"line {{}}: {{}} is not an interval{end}" for end in ("", " between two beats")}
REASONS = {"disturbed_reason", "insufficient_reason", "undefined_reason"}


def _noted(path: Path) -> Iterator[str]:
    """Sentences that are added to notes or problems, alone or in a pair with their line."""
    yield from said_texts(path, of_calls={"note"}, of_lists=LISTS)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "append":
            for pair in node.args:
                if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
                    text = template_of(pair.elts[1])
                    if text is not None and " " in text:
                        yield text


def test_every_note_of_a_reader_is_listed() -> None:
    listed = {without_names(text) for text in TEXTS} | SAME
    said = {without_names(text): path.name for path in FILES for text in _noted(path)}
    assert len(said) > 40
    missing = {text: name for text, name in said.items() if text not in listed}
    assert missing == {}, "list these in dashboard/i18n/reading_texts.py"


def test_why_a_metric_is_missing_is_listed() -> None:
    listed = {without_names(text) for text in TEXTS}
    path = ROOT / "analytics/hrv/requirements.py"
    said = {without_names(text) for text in said_texts(path, of_calls=set(), of_lists=REASONS)}
    assert len(said) >= 6
    assert said - listed - SAME == set()
    assert {SLOW_BREATHING, PULSE_NOTE} <= set(TEXTS)
    assert without_names(RATES_NOTE) in listed


def test_each_is_translated_with_its_fields() -> None:
    german = translator("de")
    for text in TEXTS:
        assert german(text) != text, text
        fields = set(re.findall(r"\{(\w+)\}", text))
        assert set(re.findall(r"\{(\w+)\}", german(text))) == fields, text


@pytest.mark.parametrize(
    ("said", "german"),
    [
        ("line 7: '80O' is not a number", "Zeile 7: '80O' ist keine Zahl"),
        ("line 4: its time is before the line above", "Zeile 4: "),
        ("300 nights are in the future, the first 2027-01-01; left out", "300 Nächte liegen"),
        (insufficient_reason("vlf_ms2", 180.0, 225), "180 s NN-Intervalle; nötig sind 270 s"),
        ("a note that nobody listed", "a note that nobody listed"),
    ],
)
def test_a_note_is_said_with_what_is_in_it(said: str, german: str) -> None:
    with reading_as(Locale("de")):
        assert say_of_file(said).startswith(german)
    with reading_as(Locale("en")):
        assert say_of_file(said) == said
    assert say_finding(said, "de").startswith(german)
    assert say_finding(said, "en") == said
