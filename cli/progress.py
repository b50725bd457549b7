"""Progress of what takes long: bars on a terminal, lines elsewhere, both on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.language import _

_MANY_WINDOWS = 20_000  # fewer are computed before a bar could be read


@contextmanager
def window_progress(total: int) -> Iterator[Callable[[int], None] | None]:
    """Give a function ``advance(count)``; None for little work."""
    if total < _MANY_WINDOWS:
        yield None
        return
    from rich.console import Console

    from cli.progress_display import LateProgress

    with LateProgress(console=Console(stderr=True)) as bar:
        task = bar.add_task(_("windows"), total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function ``progress(what, done, total)``; each ``what`` has a bar of its own."""
    from rich.console import Console
    from rich.progress import TaskID

    from cli.progress_display import LateProgress

    with LateProgress(console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress
