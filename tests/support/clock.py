"""A clock that a test moves."""

from __future__ import annotations

from store import Stores


class Clock:
    """Begins at the stores' time; ``replace(stores, now=Clock(stores))`` makes stores follow it."""

    def __init__(self, stores: Stores) -> None:
        self.now_ns = stores.now()

    def __call__(self) -> int:
        return self.now_ns
