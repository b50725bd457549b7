"""Text of older stores that a server does not take is copied without the refused characters."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import select, update

from ebbtide.beats import Origin, Stream
from store import Stores
from store.maintenance.copy import copy_beats, copy_records
from store.maintenance.server_backup import move
from store.sql.engine import sqlite_engine
from store.sql.tables.records import PersonRow
from store.sqlite.beats import SqliteBeatStore


def test_nul_is_left_out_and_counted(
    tmp_path: Path, stores: Stores, patient: Callable[..., str]
) -> None:
    patient("ada@example.org")
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    stream = Stream(str(uuid.uuid4()), Origin.FILE, "wat\x00ch", 1_790_000_000_000_000_000)
    stores.beats.put_stream(person.subject_id, stream)
    with stores.engine.begin() as db:
        db.execute(update(PersonRow).values(name="A\x00da"))
    beats, records = tmp_path / "to-beats.sqlite", tmp_path / "to-records.sqlite"
    with closing(SqliteBeatStore(beats)) as target:
        engine = sqlite_engine(records)
        assert copy_records(stores.engine, engine).cleaned == {"people": 1}
        assert copy_beats(stores.beats, target).cleaned == {"streams": 1}
        with engine.connect() as db:
            assert db.scalar(select(PersonRow.name)) == "Ada"
        assert target.coverage(person.subject_id)[0].stream.source == "watch"
        files = sorted(p for p in tmp_path.rglob("*.sqlite") if not p.name.startswith("to-"))
        by_name = {p.name: p for p in files}
        found = move(by_name["beats.sqlite"], by_name["records.sqlite"], target, engine)
        assert found.cleaned == {"people": 1, "streams": 1}
        engine.dispose()
