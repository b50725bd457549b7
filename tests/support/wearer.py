"""Somebody who wears a played strap."""

from __future__ import annotations

import threading

from tests.support.played_bluez import PlayedStrap

_BEAT_S = 0.83


class Wearer:
    """Wears a strap, in a thread: about 72 beats a minute, and as many notifications.

    ``contact``: whether the strap feels skin; ``beats``: sent until now.
    """

    def __init__(self, strap: PlayedStrap) -> None:
        self._strap, self._ended = strap, threading.Event()
        self.contact, self.beats = True, 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Take it off."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_BEAT_S):
            self.beats += 1
            self._strap.beat(72, [850 + self.beats % 9] if self.contact else [], self.contact)
