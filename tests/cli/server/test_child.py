"""A child ends with its parent, whichever signal ends that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.server.child import run_child

PARENT = """
import os, sys
from cli.server.child import run_child
code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
sys.exit(run_child([sys.executable, "-c", code, sys.argv[1]], os.environ))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_the_child(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(file)])
    deadline = time.monotonic() + 30
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.send_signal(number)
    assert parent.wait(15) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


def test_status_of_the_child_is_returned() -> None:
    assert run_child([sys.executable, "-c", "raise SystemExit(3)"], os.environ) == 3
