"""``ebbtide demo``, interrupted. tests/system/test_demo.py runs the whole of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.support.command_line import EBBTIDE


def test_an_interrupted_demo_has_its_own_exit_status(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*EBBTIDE, "demo", "--once", "--json"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    # Once it is at work, however long Python took to load it.
    while not list(tmp_path.iterdir()):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (130, b"")


def test_an_interrupt_while_code_is_made_keeps_the_exit_status(tmp_path: Path) -> None:
    # What is loaded while the signal comes calls exec(): CPython then ends `python -m` by SIGINT.
    (tmp_path / "sitecustomize.py").write_text(
        "import tempfile\n\n\ndef interrupted(*_: object, **__: object) -> None:\n"
        "    exec('raise KeyboardInterrupt')\n\n\ntempfile.TemporaryDirectory = interrupted\n"
    )
    done = subprocess.run(
        [*EBBTIDE, "demo", "--once", "--json"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, b"")
