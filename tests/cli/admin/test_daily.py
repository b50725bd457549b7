"""``ebbtide daily``: when a command runs next, and what the health check says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from cli.admin.daily import DailyState, next_time, parse_time, problem_of, read_state
from cli.main import app
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store import open_stores

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no tzset")
@pytest.mark.parametrize(
    ("now", "at", "due"),
    [
        ((2026, 11, 27, 1, 0), "02:30", (2026, 11, 27, 2, 30)),
        ((2026, 11, 27, 2, 30), "02:30", (2026, 11, 28, 2, 30)),
        ((2026, 12, 31, 23, 0), "02:30", (2027, 1, 1, 2, 30)),
        # Clocks go back at 03:00 on 25 October: a day of 25 hours.
        ((2026, 10, 24, 4, 0), "03:30", (2026, 10, 25, 3, 30)),
    ],
)
def test_the_next_time_is_of_the_clock_on_the_wall(
    monkeypatch: pytest.MonkeyPatch,
    now: tuple[int, int, int, int, int],
    at: str,
    due: tuple[int, int, int, int, int],
) -> None:
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        found = next_time(datetime(*now, tzinfo=BERLIN).timestamp(), parse_time(at))
        assert datetime.fromtimestamp(found, BERLIN) == datetime(*due, tzinfo=BERLIN)
    finally:
        if before is None:
            monkeypatch.delenv("TZ")
        else:
            monkeypatch.setenv("TZ", before)
        time.tzset()


@pytest.mark.parametrize("text", ["", "24:00", "2.30", "02:60", "noon"])
def test_what_is_no_time_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(EbbtideError, match="no time of a day"):
        parse_time(text)


def test_only_commands_for_each_day_are_run() -> None:
    done = CliRunner().invoke(app, ["daily", "erase", "ada@example.org"])
    assert isinstance(done.exception, EbbtideError)
    assert "not a command for each day" in str(done.exception)


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (None, "it is not running"),
        (DailyState(alive_s=1000.0 - 121), "it is not running"),
        (DailyState(alive_s=1000.0, failed="the run of X ended with status 1"), "the run of X"),
        (DailyState(alive_s=1000.0 - 60), ""),
    ],
)
def test_what_is_wrong_with_a_job(state: DailyState | None, problem: str) -> None:
    found = problem_of(state, 1000.0)
    assert found.startswith(problem)
    assert bool(found) == bool(problem)


def test_a_missed_run_is_made_up_for_and_a_failed_one_is_named(tmp_path: Path) -> None:
    """A backup of a store that is not there fails; once it is there, it goes well."""
    file = tmp_path / "data/daily-backup.json"
    file.parent.mkdir()
    missed = DailyState(started_s=time.time() - 3 * 86_400)
    file.write_text(json.dumps(asdict(missed)))
    backups = tmp_path / "backups"
    first = _run(tmp_path, backups, lambda state: bool(state.failed))
    assert re.match(r"the run of .* ended with status 1", first.failed)
    assert first.succeeded_s == 0
    assert first.next_s <= time.time() + 3600
    checked = _check(tmp_path)
    assert (checked.returncode, "ended with status 1" in checked.stdout) == (1, True)

    open_stores(Settings(data_dir=tmp_path / "data")).close()
    second = _run(tmp_path, backups, lambda state: state.succeeded_s > 0)
    assert second.failed == ""
    assert len(list(backups.glob("ebbtide-backup-*/backup.json"))) == 1
    checked = _check(tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "last done" in checked.stdout


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "EBBTIDE_DATA_DIR": str(folder / "data")}


def _run(folder: Path, backups: Path, is_done: Callable[[DailyState], bool]) -> DailyState:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "ebbtide", "daily", "--at", "02:30"),
            *("backup", "--in", str(backups), "--keep", "3"),
        ],
        env=_environment(folder),
        cwd=folder,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            state = read_state(folder / "data/daily-backup.json")
            if state is not None and is_done(state):
                return state
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ebbtide", "daily", "--check", "backup"],
        env=_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
