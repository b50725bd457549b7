"""The catalogue holds every text of the pages; numbers and dates follow the reader's locale."""

from __future__ import annotations

import ast
import re
from datetime import datetime
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel import Locale
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from dashboard.i18n import formatting, language
from ebbtide import i18n
from tests.conftest import ROOT

CATALOGUE = ROOT / "ebbtide" / "i18n" / "locale" / "ebbtide.pot"
PAGES = sorted((ROOT / "dashboard").rglob("*.py"))
LANGUAGES = sorted(CATALOGUE.parent.glob("*/LC_MESSAGES/ebbtide.po"))
# Texts that are the same in another language: names, units, and formats without words.
SAME = {
    "de": {
        "{moment}: {rated}{pleasant}.",
        *("**{title}** &nbsp; :gray[{ends}]", "- {words} · :gray[{kind}, {about}]"),
        *(
            "{column}: {what}",
            "{number} {task} {subject}: {state}",
            "{about}: {rated}",
            "{hours} h {minutes} min",
            "Live: {error}.",
            "Live: {missing}.",
        ),
        *(
            'ALTER RETENTION POLICY "{value}" ON "{database}" DURATION INF',
            "Code",
            "Signal",
            "normal",
            "Ebbtide at home",
            "ebbtide recordings",
            "Export",
            "Name",
            "Passkeys",
            "Pause",
            "Person",
        ),
        *("Version", "{job}: {problem}."),
        *("RMSSD", "RMSSD (ms)", "SDNN", "SDNN (ms)", "Stress", "{seconds} s", "{number} ms"),
        *("RMSSD {value} ms", "SDNN {value} ms"),
    }
}
# Words that are not used: another form of address (a phone uses it in its own warning); blame and
# cause, as in test_texts.py.
NOT_USED = {
    "de": r"\b(du|dich|dir|dein\w*(?! Daten sind nicht privat)|euch|euer\w*)\b|alarm|katastroph|"
    r"versag|schlechter als gestern|hätten sollen|schlechte\w* Tag|führt zu|"
    r"wegen (Ihres )?Stress|\bScore\b",
}
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
        for package in ("ebbtide", "ingest", "api", "dashboard", "cli")
        for _, _, words, _, _ in extract_from_dir(
            ROOT / package, keywords={"_": None, "N_": None, "ngettext": (1, 2)}
        )
    }
    command = "pybabel extract (see CONTRIBUTING.md)"
    assert extracted - catalogue == set(), f"not in the catalogue: {command}"
    assert catalogue - extracted == set(), f"no longer used: {command}"
    assert len(catalogue) > 300


@pytest.mark.parametrize("path", LANGUAGES, ids=[path.parts[-3] for path in LANGUAGES])
def test_language_has_every_text(path: Path) -> None:
    with CATALOGUE.open("rb") as texts, path.open("rb") as translated:
        wanted = {message.id for message in read_po(texts) if message.id}
        found = {message.id: message for message in read_po(translated) if message.id}
    assert set(found) == wanted, "just i18n"
    tag = path.parts[-3]
    for words, message in found.items():
        assert not message.fuzzy, f"not looked at since it changed: {words}"
        # A text with a number has a form for one and one for many.
        forms = list(zip(*map(_forms, (words, message.string)), strict=True))
        for form, said in forms:
            assert said, f"not translated: {words}"
            assert _describe_form(said) == _describe_form(form), said
            assert (said == form) == (form in SAME[tag]), said
            assert not re.search(NOT_USED[tag], said, re.IGNORECASE), said
            for name in re.findall(r"(?<!\*)\*([A-Z][\w ]+)\*(?!\*)", form):  # names of pages
                if name in found:
                    assert f"*{found[name].string}*" in said, said


def _forms(text: Any) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (str(text),)


def _describe_form(words: str) -> tuple[Any, ...]:
    """Return what a translation must keep: fields, bold and code, and space at the ends."""
    names = {name for _, name, _, _ in Formatter().parse(words) if name is not None}
    fields = sorted(names - {"why"})  # what Pydantic's parser says, in English
    ends = (words[:1].isspace(), words[-1:].isspace())
    return fields, words.count("**"), re.findall(r"`[^`]*`", words), ends


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
    ("tag", "day", "clock", "number", "axis"),
    [
        ("en-GB", "24 Nov", "14:30", "\u22121.25", "%-d %b"),
        ("en-US", "Nov 24", "2:30\u202fPM", "\u22121.25", "%b %-d"),
        ("de-DE", "24. Nov.", "14:30", "\u22121,25", "%-d. %b"),
        ("fr-FR", "24 Nov", "14:30", "\u22121,25", "%-d %b"),  # English words: no catalogue
        ("xx-nonsense", "24 Nov", "14:30", "\u22121.25", "%-d %b"),
        (None, "24 Nov", "14:30", "\u22121.25", "%-d %b"),
    ],
)
def test_dates_and_numbers_follow_the_region(
    monkeypatch: pytest.MonkeyPatch, tag: str | None, day: str, clock: str, number: str, axis: str
) -> None:
    monkeypatch.setattr(language, "reader_locale", lambda: language._match_locale(tag or ""))
    moment = datetime.fromisoformat("2026-11-24T14:30:00+01:00")
    assert formatting.format_day(moment) == formatting.format_day(moment.isoformat()) == day
    assert formatting.format_time(moment) == clock
    assert formatting.format_signed(-1.25, 2) == number
    assert formatting.format_signed(0.001, 1).strip("0.,") == ""
    assert formatting.axis_day_format() == axis
    sunday = "Sonntag" if tag == "de-DE" else "Sunday"
    assert formatting.chart_locale().to_dict()["time"]["days"][0] == sunday


def test_a_language_is_added_by_a_catalogue_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    text = 'msgid ""\nmsgstr "Language: fr\\n"\n\nmsgid "Today"\nmsgstr "Aujourd’hui"\n'
    (folder / "ebbtide.po").write_text(text, encoding="utf-8")
    monkeypatch.setattr(i18n, "LOCALE_FOLDER", tmp_path)
    caches = (language._match_locale, i18n.languages, i18n.load_catalogue, i18n.choose_language)
    for cached in caches:
        cached.cache_clear()
    try:
        french = language._match_locale("fr-BE")
        assert french == Locale("fr", "BE")
        monkeypatch.setattr(language, "reader_locale", lambda: french)
        assert language._("Today") == "Aujourd’hui"
        assert language._("Not translated") == "Not translated"
        assert formatting.format_day("2026-11-24T14:30:00") == "24 nov."
    finally:
        for cached in caches:
            cached.cache_clear()


@pytest.mark.parametrize(
    ("tag", "shape"),
    [
        ("de-AT", "DD.MM.YYYY"),
        ("en-GB", "DD/MM/YYYY"),
        ("en-US", "MM/DD/YYYY"),
        ("de", "DD.MM.YYYY"),
    ],
)
def test_a_field_for_a_date_follows_the_region(
    monkeypatch: pytest.MonkeyPatch, tag: str, shape: str
) -> None:
    monkeypatch.setattr(language, "reader_locale", lambda: language._match_locale(tag))
    assert formatting.date_field_format() == shape


@pytest.mark.parametrize(("tag", "shape"), [("sv", "YYYY-MM-DD"), ("ja", "YYYY/MM/DD")])
def test_a_field_for_a_date_has_a_shape_for_any_region(
    monkeypatch: pytest.MonkeyPatch, tag: str, shape: str
) -> None:
    monkeypatch.setattr(language, "reader_locale", lambda: Locale.parse(tag))
    assert formatting.date_field_format() == shape
