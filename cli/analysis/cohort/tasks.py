"""What a worker runs: it reads the lake and writes results itself, and hands back counts.

A task that is run a second time, since its worker was killed, writes the same file again.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.analysis.cohort.lake_tables import BrokenPartitionError, LakeTables, Partition
from cli.analysis.cohort.results import Results
from cli.analysis.cohort.storage import FILE


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What has no result, and why. ``person``: empty where a partition is left out."""

    person: str
    partition: str
    why: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """People of a bucket, with the rows that each has of the table that the results are of."""

    name: str
    people: dict[str, int]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class GroupTask:
    """Some people of a bucket."""

    what: str
    lake: str
    out: str
    bucket: str
    number: int
    people: tuple[str, ...]


@dataclass(slots=True)
class Done:
    """What a task did. ``seconds``: of CPU; ``peak_mb``: highest memory so far of the process
    ``worker``, 0 where the system does not say.
    """

    people: int = 0
    rows: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    seconds: float = 0.0
    worker: str = ""
    peak_mb: float = 0.0


# The first is the one that results are of; people of the others alone are named as left out.
TABLES = {
    "hrv": ("beats", "ratings"),
    "link": ("ratings", "prompts", "sessions"),
    "practice": ("decision_points", "ratings"),
}
# Of hrv alone: people of other tables are not needed for a result.
REQUIRED = {"hrv": ("beats",), "link": TABLES["link"], "practice": ("decision_points",)}
# So many that a task takes seconds: hrv some 10,000 beats in 10 ms, a link 30 ms and more.
_GROUP_PEOPLE = {"hrv": 20, "link": 25, "practice": 25}
_POOLED_AT_ONCE = 100
_GROUP_ROWS = {"hrv": 5_000_000, "link": 5_000, "practice": 20_000}
_WORDS = {"hrv": "no beats", "link": "no ratings", "practice": "no draws"}


def list_bucket(what: str, lake: str, name: str) -> Bucket:
    """Find who is in a bucket of the lake."""
    tables = LakeTables(lake)
    left_out: list[LeftOut] = []
    main: dict[str, int] = {}
    others: dict[str, int] = {}
    for table in TABLES[what]:
        into = main if table == TABLES[what][0] else others
        for partition in tables.open_bucket(table, name):
            try:
                for person, rows in partition.people().items():
                    into[person] = into.get(person, 0) + rows
            except BrokenPartitionError as error:
                left_out.append(LeftOut("", error.partition, error.why))
    if left_out and what != "hrv":
        # A part of the ratings would give another answer, and whose they are cannot be read.
        why = f"{left_out[0].partition} cannot be read, and may have rows of this person"
        return Bucket(name, {}, (*left_out, *(LeftOut(p, "", why) for p in sorted(main))))
    nothing = [LeftOut(p, "", _WORDS[what]) for p in sorted(others.keys() - main.keys())]
    return Bucket(name, dict(sorted(main.items())), (*left_out, *nothing))


def split_bucket(what: str, lake: str, out: str, bucket: Bucket) -> list[GroupTask]:
    """Divide the people of a bucket into tasks of a few seconds, in the order of their names."""
    groups: list[list[str]] = []
    rows = 0
    for person, count in bucket.people.items():
        if not groups or len(groups[-1]) >= _GROUP_PEOPLE[what] or rows + count > _GROUP_ROWS[what]:
            groups.append([])
            rows = 0
        groups[-1].append(person)
        rows += count
    return [
        GroupTask(what, lake, out, bucket.name, number, tuple(people))
        for number, people in enumerate(groups)
    ]


def run_group(task: GroupTask) -> Done:
    """Compute the results of some people, and write them as one file."""
    began = time.process_time()
    done = Done()
    name = f"{task.what}/{task.bucket}/group={task.number:04}/{FILE}"
    compute = {"hrv": _hrv, "link": _link, "practice": _practice}[task.what]
    with Results(task.out).writer(name, _schema(task.what)) as writer:
        compute(LakeTables(task.lake), task, writer, done)
    return _measured(done, began)


def run_pooled(what: str, lake: str, out: str, buckets: Sequence[tuple[str, list[str]]]) -> Done:
    """Compute the result of all these people together, and write it as one row."""
    began = time.process_time()
    tables = LakeTables(lake)
    done = Done()
    if what == "link":
        from cli.analysis.cohort import link

        people = _pool(tables, buckets, _read_ratings, lambda rows: link.to_ratings(*rows))
        schema, row = link.POOLED_SCHEMA, link.pooled_row(people)
    else:
        from cli.analysis.cohort import practice

        people = _pool(tables, buckets, _read_moments, practice.to_moments)
        schema, row = practice.POOLED_SCHEMA, practice.pooled_row(people)
    done.people = len(people)
    with Results(out).writer(f"{what}_cohort/{FILE}", schema) as writer:
        writer.write_table(pa.Table.from_pylist([row], schema))
    done.rows = 1
    return _measured(done, began)


def _schema(what: str) -> pa.Schema:
    from cli.analysis.cohort import hrv, link, practice

    return {"hrv": hrv, "link": link, "practice": practice}[what].SCHEMA


def _hrv(tables: LakeTables, task: GroupTask, writer: Any, done: Done) -> None:
    from cli.analysis.cohort.hrv import person_windows, window_table

    partitions = tables.open_bucket("beats", task.bucket)
    broken: dict[str, str] = {}
    for person in task.people:
        found = None
        while found is None:
            whole = [one for one in partitions if one.name not in broken]
            try:
                found = [window_table(person, one) for one in person_windows(person, whole)]
            except BrokenPartitionError as error:
                # Windows of other months are what they would be: only those are left out.
                broken[error.partition] = error.why
            except Exception as error:  # whatever damaged data may raise
                done.left_out.append(LeftOut(person, "", _why(error)))
                break
        if found is None:
            continue
        if not found:
            done.left_out.append(LeftOut(person, "", "no beats that could be read"))
            continue
        table = pa.concat_tables(found)
        writer.write_table(table)
        done.people += 1
        done.rows += table.num_rows
    done.left_out += [LeftOut("", name, why) for name, why in sorted(broken.items())]


def _link(tables: LakeTables, task: GroupTask, writer: Any, done: Done) -> None:
    from cli.analysis.cohort.link import SCHEMA, person_row, to_ratings

    def rows_of(person: str, found: Any) -> list[dict[str, Any]]:
        return [person_row(person, to_ratings(*found))]

    _write_people(tables, task, writer, done, (_read_ratings, rows_of, SCHEMA))


def _practice(tables: LakeTables, task: GroupTask, writer: Any, done: Done) -> None:
    from cli.analysis.cohort.practice import SCHEMA, drawn_rows, person_rows

    def rows_of(person: str, moments: pa.Table) -> list[dict[str, Any]]:
        if not drawn_rows(moments).num_rows:
            raise ValueError("nothing was drawn yet")
        return person_rows(person, moments)

    _write_people(tables, task, writer, done, (_read_moments, rows_of, SCHEMA))


_Read = Callable[[LakeTables, str, Sequence[str]], dict[str, Any]]


def _write_people(
    tables: LakeTables,
    task: GroupTask,
    writer: Any,
    done: Done,
    how: tuple[_Read, Callable[[str, Any], list[dict[str, Any]]], pa.Schema],
) -> None:
    """Read some people, and write the rows of each; who fails is left out alone."""
    read, rows_of, schema = how
    try:
        found = read(tables, task.bucket, task.people)
    except BrokenPartitionError as error:
        done.left_out.append(LeftOut("", error.partition, error.why))
        why = f"{error.partition} cannot be read, and may have rows of this person"
        done.left_out += [LeftOut(person, "", why) for person in task.people]
        return
    rows: list[dict[str, Any]] = []
    for person in task.people:
        try:
            own = rows_of(person, found[person])
        except Exception as error:  # whatever damaged data may raise
            done.left_out.append(LeftOut(person, "", _why(error)))
            continue
        rows += own
        done.people += 1
    done.rows += len(rows)
    writer.write_table(pa.Table.from_pylist(rows, schema))


def _read_ratings(tables: LakeTables, bucket: str, people: Sequence[str]) -> dict[str, Any]:
    from cli.analysis.cohort import link

    ratings = _by_person(tables.open_bucket("ratings", bucket), people, link.NEEDED, link.OPTIONAL)
    prompts = _by_person(tables.open_bucket("prompts", bucket), people, link.PROMPT_COLUMNS)
    sessions = _by_person(tables.open_bucket("sessions", bucket), people, link.SESSION_COLUMNS)
    return {person: (ratings[person], prompts[person], sessions[person]) for person in people}


def _read_moments(tables: LakeTables, bucket: str, people: Sequence[str]) -> dict[str, Any]:
    from cli.analysis.cohort import practice

    partitions = tables.open_bucket("decision_points", bucket)
    return _by_person(partitions, people, practice.NEEDED, practice.OPTIONAL)


def _pool(
    tables: LakeTables,
    buckets: Sequence[tuple[str, list[str]]],
    read: _Read,
    convert: Callable[[Any], Any],
) -> list[Any]:
    """Read people a few at a time, in the order of their names, as the API takes them."""
    found: dict[str, Any] = {}
    for bucket, people in buckets:
        for begin in range(0, len(people), _POOLED_AT_ONCE):
            some = people[begin : begin + _POOLED_AT_ONCE]
            for person, rows in read(tables, bucket, some).items():
                found[person] = convert(rows)
    return [found[person] for person in sorted(found)]


def _by_person(
    partitions: list[Partition],
    people: Sequence[str],
    needed: Sequence[str],
    optional: Sequence[str] = (),
) -> dict[str, pa.Table]:
    """The rows of each of these people; tables without rows for those who have none."""
    parts: dict[str, list[pa.Table]] = {person: [] for person in people}
    for partition in partitions:
        for batch in partition.rows_of(people, needed, optional):
            table = pa.Table.from_batches([batch])
            table = table.set_column(0, "person", table["person"].cast(pa.string()))
            for person in table["person"].unique().to_pylist():
                parts[person].append(table.filter(pa.compute.equal(table["person"], person)))
    nothing = pa.table({name: pa.array([], _NULL_TYPES.get(name, pa.string())) for name in needed})
    return {
        person: pa.concat_tables(found, promote_options="permissive") if found else nothing
        for person, found in parts.items()
    }


_NULL_TYPES = {name: pa.int64() for name in ("held_ns", "about_ns", "planned_ns", "pain", "stress")}


def _why(error: Exception) -> str:
    words = str(error).splitlines()[0].rstrip(".") if str(error) else ""
    return words if isinstance(error, ValueError) else f"{type(error).__name__}: {words}"


def _measured(done: Done, began: float) -> Done:
    done.seconds = time.process_time() - began
    done.worker = f"{platform.node()}:{os.getpid()}"
    done.peak_mb = _peak_mb()
    return done


def _peak_mb() -> float:
    """The highest memory of this process. ``getrusage`` counts that of the process before an exec
    too, so that Linux is asked for its own.
    """
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1000
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
