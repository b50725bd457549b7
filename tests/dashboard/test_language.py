"""All texts of the pages stand in one catalogue; numbers and dates are as the reader has them."""

from __future__ import annotations

import ast
import re
from datetime import datetime
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from dashboard.i18n import language
from tests.conftest import ROOT

CATALOGUE = ROOT / "dashboard" / "locale" / "ebbtide.pot"
PAGES = sorted((ROOT / "dashboard").glob("*.py"))
# What a person reads: the first argument of these, and these arguments by name.
SPOKEN = {
    *("title", "subheader", "write", "caption", "markdown", "button", "form_submit_button"),
    *("info", "warning", "success", "toast", "text_input", "text_area", "number_input", "radio"),
    *("toggle", "checkbox", "selectbox", "multiselect", "expander", "spinner", "slider"),
    *("download_button", "link_button", "segmented_control", "select_slider", "date_input"),
    *("time_input", "chosen"),
}


def test_the_catalogue_holds_what_the_pages_say() -> None:
    with CATALOGUE.open() as file:
        kept = {message.id for message in read_po(file) if message.id}
    said = {
        words
        for _, _, words, _, _ in extract_from_dir(
            ROOT / "dashboard", keywords={"_": None, "N_": None}
        )
    }
    command = "pybabel extract (see CONTRIBUTING.md)"
    assert said - kept == set(), f"not in the catalogue: {command}"
    assert kept - said == set(), f"said no more: {command}"
    assert len(kept) > 300


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_nothing_is_said_that_no_catalogue_knows(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        spoken = [*(node.args[:1] if name in SPOKEN else [])]
        spoken += [word.value for word in node.keywords if word.arg in ("alt", "title", "help")]
        for words in spoken:
            text = ast.unparse(words)
            if text == "'Ebbtide'":  # a name is a name
                continue
            plain = isinstance(words, ast.Constant) and isinstance(words.value, str)
            if (plain or isinstance(words, ast.JoinedStr)) and re.search(
                "[A-Za-z]{3}", re.sub(r"\{[^}]*\}", "", text)
            ):
                found.append(f"line {node.lineno}: {text}")
    assert found == [], "wrap these in _()"


def test_every_picture_has_words() -> None:
    pictures = [
        (path.name, node)
        for path in PAGES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "altair_chart"
    ]
    assert len(pictures) >= 4
    for name, node in pictures:
        assert any(word.arg == "alt" for word in node.keywords), f"{name}, line {node.lineno}"


@pytest.mark.parametrize(
    ("told", "day", "clock", "number"),
    [
        ("en-GB", "24 Nov", "14:30", "\u22121.25"),
        ("en-US", "Nov 24", "2:30\u202fPM", "\u22121.25"),
        ("de-DE", "24 Nov", "14:30", "\u22121,25"),  # no German words yet, but German numbers
        ("xx-nonsense", "24 Nov", "14:30", "\u22121.25"),
        (None, "24 Nov", "14:30", "\u22121.25"),
    ],
)
def test_days_and_numbers_by_region(
    monkeypatch: pytest.MonkeyPatch, told: str | None, day: str, clock: str, number: str
) -> None:
    monkeypatch.setattr(language, "reader", lambda: language._known(told or ""))
    moment = datetime.fromisoformat("2026-11-24T14:30:00+01:00")
    assert language.day(moment) == language.day(moment.isoformat()) == day
    assert language.clock(moment) == clock
    assert language.signed(-1.25, 2) == number
    assert language.signed(0.001, 1).strip("0.,") == ""
    assert language.axis_day().startswith(r"%b" if told == "en-US" else "%-d")
    assert language.chart_locale().to_dict()["time"]["days"][0] == "Sunday"


def test_a_language_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    text = 'msgid ""\nmsgstr "Language: de\\n"\n\nmsgid "Today"\nmsgstr "Heute"\n'
    (tmp_path / "de.po").write_text(text)
    with (tmp_path / "de.po").open() as po, (folder / "ebbtide.mo").open("wb") as mo:
        write_mo(mo, read_po(po))
    monkeypatch.setattr(language, "_FOLDER", tmp_path)
    language._known.cache_clear()
    language._catalogue.cache_clear()
    try:
        german = language._known("de-AT")
        assert german == Locale("de", "AT")
        monkeypatch.setattr(language, "reader", lambda: german)
        assert language._("Today") == "Heute"
        assert language._("Not translated") == "Not translated"
        assert language.day("2026-11-24T14:30:00") == "24. Nov."
    finally:
        language._known.cache_clear()
        language._catalogue.cache_clear()
