"""A generated lake: people with beats, ratings and practice by lot, in the layout of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from analytics.practice.draws import block_name, draw_probability
from api.export.columns import Table, table_schema
from cli.analysis.lake_files import open_lake
from ebbtide.timestamps import DAY, HOUR, MILLISECOND, MINUTE

BEGIN = 20_454 * DAY  # a Thursday
_EVERY_NS = 4 * HOUR
_SLOPE = 0.5  # of pain on stress, of everybody
_EFFECT = -1.0  # of an offer on stress


def name_of(number: int) -> str:
    """A pseudonym; their order is that of the numbers."""
    return f"person-{number:06}"


def beats(people: range, days: int, hours: float = 24) -> Iterator[pa.RecordBatch]:
    """So many hours of beats a day, a batch a day; one in 500 intervals is an artefact."""
    schema = table_schema(Table.BEATS, True)
    for number in people:
        rng = np.random.default_rng([1, number])
        for day in range(days):
            begin = BEGIN + day * DAY
            count = int(hours * 3600 * 1024 / 870)
            wave = 60 * np.sin(np.arange(count) * 1.3) + 90 * np.sin(np.arange(count) / 3000)
            ticks = np.round(870 + wave + rng.normal(0, 25, count)).astype(np.int32)
            ticks[rng.random(count) < 1 / 500] //= 2
            passed = np.cumsum(ticks.astype(np.int64)) * 1000 // 1024 * MILLISECOND
            count = int(np.searchsorted(passed, hours * HOUR))
            ticks, times = ticks[:count], begin + passed[:count]
            yield _batch(
                schema,
                number,
                {
                    "time_ns": times,
                    "rr_ticks": ticks,
                    "ticks_per_second": np.full(count, 1024, np.int32),
                    "follows": np.arange(count) > 0,
                    "contact": np.ones(count, np.bool_),
                    "stream": [f"stream-{number}"] * count,
                    "origin": ["simulated"] * count,
                },
            )


def ratings(people: range, days: int) -> Iterator[pa.RecordBatch]:
    """Four ratings a day whose pain follows stress."""
    schema = table_schema(Table.RATINGS, True)
    for number in people:
        rng = np.random.default_rng([2, number])
        count = days * 4
        times = BEGIN + 8 * HOUR + np.arange(count) // 4 * DAY + np.arange(count) % 4 * _EVERY_NS
        stress = _bounded(5 + rng.normal(0, 2, count))
        pain = _bounded(2 + _SLOPE * stress + rng.normal(0, 1, count))
        yield _batch(
            schema,
            number,
            {
                "rating": [f"rating-{number}-{k}" for k in range(count)],
                "version": np.ones(count, np.int32),
                "about_ns": times,
                "local_hour": times % DAY / HOUR,
                "pain": pain,
                "stress": stress,
                "simulated": np.ones(count, np.bool_),
                "withdrawn": np.zeros(count, np.bool_),
                # A tenth answer a prompt that came because of the heart: left out of the link.
                "prompt": [f"prompt-{number}-{k}" if k % 10 == 0 else None for k in range(count)],
            },
        )


def prompts(people: range, days: int) -> Iterator[pa.RecordBatch]:
    """The prompts of every tenth rating, half of them by the heart."""
    schema = table_schema(Table.PROMPTS, True)
    for number in people:
        which = np.arange(0, days * 4, 10)
        times = BEGIN + 8 * HOUR + which // 4 * DAY + which % 4 * _EVERY_NS
        yield _batch(
            schema,
            number,
            {
                "prompt": [f"prompt-{number}-{k}" for k in which],
                "planned_ns": times,
                "reason": ["heart" if k % 20 == 0 else "random" for k in which],
                "state": ["sent"] * len(which),
                "simulated": np.ones(len(which), np.bool_),
            },
        )


def sessions(people: range, days: int) -> Iterator[pa.RecordBatch]:
    """A session a week."""
    schema = table_schema(Table.SESSIONS, True)
    for number in people:
        held = BEGIN + np.arange(0, days, 7) * DAY
        counts = np.arange(len(held), dtype=np.int32) + 1
        yield _batch(schema, number, {"number": counts, "held_ns": held, "version": counts})


def decision_points(people: range, days: int) -> Iterator[pa.RecordBatch]:
    """Three draws a day, half of them offers, after which stress is a point lower."""
    schema = table_schema(Table.DECISION_POINTS, True)
    for number in people:
        rng = np.random.default_rng([3, number])
        count = days * 3
        times = BEGIN + 9 * HOUR + np.arange(count) // 3 * DAY + np.arange(count) % 3 * 4 * HOUR
        chance, offered, blocks = _draws(rng, times)
        before = _bounded(5 + rng.normal(0, 2, count))
        after = _bounded(2.5 + 0.5 * before + _EFFECT * offered + rng.normal(0, 1, count))
        yield _batch(
            schema,
            number,
            {
                "decision_point": [f"point-{number}-{k}" for k in range(count)],
                "planned_ns": times,
                "local_hour": times % DAY / HOUR,
                "plan_number": np.ones(count, np.int32),
                "block": blocks,
                "base_probability": np.full(count, 0.5),
                "available": np.ones(count, np.bool_),
                "probability": chance,
                "offered": offered,
                "arms": np.ones(count, np.int32),
                "delay_min": np.full(count, 30, np.int32),
                "stress_before": before,
                "pain_before": _bounded(before + rng.normal(0, 1, count)),
                "stress_after": after,
                "pain_after": _bounded(2 + 0.5 * after + rng.normal(0, 1, count)),
                "simulated": np.ones(count, np.bool_),
            },
        )


def _draws(rng: np.random.Generator, times: Any) -> tuple[Any, Any, list[str]]:
    chance, offered = np.empty(len(times)), np.empty(len(times), np.bool_)
    blocks: list[str] = []
    for place, time_ns in enumerate(times.tolist()):
        days = (date.fromordinal(int(ns // DAY) + 719_163) for ns in (times[0], time_ns))
        block = block_name(*days, time_ns % DAY // MINUTE)
        before = [bool(offered[k]) for k, name in enumerate(blocks) if name == block]
        chance[place] = draw_probability(0.5, before)
        offered[place] = rng.random() < chance[place]
        blocks.append(block)
    return chance, offered, blocks


Maker = Callable[[range, int], Iterator[pa.RecordBatch]]
TABLES: dict[str, tuple[Maker, str]] = {
    "beats": (beats, "time_ns"),
    "ratings": (ratings, "about_ns"),
    "prompts": (prompts, "planned_ns"),
    "sessions": (sessions, "held_ns"),
    "decision_points": (decision_points, "planned_ns"),
}


def write_lake(
    folder: str,
    people: int,
    days: int,
    *,
    with_beats: tuple[int, int] = (0, 0),
    buckets: int = 16,
    tables: Iterable[str] = tuple(TABLES),
) -> None:
    """Write a lake of so many people and days; ``with_beats``: people and days of beats."""
    for table in tables:
        count, long = with_beats if table == "beats" else (people, days)
        replace_table(folder, table, range(count), long, buckets)


def replace_table(folder: str, table: str, people: range, days: int, buckets: int = 16) -> None:
    """Write a table of the lake anew."""
    make, time = TABLES[table]
    with open_lake(folder, "a generated lake", buckets) as lake:
        lake.replace_table(table, make(people, days), time)


def _bounded(values: Any) -> Any:
    return np.clip(np.round(values), 0, 10).astype(np.int8)


def _batch(schema: pa.Schema, number: int, columns: dict[str, Any]) -> pa.RecordBatch:
    count = len(next(iter(columns.values())))
    columns["person"] = [name_of(number)] * count
    arrays = []
    for item in schema:
        if item.name in columns:
            values = pa.array(columns[item.name])
        elif f"{item.name}_ns" in columns:
            values = pa.array(columns[f"{item.name}_ns"])
        else:
            values = pa.nulls(count)
        if pa.types.is_dictionary(item.type):
            values = values.cast(item.type.value_type).dictionary_encode()
        arrays.append(values.cast(item.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
