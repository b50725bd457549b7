"""What a daily job (``ebbtide daily``) writes of itself, for its health check and the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

_SILENT_S = 120.0  # a loop that has not written for so long has died or hangs
DAILY_COMMANDS = ("nightly", "backup", "retention")


@dataclass(slots=True)
class DailyState:
    """What is written for the health check.

    Times are seconds since 1970; ``failed``: how the last run ended, or an empty text.
    """

    alive_s: float = 0.0
    next_s: float = 0.0
    started_s: float = 0.0
    succeeded_s: float = 0.0
    failed: str = ""


def read_state(file: Path) -> DailyState | None:
    """Read what a job wrote; None where there is nothing, or it cannot be read."""
    try:
        return DailyState(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def problem_of(state: DailyState | None, now_s: float) -> str:
    """Say what is wrong with a job; an empty text where nothing is."""
    if state is None or now_s - state.alive_s > _SILENT_S:
        return "it is not running"
    return state.failed
