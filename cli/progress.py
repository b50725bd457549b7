"""Progress bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MANY_WINDOWS = 20_000  # fewer are computed before a bar could be read


@contextmanager
def window_progress(total: int) -> Iterator[Callable[[int], None] | None]:
    """Give a function ``advance(count)`` with a bar; None for little work or no terminal."""
    if total < _MANY_WINDOWS or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("windows", total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function ``progress(what, done, total)``; each ``what`` has a bar of its own."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress
