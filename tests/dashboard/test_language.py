"""The catalogue holds every text of the pages; numbers and dates follow the reader's locale."""

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

from dashboard.i18n import formatting, language
from tests.conftest import ROOT

CATALOGUE = ROOT / "dashboard" / "i18n" / "locale" / "ebbtide.pot"
PAGES = sorted((ROOT / "dashboard").rglob("*.py"))
# Calls with a first argument that is rendered as text.
TEXT_CALLS = {
    *("title", "subheader", "write", "caption", "markdown", "button", "form_submit_button"),
    *("info", "warning", "success", "toast", "text_input", "text_area", "number_input", "radio"),
    *("toggle", "checkbox", "selectbox", "multiselect", "expander", "spinner", "slider"),
    *("download_button", "link_button", "segmented_control", "select_slider", "date_input"),
    *("time_input", "select_row"),
}


def test_catalogue_is_up_to_date() -> None:
    with CATALOGUE.open() as file:
        catalogue = {message.id for message in read_po(file) if message.id}
    extracted = {
        words
        for _, _, words, _, _ in extract_from_dir(
            ROOT / "dashboard", keywords={"_": None, "N_": None}
        )
    }
    command = "pybabel extract (see CONTRIBUTING.md)"
    assert extracted - catalogue == set(), f"not in the catalogue: {command}"
    assert catalogue - extracted == set(), f"no longer used: {command}"
    assert len(catalogue) > 300


@pytest.mark.parametrize(
    "path", PAGES, ids=[str(path.relative_to(ROOT / "dashboard")) for path in PAGES]
)
def test_every_rendered_text_is_translatable(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        texts = [*(node.args[:1] if name in TEXT_CALLS else [])]
        texts += [word.value for word in node.keywords if word.arg in ("alt", "title", "help")]
        for words in texts:
            text = ast.unparse(words)
            if text == "'Ebbtide'":  # the product's name is not translated
                continue
            plain = isinstance(words, ast.Constant) and isinstance(words.value, str)
            if (plain or isinstance(words, ast.JoinedStr)) and re.search(
                "[A-Za-z]{3}", re.sub(r"\{[^}]*\}", "", text)
            ):
                found.append(f"line {node.lineno}: {text}")
    assert found == [], "wrap these in _()"


def test_every_chart_has_alternative_text() -> None:
    charts = [
        (path.name, node)
        for path in PAGES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "altair_chart"
    ]
    assert len(charts) >= 4
    for name, node in charts:
        assert any(word.arg == "alt" for word in node.keywords), f"{name}, line {node.lineno}"


@pytest.mark.parametrize(
    ("tag", "day", "clock", "number"),
    [
        ("en-GB", "24 Nov", "14:30", "\u22121.25"),
        ("en-US", "Nov 24", "2:30\u202fPM", "\u22121.25"),
        ("de-DE", "24 Nov", "14:30", "\u22121,25"),  # no German words yet, but German numbers
        ("xx-nonsense", "24 Nov", "14:30", "\u22121.25"),
        (None, "24 Nov", "14:30", "\u22121.25"),
    ],
)
def test_dates_and_numbers_follow_the_region(
    monkeypatch: pytest.MonkeyPatch, tag: str | None, day: str, clock: str, number: str
) -> None:
    monkeypatch.setattr(language, "reader_locale", lambda: language._match_locale(tag or ""))
    moment = datetime.fromisoformat("2026-11-24T14:30:00+01:00")
    assert formatting.format_day(moment) == formatting.format_day(moment.isoformat()) == day
    assert formatting.format_time(moment) == clock
    assert formatting.format_signed(-1.25, 2) == number
    assert formatting.format_signed(0.001, 1).strip("0.,") == ""
    assert formatting.axis_day_format().startswith(r"%b" if tag == "en-US" else "%-d")
    assert formatting.chart_locale().to_dict()["time"]["days"][0] == "Sunday"


def test_a_language_is_added_by_a_catalogue_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    text = 'msgid ""\nmsgstr "Language: de\\n"\n\nmsgid "Today"\nmsgstr "Heute"\n'
    (tmp_path / "de.po").write_text(text)
    with (tmp_path / "de.po").open() as po, (folder / "ebbtide.mo").open("wb") as mo:
        write_mo(mo, read_po(po))
    monkeypatch.setattr(language, "_FOLDER", tmp_path)
    language._match_locale.cache_clear()
    language._catalogue.cache_clear()
    try:
        german = language._match_locale("de-AT")
        assert german == Locale("de", "AT")
        monkeypatch.setattr(language, "reader_locale", lambda: german)
        assert language._("Today") == "Heute"
        assert language._("Not translated") == "Not translated"
        assert formatting.format_day("2026-11-24T14:30:00") == "24. Nov."
    finally:
        language._match_locale.cache_clear()
        language._catalogue.cache_clear()
