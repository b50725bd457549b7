"""Errors of the command line in the language of the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.error_texts import ERRORS, FRAMES, KINDS, kinds
from cli.language import say_error, say_words
from ebbtide.errors import EbbtideError
from ebbtide.i18n import translator
from ingest.files import other_files
from tests.conftest import ROOT
from tests.support.command_line import run_ebbtide_in
from tests.support.raised_texts import raised_texts, without_names

_RAISED_IN = [
    ROOT / name
    for name in (
        *("ebbtide/api_address.py", "ebbtide/timestamps.py", "ingest/files", "ingest/nights"),
        *("ingest/outbox", "ingest/straps", "cli/credentials.py", "cli/written_files.py"),
        "cli/dask_cluster.py",
        *("cli/admin", "cli/server", "cli/straps", "cli/analysis", "cli/demo", "store"),
        *("api/services/accounts.py", "api/services/erasure.py", "api/services/mail.py"),
        *("api/services/passwords.py", "api/services/questionnaires.py"),
    )
]
# Commands and names alone, which are the same in every language.
_SAME = {
    "ebbtide recordings",
    'ALTER RETENTION POLICY "{value}" ON "{database}" DURATION INF',
}


def test_every_error_is_in_the_catalogue() -> None:
    listed = {without_names(text) for text in ERRORS}
    raised = raised_texts(_RAISED_IN)
    assert len(raised) > 350
    missing = {text: path for text, path in raised.items() if without_names(text) not in listed}
    assert missing == {}, "list these in cli/error_texts"
    gone = listed - {without_names(text) for text in (*raised, *FRAMES, *kinds.TEXTS)}
    assert gone == set(), "no longer raised"


def test_what_a_refused_file_is_can_be_said() -> None:
    for _magic, what, remedy in other_files._MAGIC:
        assert what in KINDS
        assert remedy in ERRORS or "(rr" in remedy or "rr)" in remedy
    assert {what for _mark, what in other_files._JSON} <= set(KINDS)


def test_every_error_is_translated_with_its_fields() -> None:
    german = translator("de")
    for text in (*ERRORS, *KINDS):
        said = german(text)
        assert said != text or text in _SAME, text
        for field in {part.split("}")[0] for part in text.split("{")[1:]}:
            assert f"{{{field}}}" in said, text


@pytest.mark.parametrize(
    ("what", "remedy", "said"),
    [
        (
            "Port 8420 cannot be used: Address already in use.",
            "Choose another, or leave it out.",
            "Port 8420 lässt sich nicht nutzen: Address already in use. "
            "Wählen Sie einen anderen, oder lassen Sie ihn weg.",
        ),
        (
            "night: 1.csv holds no RR interval.",
            "",
            "night: 1.csv enthält kein RR-Intervall.",
        ),
        ("Something that nobody listed.", "Try again.", "Something that nobody listed. Try again."),
    ],
)
def test_an_error_is_said_with_what_is_in_it(what: str, remedy: str, said: str) -> None:
    error = EbbtideError(what, remedy)
    assert say_error(error, "de") == said
    assert say_error(error, "en") == str(error)
    assert say_words("", "de") == ""


def test_commands_refuse_in_german(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    table = tmp_path / "table.csv"
    table.write_text("who,x,y\n")
    for words, said in (
        (("hrv", str(picture)), "ist ein Bild (PNG). Das wird nicht gelesen."),
        (("link", str(table), "--subject", "who", "--x", "x", "--y", "y"), "und keine Zeilen."),
        (("record",), "Noch ist kein Gurt gekoppelt. Nutzen Sie: ebbtide pair"),
    ):
        done = run_ebbtide_in("de", tmp_path, *words)
        assert done.returncode == 1, done.stdout
        assert said in " ".join(done.stderr.split()), done.stderr
