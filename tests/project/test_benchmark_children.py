"""What a benchmark starts ends with it, whatever happens."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from benchmarks.children import child

SPEAKS = [sys.executable, "-c", "import time; print('no disk', flush=True); time.sleep(300)"]
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"


def test_an_error_ends_the_child_and_has_its_last_words() -> None:
    with pytest.raises(SystemExit) as raised, child(SPEAKS) as running:
        while not psutil.Process(running.pid).io_counters().write_chars:
            time.sleep(0.05)
        raise SystemExit("the page was late")
    assert running.returncode is not None
    assert "no disk" in "".join(getattr(raised.value, "__notes__", []))


def test_a_child_that_does_not_listen_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.children._ENDS_WITHIN_S", 0.5)
    with child([sys.executable, "-c", DEAF]) as running:
        pass
    assert running.returncode is not None


def test_a_benchmark_that_is_given_up_leaves_no_process() -> None:
    code = """
        import subprocess, sys
        from benchmarks.children import end_with_us
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        end_with_us(process)
        print(process.pid, flush=True)
        raise SystemExit("no answer within a minute")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "no answer" in done.stderr
    assert not psutil.pid_exists(int(done.stdout))
