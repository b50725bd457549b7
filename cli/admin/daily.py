"""``ebbtide daily``: another command at a time of each day, for containers, which have no cron."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.language import _, say_result
from ebbtide.daily_state import DAILY_COMMANDS, DailyState, problem_of, read_state
from ebbtide.errors import EbbtideError

_BEAT_S = 20.0
_RETRY_S = 3600.0
_POLL_S = 0.5
_LOG = logging.getLogger("ebbtide.daily")


def daily(
    command: Annotated[
        list[str],
        typer.Argument(help=f"One of {', '.join(DAILY_COMMANDS)}, with its options."),
    ],
    at: Annotated[
        str, typer.Option(help="Time of the day, in the time zone of this machine (TZ).")
    ] = "02:30",
    check: Annotated[
        bool, typer.Option("--check", help="Say whether such a job runs and last went well.")
    ] = False,
) -> None:
    """Run a command of this program once a day, and again an hour later where it failed."""
    from ebbtide.settings import Settings

    if command[0] not in DAILY_COMMANDS:
        raise EbbtideError(
            f"{command[0]} is not a command for each day.",
            f"Use one of {', '.join(DAILY_COMMANDS)}.",
        )
    file = Settings().data_dir / f"daily-{command[0]}.json"
    if check:
        _check(file, command[0])
        return
    _DailyJob(command, parse_time(at), file).run()


def parse_time(text: str) -> tuple[int, int]:
    """Return hours and minutes of ``HH:MM``. Raises EbbtideError."""
    try:
        parsed = time.strptime(text, "%H:%M")
    except ValueError as error:
        raise EbbtideError(f"--at {text} is no time of a day.", "Write it as 02:30.") from error
    return parsed.tm_hour, parsed.tm_min


def next_time(after_s: float, at: tuple[int, int]) -> float:
    """Return when ``at`` comes next after a moment, on the clock of this machine's time zone. A
    time that a change of clocks skips counts an hour later.
    """
    today = time.localtime(after_s)

    def of_day(days: int) -> float:
        date = (today.tm_year, today.tm_mon, today.tm_mday + days)
        return time.mktime((*date, *at, 0, 0, 0, -1))

    due_s = of_day(0)
    return due_s if due_s > after_s else of_day(1)


class _DailyJob:
    def __init__(self, command: list[str], at: tuple[int, int], file: Path) -> None:
        self._command = command
        self._at = at
        self._file = file
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def run(self) -> None:
        """Run until SIGTERM or Ctrl-C, which the command's process gets, too."""
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        state = read_state(self._file) or DailyState()
        now_s = time.time()
        # A machine that was off at the time runs what it missed.
        state.next_s = next_time(state.started_s or now_s, self._at)
        if state.failed:
            state.next_s = now_s
        while not self._is_stopped:
            now_s = time.time()
            if self._child is None and now_s >= state.next_s:
                state.started_s = now_s
                self._start(state)
            elif self._child is not None and (status := self._child.poll()) is not None:
                self._child = None
                self._finish(state, status)
            if abs(now_s - state.alive_s) >= _BEAT_S:
                self._write(state)
            time.sleep(_POLL_S)
        if self._child is not None:
            self._child.wait()

    def _stop(self, *_: Any) -> None:
        self._is_stopped = True
        if self._child is not None:
            self._child.terminate()

    def _start(self, state: DailyState) -> None:
        _LOG.info("begins: ebbtide %s", " ".join(self._command))
        # A process of its own: its memory is free when it has ended.
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ebbtide", *self._command], stdin=subprocess.DEVNULL
        )
        self._write(state)

    def _finish(self, state: DailyState, status: int) -> None:
        now_s = time.time()
        if status == 0:
            state.succeeded_s, state.failed = now_s, ""
            state.next_s = next_time(now_s, self._at)
            _LOG.info("done; next at %s", _minute(state.next_s))
        else:
            state.failed = f"the run of {_minute(state.started_s)} ended with status {status}"
            state.next_s = min(next_time(now_s, self._at), now_s + _RETRY_S)
            _LOG.error("%s; again at %s", state.failed, _minute(state.next_s))
        self._write(state)

    def _write(self, state: DailyState) -> None:
        from ebbtide._files import write_private_json

        state.alive_s = time.time()
        try:
            write_private_json(self._file, asdict(state))
        except OSError as error:  # a full disk: the check says so by the time that is too old
            _LOG.warning("%s cannot be written: %s", self._file, os.strerror(error.errno or 0))


def _minute(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(at_s))


def _check(file: Path, name: str) -> None:
    state = read_state(file)
    problem = problem_of(state, time.time())
    if problem or state is None:
        typer.echo(f"{name}: {say_result(problem)}.")
        raise typer.Exit(1)
    words = (
        _("{name}: last done {last}, next {next}.")
        if state.succeeded_s
        else _("{name}: not yet run, next {next}.")
    )
    fields = {"last": _minute(state.succeeded_s), "next": _minute(state.next_s)}
    typer.echo(words.format(name=name, **fields))
