"""Days with imported heart rates are counted once, and then kept up to date by each import."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, event, func, literal_column, select
from sqlalchemy.orm import Session

from ebbtide.timestamps import DAY, FOREVER, MINUTE, SECOND
from store import RecordStore
from store.maintenance.copy import copy_records
from store.models import ImportedHeartRate, Person
from store.models.imports import heart_rate_id, pack_identifiers
from store.sql.engine import sqlite_engine
from store.sql.records import SqlRecordStore
from store.sql.tables.imports import HeartRateRow
from tests.support.records import a_person

FIRST = 20_000


def rate(person: Person, time_ns: int, bpm: float = 60, **more: object) -> ImportedHeartRate:
    device = str(more.pop("device", "watch"))
    own_id = heart_rate_id(person.id, device, time_ns)
    entered = int(more.pop("entered_ns", 1))  # type: ignore[call-overload]
    return ImportedHeartRate(own_id, person.id, time_ns, bpm, device, entered_ns=entered, **more)  # type: ignore[arg-type]


@pytest.fixture
def ada(record_store: RecordStore) -> Person:
    return a_person(record_store)


def counted(engine: Engine, person: Person) -> dict[int, tuple[int, int]]:
    """The same by reading all rows."""
    day = (HeartRateRow.time_ns // literal_column(str(DAY))).label("day")
    query = select(day, func.count(), func.max(HeartRateRow.entered_ns)).group_by(day)
    with Session(engine) as db:
        rows = db.execute(query.where(HeartRateRow.person_id == person.id))
        return {int(row[0]): (int(row[1]), int(row[2])) for row in rows}


def contents(store: RecordStore, person: Person, day: int) -> object:
    rows = store.heart_rates(person.id, day * DAY, (day + 1) * DAY)
    return [replace(row, entered_ns=0) for row in rows]


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_db: object, _cursor: object, statement: str, *_more: object) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_rows_are_not_counted_again(
    record_store: RecordStore, sql_engine: Engine, ada: Person
) -> None:
    """Each request for a trend counted all of them three times."""
    rates = [rate(ada, FIRST * DAY + n * MINUTE) for n in range(3000)]
    record_store.import_records(ada.id, [], rates)
    first = record_store.heart_rate_days(ada.id, *FOREVER)
    with statements(sql_engine) as found:
        assert record_store.heart_rate_days(ada.id, *FOREVER) == first
        record_store.import_records(ada.id, [], [rate(ada, FIRST * DAY + 5 * SECOND, 61)])
        days = record_store.heart_rate_days(ada.id, *FOREVER)
    assert days[FIRST] == (first[FIRST][0] + 1, 1)
    assert not [one for one in found if "count(" in one]


def test_days_are_those_that_the_range_touches(record_store: RecordStore, ada: Person) -> None:
    rates = [rate(ada, (FIRST + day) * DAY + n) for day in range(4) for n in range(day + 1)]
    record_store.import_records(ada.id, [], rates)
    middle = record_store.heart_rate_days(ada.id, (FIRST + 1) * DAY + 1, (FIRST + 3) * DAY)
    assert middle == {FIRST + 1: (2, 1), FIRST + 2: (3, 1)}


@pytest.mark.parametrize("seed", range(4))
def test_the_index_names_what_is_stored(
    record_store: RecordStore, sql_engine: Engine, ada: Person, seed: int
) -> None:
    """Also after corrections, after what comes again, after two that turn out to be one, and where
    an import is refused as a whole.
    """
    chance = random.Random(seed)
    before: dict[int, tuple[object, tuple[int, int]]] = {}
    for turn in range(1, 40):
        sent = []
        for _ in range(chance.randrange(1, 8)):
            name = chance.randrange(6)
            sent.append(
                rate(
                    ada,
                    FIRST * DAY + name * (DAY // 2),
                    chance.choice([60.0, 70.0]),
                    device=chance.choice(["", "watch"]),
                    status=chance.choice(["final", "corrected"]),
                    issued_ns=chance.randrange(100),
                    identifiers=chance.choice([None, pack_identifiers([f"s|{name}"])]),
                    entered_ns=turn,
                )
            )
        record_store.import_records(ada.id, [], sent, is_atomic=chance.random() < 0.3)
        if turn % 3:
            continue
        found, rows = record_store.heart_rate_days(ada.id, *FOREVER), counted(sql_engine, ada)
        assert {day: n for day, (n, _) in found.items()} == {day: n for day, (n, _) in rows.items()}
        # Of two that became one, the later may be gone; a day that changed still has another name.
        assert all(found[day][1] >= came_ns for day, (_, came_ns) in rows.items())
        content = {day: contents(record_store, ada, day) for day in rows}
        for day in content.keys() & before.keys():
            assert (content[day] == before[day][0]) or found[day] != before[day][1]
        before = {day: (content[day], found[day]) for day in rows}


def test_rows_that_a_copy_brings_are_counted(
    record_store: RecordStore, sql_engine: Engine, ada: Person, tmp_path: Path
) -> None:
    target = sqlite_engine(tmp_path / "copy.sqlite")
    copied = SqlRecordStore(target)
    for turn in (1, 2):
        record_store.import_records(ada.id, [], [rate(ada, FIRST * DAY + turn)])
        record_store.heart_rate_days(ada.id, *FOREVER)
        copy_records(sql_engine, target)
        assert copied.heart_rate_days(ada.id, *FOREVER) == {FIRST: (turn, 1)}
    copied.close()


def test_nothing_of_it_is_left_of_whoever_was_erased(
    record_store: RecordStore, sql_engine: Engine, ada: Person
) -> None:
    record_store.import_records(ada.id, [], [rate(ada, FIRST * DAY)])
    assert record_store.heart_rate_days(ada.id, *FOREVER) == {FIRST: (1, 1)}
    record_store.erase(ada.id)
    assert record_store.heart_rate_days(ada.id, *FOREVER) == {}
    with sql_engine.connect() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM reports").scalar() == 0


def test_columns_are_the_rows_that_a_device_measured(
    record_store: RecordStore, ada: Person
) -> None:
    rates = [
        rate(ada, FIRST * DAY + n, 60 + n, device=["b", "a"][n % 2], simulated=n == 3)
        for n in range(6)
    ]
    by_hand = rate(ada, FIRST * DAY + 2, 99, device="", modality="self-reported")
    record_store.import_records(ada.id, [], [*rates, by_hand])
    found = record_store.heart_rate_columns(ada.id, FIRST * DAY + 1, FIRST * DAY + 5)
    assert found.time_ns.tolist() == [item.time_ns for item in rates[1:5]]
    assert found.bpm.tolist() == [61, 62, 63, 64]
    assert [found.devices[place] for place in found.device.tolist()] == ["a", "b", "a", "b"]
    assert found.simulated.tolist() == [False, False, True, False]
    nothing = record_store.heart_rate_columns(ada.id, 0, 1)
    assert nothing.time_ns.dtype == np.dtype(np.int64) and not nothing.devices
