"""A TCP proxy with faults: it resets or delays connections, or drops responses."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from contextlib import suppress


class FaultyProxy:
    """Listens on loopback and passes on to ``port``, with ``fault``: "well", "slow", "resets"
    (within the first bytes of a request), "swallows" (the answer).
    """

    def __init__(self, port: int, seed: int = 1) -> None:
        self._to = port
        self._chance = random.Random(seed)
        self.fault = "well"
        self.cut = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open = True
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> FaultyProxy:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._open = False
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                _reset(client)
                continue
            for source, target, there in ((client, server, True), (server, client, False)):
                threading.Thread(
                    target=self._pump, args=(source, target, there), daemon=True
                ).start()

    def _pump(self, source: socket.socket, target: socket.socket, there: bool) -> None:
        with suppress(OSError):
            while data := source.recv(16_384):
                if self.fault == "slow":
                    time.sleep(0.1)
                if (
                    self.fault == ("resets" if there else "swallows")
                    and self._chance.random() < 0.5
                ):
                    self.cut += 1
                    target.sendall(data[: self._chance.randrange(len(data))] if there else b"")
                    _reset(source)
                    _reset(target)
                    return
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # A thread waits in recv of the other direction, and would hold the connection open.
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
