"""Run another process as this one, and end it with this one."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

_STOP_TIMEOUT_S = 10  # for the child to end by itself, before it is killed
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)


def run_child(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run ``command`` until it ends, and return its status; 0 where a signal to this process ended
    it.

    SIGTERM, SIGINT and SIGHUP to this process end the child, which has no other parent to do so:
    it would go on and keep its port.
    """
    child: subprocess.Popen[bytes] | None = None
    is_ending = False

    def end(_: int, __: FrameType | None) -> None:
        nonlocal is_ending
        is_ending = True
        if child is not None:
            child.terminate()

    # A signal that is ignored (SIGINT of a background job, SIGHUP under nohup) stays ignored.
    before = {
        number: signal.signal(number, end)
        for number in _SIGNALS
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        child = subprocess.Popen(list(command), env=dict(env))
        if is_ending:  # the signal came while the child was started
            child.terminate()
        return _wait(child, lambda: is_ending)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(child: subprocess.Popen[bytes], is_ending: Callable[[], bool]) -> int:
    while True:
        try:
            status = child.wait(1)
        except subprocess.TimeoutExpired:
            if not is_ending():
                continue
            try:
                child.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            return 0
        return 0 if is_ending() else status
