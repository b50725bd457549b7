"""What commands print, in the language of the terminal; JSON and CSV stay English."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.language import _, fill, ngettext, say_finding, say_result
from cli.result_texts import RESULTS
from ebbtide.i18n import translator
from tests.conftest import ROOT
from tests.support.command_line import run_ebbtide_in
from tests.support.printed_texts import printed_sentences, said_texts
from tests.support.raised_texts import without_names

FILES = sorted((ROOT / "cli").rglob("*.py"))
# Names alone, which are the same in every language.
NAMES = {"ebbtide ", "ebbtide: ", "ebbtide start", "http://"}
# What else says sentences that commands print: calls and lists of these names.
SAID = {
    "cli/straps/bluetooth_checks.py": ({"Check"}, {"_adapter_remedy", "_widen_remedy"}),
    "cli/straps/doctor.py": ({"Check"}, set()),
    "cli/straps/live_line.py": (set(), {"_quality"}),
    "cli/analysis/cohort/tasks.py": ({"LeftOut"}, {"why"}),
    "cli/analysis/cohort/lake_tables.py": ({"BrokenPartitionError"}, set()),
    "cli/analysis/cohort/hrv.py": ({"ValueError"}, set()),
    "cli/analysis/link.py": (set(), {"caveats", "_verdict"}),
    "cli/analysis/outcomes.py": (set(), {"notes"}),
    "cli/analysis/doubts.py": (set(), {"doubt_values"}),
    "cli/admin/daily.py": (set(), {"failed"}),
    "ebbtide/daily_state.py": (set(), {"problem_of"}),
    "store/maintenance/sqlite_check.py": (set(), {"problems", "waiting"}),
    "store/maintenance/server_check.py": (set(), {"problems", "waiting"}),
    "store/sql/purge.py": (set(), {"words"}),
    "api/services/erasure.py": ({"ExpiredPerson"}, {"remaining", "reason"}),
    "analytics/association/group.py": (set(), {"why"}),
    "analytics/association/rmcorr.py": ({"RmCorr"}, {"why"}),
}
# Names of what was erased, of checks and of commands: they stand in another sentence or are said
# as they are.
SAME = {
    "stream {}: {} to {} are not here yet",
    "Bluetooth",
    "ebbtide sign-in {}",
    "points of {}, who {}",
    "{} cannot be read: {}: {}",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "cli")))
def test_what_is_printed_goes_through_the_catalogue(path: Path) -> None:
    assert [text for text in printed_sentences(path) if text not in NAMES] == []


def test_a_printed_sentence_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "command.py"
    file.write_text(
        'typer.echo("All is well.")\n'
        'typer.echo(f"{count} beats" if count else _("no beats"))\n'
        'typer.echo(_("{count} beats").format(count=count))\n'
        "typer.echo(json.dumps({'beats': count}))\n"
    )
    assert printed_sentences(file) == ["All is well.", " beats"]


@pytest.mark.parametrize("path", sorted(SAID))
def test_what_others_say_is_listed(path: str) -> None:
    calls, lists = SAID[path]
    listed = {without_names(text) for text in RESULTS} | SAME
    said = {without_names(text) for text in said_texts(ROOT / path, of_calls=calls, of_lists=lists)}
    assert said, "nothing is said there any more"
    missing = {text for text in said if text not in listed}
    assert missing == set(), "list these in cli/result_texts.py"


def test_results_are_said_with_what_is_in_them() -> None:
    for text, german in (
        ("Deleted: x", "Deleted: x"),  # not listed: said where it is printed
        ("2 ratings have no newest version, or several", "2 Einschätzungen haben keine neueste"),
        ("pain and stress moved together", "pain und stress bewegten sich miteinander"),
        (
            "not enough yet to say whether y moved with x: too few pairs for their subjects",
            "noch nicht genug, um zu sagen, ob sich y mit x bewegte: zu wenige Paare",
        ),
        ("hci0 is off by software", "hci0 ist durch Software ausgeschaltet"),
    ):
        assert say_result(text, "de").startswith(german)
        assert say_result(text, "en") == say_finding(text, "en") == text


def test_numbers_have_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = ("{count} beat", "{count} beats")
    for language, said in (("en", ("0 beats", "1 beat")), ("de", ("0 Schläge", "1 Schlag"))):
        monkeypatch.setenv("EBBTIDE_LANGUAGE", language)
        assert tuple(ngettext(*forms, n).format(count=n) for n in (0, 1)) == said
    assert _("Uploaded.") == translator("de")("Uploaded.") == "Gesendet."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "r = -0.50, 1e-05, of 1.0 (v1.2) and 12"),
        ("de", "r = -0,50, 1e-05, of 1,0 (v1.2) and 12"),
    ],
)
def test_fractions_have_the_mark_of_the_language(
    language: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBBTIDE_LANGUAGE", language)
    words = "r = {r:.2f}, {p:.3g}, of {half} ({name}) and {n}"
    assert fill(words, r=-0.5, p=1e-5, half=1.0, name="v1.2", n=12) == said


def _run(language: str, folder: Path, *words: str) -> str:
    done = run_ebbtide_in(language, folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_results_are_german_and_json_is_not(tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    said = _run("de", tmp_path, "sample", str(sample))
    assert "Dateien sind in" in said and "alle simuliert" in said
    table = ("link", str(sample / "ratings.csv"), "--subject", "who", "--x", "stress", "--y")
    german = _run("de", tmp_path, *table, "pain")
    assert "Paare von" in german and "95-%-Intervall" in german
    assert "Dass sich beides miteinander bewegt" in german
    for words in (" and ", " of ", " the ", "interval ", "subjects"):
        assert words not in german, german
    assert re.search(r"[+-]\d,\d", german) and not re.search(r"\d\.\d", german), german
    answers = [_run(name, tmp_path, *table, "pain", "--json") for name in ("de", "en")]
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["caveats"][0].startswith("Moving together")
    status = _run("de", tmp_path / "empty", "status")
    assert "Gerade wird nicht aufgezeichnet" in status and "Kein Gurt ist gekoppelt" in status
