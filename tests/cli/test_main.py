"""The command line as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.commands import SUMMARIES
from cli.main import COMMANDS, app
from tests.conftest import ROOT
from tests.support.command_line import run_ebbtide


def test_version_and_help() -> None:
    assert run_ebbtide("--version", environment={}).stdout.startswith("ebbtide 0.")
    text = run_ebbtide("--help", environment={}).stdout
    for command in ("demo", "serve", "dashboard", "add-patient", "sign-in", "scan", "record"):
        assert command in text


def test_help_lists_every_command_in_its_order() -> None:
    lines = run_ebbtide("--help").stdout.partition("Commands:\n")[2].splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    groups = ["store", "questionnaires"]
    assert listed == [*(words for words in COMMANDS if " " not in words), *groups]
    for group in groups:
        assert "  check" in run_ebbtide(group, "--help").stdout


def test_the_table_of_commands_says_what_their_docstrings_say() -> None:
    assert [*SUMMARIES] == [*COMMANDS]
    for words, text in SUMMARIES.items():
        command: Any = typer.main.get_command(app)
        for word in words.split():
            command = command.commands[word]
        paragraphs = (" ".join(part.split()) for part in command.help.split("\n\n"))
        assert "\n\n".join(paragraphs) == text, f"cli/commands.py: {words}"


def test_help_imports_no_command_and_a_command_only_itself() -> None:
    for words, expected in (["--help"], []), (["store", "-h"], []), (["status", "-h"], ["status"]):
        code = (
            f"import sys; sys.argv = ['ebbtide', *{words!r}]\n"
            "from cli.main import main\n"
            "try: main()\n"
            "except SystemExit: pass\n"
            "from cli.commands import COMMANDS\n"
            "print([w for w, at in COMMANDS.items() if at.partition(':')[0] in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == str(expected)


def test_no_command_loads_a_heavy_library_before_it_runs() -> None:
    heavy = {"asyncio", "httpx", "numpy", "pandas", "pydantic", "rich", "streamlit", "uvicorn"}
    code = f"import sys, cli.main; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", [["status"], ["doctor"], ["store", "check"], ["serve"]])
def test_a_wrong_setting_is_one_sentence(command: list[str], tmp_path: Path) -> None:
    wrong = {"EBBTIDE_KEEP_DAYS": "nonsense", "EBBTIDE_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "ebbtide", *command],
        env={**os.environ, **wrong},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert said.startswith("ebbtide: A setting is wrong. EBBTIDE_KEEP_DAYS: Input should be")
    assert "Traceback" not in said and "nonsense" not in said


@pytest.mark.parametrize("short", ["-h", "-V"])
def test_short_options(short: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ebbtide", short], capture_output=True, text=True, check=True
    )
    assert done.stdout
