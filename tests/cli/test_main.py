"""The command line as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import COMMANDS
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
