"""Bars that appear with the first progress; lines where there is no terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TaskID

LINE_EVERY_S = 5.0  # at the latest; after a tenth of the work sooner
MIN_LINE_S = 1.0  # what ends within it says nothing
_STEP = 0.1


@dataclass(slots=True)
class _Said:
    """The last line about a task: when, and at which share of the work."""

    at_s: float
    share: float = 0.0


class LateProgress(Progress):
    """Rich's bars. What fails before it has done anything draws none."""

    def __init__(self, *columns: ProgressColumn | str, console: Console) -> None:
        super().__init__(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._said: dict[TaskID, _Said] = {}

    def __enter__(self) -> Self:
        return self

    def update(self, task_id: TaskID, *arguments: Any, **fields: Any) -> None:
        """Update a task, as Rich does."""
        super().update(task_id, *arguments, **fields)
        self._show(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Advance a task, as Rich does."""
        super().advance(task_id, advance)
        self._show(task_id)

    def _show(self, task_id: TaskID) -> None:
        task = self._tasks[task_id]
        if task.completed <= 0:
            self._said.pop(task_id, None)
        elif not self.disable:
            if not self.live.is_started:
                self.start()
        else:
            self._print_line(task)

    def _print_line(self, task: Task) -> None:
        now = time.monotonic()
        share = task.completed / task.total if task.total else 0.0
        last = self._said.setdefault(task.id, _Said(now))
        passed = now - last.at_s
        if passed >= LINE_EVERY_S or (passed >= MIN_LINE_S and share >= last.share + _STEP):
            self._said[task.id] = _Said(now, share)
            done = f"{share:.0%}" if task.total else f"{task.completed:.0f}"
            self.console.print(f"{task.description}: {done}", markup=False, soft_wrap=True)
