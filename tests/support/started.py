"""``ebbtide start`` as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def started(
    folder: Path,
    port: int,
    program: Sequence[str] = ("-m", "ebbtide"),
    *,
    end: signal.Signals | None = signal.SIGINT,
) -> Iterator[str]:
    """Run ``ebbtide start`` and yield the address that it opens; end it as Ctrl-C does, or by
    another signal. ``end`` None: it has ended by itself by then.
    """
    output = folder / f"output-{time.monotonic_ns()}"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, *program, "start", "--no-browser"],
            env={
                **os.environ,
                "EBBTIDE_DATA_DIR": str(folder / "data"),
                "EBBTIDE_API_PORT": str(port),
            },
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _opened_address(process, output)
    except BaseException:
        end = signal.SIGINT  # whatever was expected: nothing is left behind
        raise
    finally:
        if end is not None:
            process.send_signal(end)
        status = process.wait(timeout=30)
    text = output.read_text()
    assert status == 0, text
    assert text.splitlines()[-1] == "Ended. Nothing runs any more."
    assert not (folder / "data" / "start.json").exists()


def _opened_address(process: subprocess.Popen[bytes], output: Path) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = re.search(r"^Open  (\S+)", output.read_text(), re.MULTILINE)
        if found:
            return found[1]
        assert process.poll() is None, output.read_text()
        time.sleep(0.1)
    raise AssertionError(output.read_text())
