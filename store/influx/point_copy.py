"""Copy points from one InfluxDB server to another, counted and summed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from store.encoding.runs import Run
from store.errors import DamagedStoreError
from store.influx import line_protocol as lines
from store.influx.points import delete_points, of_stream, of_subject, on_days
from store.influx.servers import PlacedServer

_BEAT_FIELDS = ("contact", "heart_rate_bpm", "received_ns", "energy_kj", "rr_ticks", "sequence")
_RATE_FIELDS = ("contact", "heart_rate_bpm", "received_ns", "energy_kj", "sequence")
_TAGS = ("stream", "subject", "method")

Servers = tuple[PlacedServer, PlacedServer]
"""From which, and to which."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """What the target has to answer to ``query`` once the points are written."""

    query: str
    sums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Points that were read from the source, as lines, and how to see that they arrived."""

    target: PlacedServer
    lines: Sequence[str]
    expected: Sequence[_Expected] = ()
    deleted: tuple[str, str] | None = None

    def write(self) -> None:
        """Write them, and compare. Raises DamagedStoreError where the target has others."""
        if self.deleted is not None:
            delete_points(self.target, *self.deleted)
        self.target.write(self.lines)
        for expected in self.expected:
            found = _sums(self.target, expected.query, len(expected.sums))
            if found != expected.sums:
                raise DamagedStoreError(
                    f"Of {expected.sums[0]} points that were copied to {self.target.name}, it has "
                    f"{found[0]}, or others.",
                    "Give the command again. Nothing was deleted.",
                )


def copy_runs(
    servers: Servers, subject_id: str, stream_id: str, runs: Sequence[Run], *, compare: bool
) -> Part | None:
    """Read the beats of runs that follow each other, and the notifications without beats.

    None where ``compare``, and both servers have the same already. Raises DamagedStoreError when
    the source lacks beats that it acknowledged.
    """
    source, target = servers
    where = of_stream(subject_id, stream_id)
    starts = [run.start_ns for run in runs if run.start_ns is not None]
    ends = [run.end_ns for run in runs if run.end_ns is not None]
    rates = f"{where} AND time >= {runs[0].first} AND time <= {runs[-1].last}"
    rate_query = f"SELECT count(sequence), sum(sequence) FROM {lines.WITHOUT_RR} WHERE {rates}"
    beats = f"{where} AND time >= {min(starts)} AND time < {max(ends)}" if starts else ""
    beat_query = (
        f"SELECT count(sequence), sum(sequence), sum(rr_ticks) FROM {lines.BEATS} WHERE {beats}"
    )
    if (
        compare
        and _sums(source, rate_query, 2) == _sums(target, rate_query, 2)
        and (not beats or _sums(source, beat_query, 3) == _sums(target, beat_query, 3))
    ):
        return None
    written: list[str] = []
    expected: list[_Expected] = []
    if beats:
        rows = _inside(_read(source, lines.BEATS, _BEAT_FIELDS, beats), runs, 6)
        _require_whole(rows, runs, stream_id)
        written += _lines(lines.BEATS, subject_id, stream_id, _BEAT_FIELDS, rows)
        sums = (len(rows), sum(row[6] for row in rows), sum(row[5] for row in rows))
        expected.append(_Expected(beat_query, sums))
    rows = _inside(_read(source, lines.WITHOUT_RR, _RATE_FIELDS, rates), runs, 5)
    written += _lines(lines.WITHOUT_RR, subject_id, stream_id, _RATE_FIELDS, rows)
    expected.append(_Expected(rate_query, (len(rows), sum(row[5] for row in rows))))
    return Part(target, written, expected)


def copy_movement(servers: Servers, subject_id: str, stream_id: str, day: int) -> Part:
    """Read the movement of a day."""
    source, target = servers
    where = f"{of_stream(subject_id, stream_id)} AND {on_days(day, day)}"
    rows = source.rows(f"SELECT mad_mg FROM {lines.MOVEMENT} WHERE {where}")
    tags = f",stream={stream_id},subject={subject_id}"
    written = [f"{lines.MOVEMENT}{tags} mad_mg={float(mad)!r} {time}" for time, mad in rows]
    query = f"SELECT count(mad_mg) FROM {lines.MOVEMENT} WHERE {where}"
    return Part(target, written, [_Expected(query, (len(rows),))])


def copy_windows(servers: Servers, subject_id: str, day: int) -> Part:
    """Read the windows of a day, which take the place of those of another method or content."""
    source, target = servers
    where = f"{of_subject(subject_id)} AND {on_days(day, day)}"
    written: list[str] = []
    for series in source.series(f"SELECT * FROM {lines.WINDOWS} WHERE {where}"):
        names = series["columns"]
        for row in series["values"]:
            point = dict(zip(names, row, strict=True))
            fields = "".join(
                f",{name}={float(value)!r}"
                for name, value in point.items()
                if value is not None and name not in (*_TAGS, "time", "window")
            )
            tags = f",method={point['method']},subject={subject_id}"
            written.append(f"{lines.WINDOWS}{tags} window=1i{fields} {point['time']}")
    query = f'SELECT count("window") FROM {lines.WINDOWS} WHERE {where}'
    return Part(target, written, [_Expected(query, (len(written),))], (lines.WINDOWS, where))


def _read(
    server: PlacedServer, measurement: str, fields: Sequence[str], where: str
) -> list[list[Any]]:
    return server.rows(f"SELECT {', '.join(fields)} FROM {measurement} WHERE {where}")


def _inside(rows: list[list[Any]], runs: Sequence[Run], place: int) -> list[list[Any]]:
    """The rows whose sequence number, at ``place``, is in a run. Others are of uploads that were
    never acknowledged: they are sent again.
    """
    if not rows:
        return rows
    numbers = np.array([row[place] for row in rows], np.int64)
    firsts = np.array([run.first for run in runs])
    lasts = np.array([run.last for run in runs])
    which = np.searchsorted(firsts, numbers, side="right") - 1
    inside = (which >= 0) & (numbers <= lasts[np.maximum(which, 0)])
    return rows if inside.all() else [row for row, keep in zip(rows, inside, strict=True) if keep]


def _require_whole(rows: Sequence[object], runs: Sequence[Run], stream_id: str) -> None:
    beats = sum(run.beats for run in runs)
    if len(rows) != beats:
        raise DamagedStoreError(
            f"Of {beats} beats of stream {stream_id}, notifications {runs[0].first} to "
            f"{runs[-1].last}, InfluxDB gave {len(rows)}.",
            "Try again; if it stays so, restore InfluxDB from a backup.",
        )


def _lines(
    measurement: str,
    subject_id: str,
    stream_id: str,
    fields: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> Iterator[str]:
    head = f"{measurement},stream={stream_id},subject={subject_id} "
    for time, *values in rows:
        said = ",".join(
            f"{name}={value}i"
            for name, value in zip(fields, values, strict=True)
            if value is not None
        )
        yield f"{head}{said} {time}"


def _sums(server: PlacedServer, query: str, count: int) -> tuple[int, ...]:
    """The sums of a query; zeros where it finds nothing."""
    rows = server.rows(query)
    return tuple(int(value or 0) for value in rows[0][1:]) if rows else (0,) * count
