"""What a store's driver raises when the store is away, or has no room: nothing was promised."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

from store.protocols.beats import StoreUnavailableError

UNAVAILABLE: tuple[type[Exception], ...] = (
    StoreUnavailableError,
    sqlite3.OperationalError,
    exc.OperationalError,
    exc.InterfaceError,
    exc.TimeoutError,
)
