"""How many imported heart rates a person has on each UTC day, and when the last of them came.

Each request for a trend, a link or an export asks for it, and to count millions of rows takes
seconds. So it is stored as a derived report of the person, brought up to date in the transaction of
each import, and counted anew where it is missing: after a copy, and of older data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, func, literal_column, select
from sqlalchemy.orm import Session

from ebbtide.timestamps import DAY
from store.models import StoredReport
from store.models.imports import ImportedHeartRate
from store.sql.keeping import lock_person
from store.sql.rows import to_row
from store.sql.tables.imports import HeartRateRow
from store.sql.tables.records import ReportRow

_KIND = "days of heart rates"
_LAYOUT = "days of heart rates, layout 1"

Days = dict[int, tuple[int, int]]
"""Of each UTC day with heart rates: how many, and when the last of them came here."""


def read_day_index(db: Session, person_id: str) -> Days | None:
    """Read the index; None where there is none."""
    query = select(ReportRow.body).where(
        ReportRow.person_id == person_id,
        ReportRow.kind == _KIND,
        ReportRow.fingerprint == _LAYOUT,
    )
    body = db.scalar(query)
    if body is None:
        return None
    return {int(day): (count, came_ns) for day, (count, came_ns) in json.loads(body).items()}


def build_day_index(db: Session, person_id: str, may_keep: bool) -> Days:
    """Count all rows, and store the index if that ``may_keep``. No import of this person goes on
    meanwhile.
    """
    lock_person(db, person_id)
    found = read_day_index(db, person_id)  # another request was faster
    if found is None:
        found = _count(db, person_id)
        if may_keep and found:
            _write(db, person_id, found)
    return found


def update_day_index(
    db: Session,
    person_id: str,
    removed: Iterable[ImportedHeartRate],
    added: Iterable[ImportedHeartRate],
) -> None:
    """Bring the index up to date, where there is one. The person is locked.

    When the last came stays where it is removed, since it turned out to be one with another: days
    that change never get a name back that they had.
    """
    days = read_day_index(db, person_id)
    if days is None:
        return
    for item in added:
        count, came_ns = days.get(item.time_ns // DAY, (0, 0))
        days[item.time_ns // DAY] = (count + 1, max(came_ns, item.entered_ns))
    for item in removed:
        count, came_ns = days.get(item.time_ns // DAY, (0, 0))
        days[item.time_ns // DAY] = (count - 1, came_ns)
    _write(db, person_id, {day: facts for day, facts in days.items() if facts[0] > 0})


def drop_day_indexes(db: Connection | Session) -> None:
    """Remove all, where rows come in another way than by an import."""
    db.execute(delete(ReportRow).where(ReportRow.kind == _KIND))


def _count(db: Session, person_id: str) -> Days:
    day = (HeartRateRow.time_ns // literal_column(str(DAY))).label("day")
    query = (
        select(day, func.count(), func.max(HeartRateRow.entered_ns))
        .where(HeartRateRow.person_id == person_id)
        .group_by(day)
    )
    return {int(row[0]): (int(row[1]), int(row[2])) for row in db.execute(query)}


def _write(db: Session, person_id: str, days: Mapping[int, tuple[int, int]]) -> None:
    body = json.dumps({str(day): facts for day, facts in sorted(days.items())})
    db.merge(to_row(ReportRow, StoredReport(person_id, _KIND, _LAYOUT, body)))
    db.flush()
