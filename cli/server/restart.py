"""Restart the program of this process in its place (exec), with the socket that it listens on.

Memory that Python has freed is not overwritten before it is used again: after an erasure only a
process that ends gives back all that it held. Connections that come meanwhile wait in the socket.
"""

from __future__ import annotations

import os
import socket
import sys

_LISTENER = "EBBTIDE_INHERITED_LISTENER"


def can_restart() -> bool:
    """Whether a program can take the place of another in its process: not on Windows."""
    return os.name == "posix"


def restart(listener: socket.socket) -> None:
    """Run the same program in this process, with the same process id. Does not return."""
    listener.set_inheritable(True)
    os.environ[_LISTENER] = str(listener.fileno())
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # nosec B606: the same command


def inherited_socket() -> socket.socket | None:
    """The socket that this program was restarted with; None where it was not."""
    number = os.environ.pop(_LISTENER, None)
    if number is None:
        return None
    found = socket.socket(fileno=int(number))
    found.set_inheritable(False)
    return found
