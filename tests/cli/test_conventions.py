"""What every command has and does: found by going through commands, settings and options."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import types
import typing
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest
import typer

from cli.main import COMMANDS, app, main
from cli.progress import progress_bars
from ebbtide.settings import Settings
from tests.support.command_line import NO_BLUETOOTH, run_ebbtide

# Commands that report nothing: they serve until they are ended, and log.
SERVING = {"start", "serve", "dashboard", "daily", "worker"}
ALL = sorted([*COMMANDS, "questionnaires", "store"])
# Options and arguments that name a file or folder, and whether the command writes there.
READS = {
    ("clean", "file"),
    ("demo", "rr"),
    ("hrv", "file"),
    ("import", "files"),
    ("link", "file"),
    ("outcomes", "file"),
    ("restore", "folder"),
    ("store try-backup", "folder"),
    ("stress", "files"),
}
WRITES = {
    ("backup", "folder"): ["backup", "PATH"],
    ("export", "target"): ["export", "ratings", "PATH.csv", "--email", "ada@example.org"],
    ("hrv", "output"): ["hrv", "RR", "--output", "PATH"],
    ("sample", "folder"): ["sample", "PATH"],
    ("secrets", "folder"): ["secrets", "PATH"],
}
# Folders in which a command makes a new one, of a name that is not taken, or has its data.
HOLDS = {("backup", "parent"), ("start", "data_dir")}

PROGRAM = typer.main.get_command(app)


def output_of(*words: str, columns: int = 80) -> str:
    """What is printed on a terminal of that width (CliRunner's has 80 columns always)."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setenv("COLUMNS", str(columns))
        PROGRAM.main([*words], prog_name="ebbtide", standalone_mode=False)
    return said.getvalue()


@pytest.mark.parametrize("command", ALL)
def test_every_command_has_the_common_options(command: str) -> None:
    for short, long in (("-h", "--help"), ("-V", "--version")):
        texts = [output_of(*command.split(), way) for way in (short, long)]
        assert texts[0] == texts[1] != ""
    assert texts[0].startswith("ebbtide 0.")
    if command not in ("questionnaires", "store") and command not in SERVING:
        assert re.search(r"^ +--json ", output_of(*command.split(), "-h"), re.MULTILINE), command


@pytest.mark.parametrize("command", ["", *ALL])
def test_help_can_be_read_at_60_columns(command: str) -> None:
    narrow, wide = (output_of(*command.split(), "-h", columns=wide) for wide in (60, 80))
    assert max(map(len, narrow.splitlines())) <= 60
    # No word is cut, and none is left out.
    assert narrow.split() == wide.split()
    # No column of the table is a stack of single words.
    rows = [line for line in narrow.splitlines() if line.startswith("  ")]
    assert sum(len(line.split()) == 1 for line in rows) <= max(4, 0.4 * len(rows))


def kind_of(annotation: Any) -> set[Any]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return {kind for part in typing.get_args(annotation) for kind in kind_of(part)}
    return {Literal} if typing.get_origin(annotation) is Literal else {annotation}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_of_the_wrong_kind_is_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "500")
    variable = f"EBBTIDE_{name.upper()}"
    is_checked = bool(
        kind_of(Settings.model_fields[name].annotation) & {int, float, bool, Literal}
    ) or name in {
        "api_url",
        "dashboard_url",
        "oidc_issuer",
        "oidc_api_url",
        "trusted_proxies",
        "nightly_at",
        "retention_at",
    }
    monkeypatch.setenv(variable, str(tmp_path / "no sense"))
    monkeypatch.setattr(sys, "argv", ["ebbtide", "status"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == (1 if is_checked else 0)
    if is_checked:
        assert said.startswith(f"ebbtide: A setting is wrong. {variable}: Input should be")
        assert said.count("\n") == 1
        assert "no sense" not in said  # it may be secret


def paths_of(command: str) -> set[str]:
    module, _, function = COMMANDS[command].partition(":")
    hints = typing.get_type_hints(getattr(import_module(module), function))
    return {
        name
        for name, hint in hints.items()
        if Path in kind_of(hint) or typing.get_args(hint)[:1] == (Path,)
    }


def test_every_path_is_known_to_be_read_or_written() -> None:
    found = {(command, name) for command in COMMANDS for name in paths_of(command)}
    assert found == READS | set(WRITES) | HOLDS


@pytest.mark.parametrize("words", WRITES.values(), ids=lambda words: words[0])
def test_no_command_overwrites_a_file(words: list[str], tmp_path: Path) -> None:
    """Whoever is there stays as it is, and no password is asked for before that is said."""
    rr = tmp_path / "rr.txt"
    rr.write_text("rr_ms\n" + "812\n790\n" * 200)
    here = [word.replace("PATH", str(tmp_path / "mine")).replace("RR", str(rr)) for word in words]
    mine = tmp_path / ("mine.csv" if "PATH.csv" in words else "mine")
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "500"}
    mine.write_text("mine")
    done = run_ebbtide(*here, environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("ebbtide: ") and done.stderr.count("\n") == 1, done.stderr
    assert mine.read_text() == "mine"


def test_progress_without_a_terminal_comes_as_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = 100.0
    monkeypatch.setattr("cli.progress_display.time.monotonic", lambda: moment)
    with progress_bars() as progress:
        for done in range(0, 1001):
            moment += 0.02
            progress("blocks", done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert 9 <= len(lines) <= 10
    assert all(re.fullmatch(r"blocks: \d+%", line) for line in lines)
    shares = [int(line.split()[1].removesuffix("%")) for line in lines]
    assert shares == sorted(set(shares))
    with progress_bars() as progress:  # slow work: a line every five seconds
        for done in range(30):
            moment += 1.0
            progress("patients", done, 10_000)
    assert len(capsys.readouterr().err.splitlines()) == 5
    with progress_bars() as progress:  # what is done at once says nothing
        progress("blocks", 10, 10)
    assert capsys.readouterr().err == ""


FAILING = [
    ["import", "nothing.fit"],
    ["store", "check"],
    ["move"],
    ["demo", "--rr", "nothing.txt"],
    ["restore", "nothing"],
    ["scan", "--seconds", "1"],
]


@pytest.mark.parametrize("words", FAILING, ids=lambda words: " ".join(words[:2]))
def test_no_bar_is_drawn_before_a_command_fails(words: list[str], tmp_path: Path) -> None:
    """On a terminal. Rich hides the cursor whenever it begins to draw."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ebbtide", *words],
        env={**os.environ, **NO_BLUETOOTH, "EBBTIDE_DATA_DIR": str(tmp_path), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux's end of a terminal
            break
        if not part:
            break
        said += part
    os.close(ours)
    assert process.wait(timeout=60) != 0, said
    text = said.decode()
    assert "Traceback" not in text
    assert "\x1b[?25l" not in text and "━" not in text, text
