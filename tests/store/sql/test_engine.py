"""Connections to a database: asked whether they stand when they were idle, and not each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import QueuePool, create_engine, text

from store.sql import engine as engines


@pytest.mark.parametrize("idle_s", [-1.0, 3600.0])
def test_a_connection_is_asked_only_where_it_was_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle_s: float
) -> None:
    monkeypatch.setattr(engines, "_IDLE_S", idle_s)
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", poolclass=QueuePool, pool_size=1)
    engines._ping_idle(engine)
    asked = []
    ping = engine.dialect.do_ping
    monkeypatch.setattr(
        engine.dialect, "do_ping", lambda connection: asked.append(1) or ping(connection)
    )
    for _ in range(3):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    # A new connection has not been used, and is asked once.
    assert len(asked) == (3 if idle_s < 0 else 1)
    engine.dispose()


def test_a_connection_that_died_while_idle_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_IDLE_S", -1.0)
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", poolclass=QueuePool, pool_size=1)
    engines._ping_idle(engine)
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        connection.execute(text("SELECT 1"))
    assert driver is not None
    driver.close()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 2")) == 2
    engine.dispose()
