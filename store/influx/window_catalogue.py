"""The HRV windows of days in the catalogue, from where they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from store.encoding import window_block
from store.influx.places import read_place
from store.influx.transactions import is_erased, lock_subject
from store.models.beats import DailyWindows
from store.sql.engine import write_transaction
from store.sql.tables.beats import WindowDayRow


class WindowCatalogue:
    """The windows of days; ``engine`` is at the newest revision."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(
        self, subject_id: str, method: str, names: Sequence[str], first_day: int, last_day: int
    ) -> dict[int, DailyWindows]:
        """Read the windows of each day, with the metrics ``names``."""
        wanted = (WindowDayRow.day, WindowDayRow.content, WindowDayRow.block)
        rows = self._rows(subject_id, method, first_day, last_day, *wanted)
        return {row[0]: window_block.decode(row[1], row[2], names) for row in rows}

    def fingerprints(
        self, subject_id: str, method: str, first_day: int, last_day: int
    ) -> dict[int, str]:
        """Read the fingerprints of the windows of each day."""
        wanted = (WindowDayRow.day, WindowDayRow.content)
        rows = self._rows(subject_id, method, first_day, last_day, *wanted)
        return {row[0]: row[1] for row in rows}

    def _rows(
        self, subject_id: str, method: str, first_day: int, last_day: int, *wanted: Any
    ) -> Sequence[Any]:
        with self._engine.connect() as db:
            return db.execute(
                select(*wanted).where(
                    WindowDayRow.subject_id == subject_id,
                    WindowDayRow.method == method,
                    WindowDayRow.day.between(first_day, last_day),
                )
            ).all()

    @contextmanager
    def replacing(
        self, subject_id: str, method: str, days: Mapping[int, DailyWindows]
    ) -> Iterator[str | None]:
        """Replace the windows of these days, while they are written to the server whose name it
        yields; None, and nothing may be written, where the subject was erased. Erasing and moving
        wait until this ends.
        """
        with write_transaction(self._engine) as db:
            lock_subject(db, subject_id)
            if is_erased(db, subject_id):
                yield None
                return
            yield read_place(db, subject_id).server
            db.execute(
                delete(WindowDayRow).where(
                    WindowDayRow.subject_id == subject_id, WindowDayRow.day.in_(list(days))
                )
            )
            db.execute(
                insert(WindowDayRow),
                [
                    {
                        "subject_id": subject_id,
                        "method": method,
                        "day": day,
                        "content": windows.fingerprint,
                        "block": window_block.encode(windows),
                    }
                    for day, windows in days.items()
                ],
            )
