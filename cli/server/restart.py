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


def restart(*listeners: socket.socket) -> None:
    """Run the same program in this process, with the same process id. Does not return."""
    for listener in listeners:
        listener.set_inheritable(True)
    os.environ[_LISTENER] = ",".join(str(listener.fileno()) for listener in listeners)
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # nosec B606: the same command


def inherited_sockets() -> list[socket.socket]:
    """The sockets that this program was restarted with; none where it was not."""
    numbers = os.environ.pop(_LISTENER, "")
    found = [socket.socket(fileno=int(number)) for number in numbers.split(",") if number]
    for listener in found:
        listener.set_inheritable(False)
    return found


def inherited_socket() -> socket.socket | None:
    """The one socket that this program was restarted with; None where it was not."""
    return next(iter(inherited_sockets()), None)
