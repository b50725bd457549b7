"""A half-open range of time, as query parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from api.http.problems import ProblemError
from ebbtide.timestamps import EARLIEST, LATEST, from_datetime


@dataclass(frozen=True, slots=True)
class TimeRange:
    """[start_ns, end_ns) in UTC ns."""

    start_ns: int
    end_ns: int


def parse_timestamp(moment: datetime, name: str) -> int:
    """Convert a datetime to UTC ns. Raises ProblemError, which names the field, for one that has no
    zone or is outside this century.
    """
    if moment.tzinfo is None:
        raise ProblemError(
            422,
            "needs a zone, for example 2026-11-24T08:30:00Z or ...T09:30:00+01:00.",
            field=name,
        )
    try:
        instant_ns = from_datetime(moment)
    except (OverflowError, ValueError):
        instant_ns = -1
    if not EARLIEST <= instant_ns < LATEST:
        raise ProblemError(422, "must lie between the years 2000 and 2100.", field=name)
    return instant_ns


async def get_time_range(
    start: Annotated[
        datetime, Query(description="Beginning, inclusive", examples=["2026-11-01T00:00:00Z"])
    ],
    end: Annotated[
        datetime, Query(description="End, exclusive", examples=["2026-11-24T00:00:00Z"])
    ],
) -> TimeRange:
    """The range of the query; both ends are required."""
    query = TimeRange(parse_timestamp(start, "query.start"), parse_timestamp(end, "query.end"))
    if query.end_ns <= query.start_ns:
        raise ProblemError(422, "must be after start.", field="query.end")
    return query


async def get_open_range(
    start: Annotated[
        datetime, Query(description="Beginning, inclusive", examples=["2026-11-01T00:00:00Z"])
    ] = datetime(2000, 1, 1, tzinfo=UTC),
    end: Annotated[
        datetime, Query(description="End, exclusive", examples=["2026-11-24T00:00:00Z"])
    ] = datetime(2099, 12, 31, tzinfo=UTC),
) -> TimeRange:
    """The range of the query; without start or end, everything."""
    return await get_time_range(start, end)


TimeRangeQuery = Annotated[TimeRange, Depends(get_time_range)]
OptionalTimeRange = Annotated[TimeRange, Depends(get_open_range)]
