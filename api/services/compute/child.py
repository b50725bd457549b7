"""The process of ``pool.WorkerPool``: calls functions that it is sent, one after the other."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import sys
from typing import Any, BinaryIO

LENGTH = struct.Struct("<Q")
OK, RAISED, NO_MEMORY = 0, 1, 2


def main(max_memory_bytes: int) -> None:
    """Serve calls from standard input until it ends."""
    calls, results = _take_over_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    _limit(max_memory_bytes)
    while (call := read_frame(calls)) is not None:
        try:
            function, arguments = pickle.loads(call)  # nosec B301: from the parent alone
            del call
            reply: tuple[int, Any] = (OK, function(*arguments))
            del arguments
            frame = pickle.dumps(reply, 5)
        except MemoryError:
            frame = pickle.dumps((NO_MEMORY, None), 5)
        except Exception as error:
            frame = _pickle_error(error)
        reply = (OK, None)
        try:
            write_frame(results, frame)
        except OSError:  # the server has ended
            return


def write_frame(stream: BinaryIO, frame: bytes) -> None:
    """Write bytes after their length."""
    stream.write(LENGTH.pack(len(frame)))
    stream.write(frame)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """Read what ``write_frame`` wrote; None at the end of the stream."""
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    frame = stream.read(length)
    return frame if len(frame) == length else None


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for frames: what a library prints goes to standard error."""
    calls, results = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(calls, os.O_BINARY)
        msvcrt.setmode(results, os.O_BINARY)
    return os.fdopen(calls, "rb"), os.fdopen(results, "wb")


def _limit(max_memory_bytes: int) -> None:
    """Run below the priority of the server, and with bounded memory, where that can be set."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        os.nice(10)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        # Not the address space, of which libraries map far more than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))


def _pickle_error(error: Exception) -> bytes:
    try:
        frame = pickle.dumps((RAISED, error), 5)
        pickle.loads(frame)  # nosec B301: made above; some errors cannot be read back
    except Exception:
        return pickle.dumps((RAISED, RuntimeError(f"{type(error).__name__}: {error}")), 5)
    return frame
