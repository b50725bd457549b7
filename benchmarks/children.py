"""Processes that a benchmark starts: ended whatever happens, and heard when they fail."""

from __future__ import annotations

import atexit
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

_ENDS_WITHIN_S = 15.0
_LAST_WORDS = 2000  # characters


@contextmanager
def child(
    command: Sequence[str], env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` until the context ends, by an error too.

    An error in the context is raised with what the process wrote last: Popen's own context waits
    for a process that nobody ended.
    """
    # A file and not a pipe, which would block once it is full.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            list(command), env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            yield process
        except BaseException as error:
            said.seek(0)
            words = said.read().decode(errors="replace")[-_LAST_WORDS:].strip()
            if words:
                error.add_note(f"{command[0]} wrote:\n{words}")
            raise
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force where it does not."""
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_with_us(process: subprocess.Popen[bytes]) -> None:
    """End a process when this one ends, by an error or a ``SystemExit`` too."""
    atexit.register(end, process)
