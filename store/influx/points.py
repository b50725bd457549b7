"""What is done with all points of a subject or a stream on one server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY
from store.errors import DamagedStoreError
from store.influx import line_protocol as lines


class Points(Protocol):
    """A server, as it is needed here."""

    @property
    def can_erase(self) -> bool: ...

    def rows(self, query: str) -> list[list[Any]]: ...

    def command(self, statement: str) -> None: ...


def of_stream(subject_id: str, stream_id: str) -> str:
    """The condition of a stream's points."""
    return f"\"stream\" = '{stream_id}' AND \"subject\" = '{subject_id}'"


def of_subject(subject_id: str) -> str:
    """The condition of a subject's points."""
    return f"\"subject\" = '{subject_id}'"


def on_days(first: int, last: int) -> str:
    """The condition of the UTC days from the first to the last."""
    return f"time >= {first * DAY} AND time < {(last + 1) * DAY}"


def delete_points(server: Points, measurement: str, where: str) -> None:
    """Delete points, where the server can."""
    if server.can_erase:
        server.command(f"DELETE FROM {measurement} WHERE {where}")


def delete_subject(server: Points, subject_id: str) -> None:
    """Delete every point of the subject, and look. Raises DamagedStoreError when points can still
    be read, and EbbtideError for a server that cannot delete.
    """
    where = of_subject(subject_id)
    # Asked first: it is known then whether the server can delete.
    server.rows(f"SELECT * FROM {lines.BEATS} WHERE {where} LIMIT 1")
    if not server.can_erase:
        raise EbbtideError(
            "This InfluxDB cannot delete rows: their beats stay in it, under a random id.",
            "Delete its database, or move to InfluxDB 1.x or 2.x, to be rid of them.",
        )
    for measurement in lines.MEASUREMENTS:
        delete_points(server, measurement, where)
    left = measurements_of(server, subject_id)
    if left:
        raise DamagedStoreError(
            f"After erasing, points of {', '.join(left)} can still be read.",
            "Give the command again.",
        )


def measurements_of(server: Points, subject_id: str) -> Sequence[str]:
    """The measurements in which the server has points of the subject."""
    where = of_subject(subject_id)
    return [
        name
        for name in lines.MEASUREMENTS
        if server.rows(f"SELECT * FROM {name} WHERE {where} LIMIT 1")
    ]


def list_subjects(server: Points, is_wanted: Callable[[str], bool]) -> list[str]:
    """The subjects of whom the server has points, of those that are wanted."""
    named = {
        row[1]
        for name in lines.MEASUREMENTS
        for row in server.rows(f'SHOW TAG VALUES FROM "{name}" WITH KEY = "subject"')
    }
    # The index of 1.x remembers names for a while after the last point has gone.
    return sorted(
        subject for subject in named if is_wanted(subject) and measurements_of(server, subject)
    )
