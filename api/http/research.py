"""What routes for analysts share: the cohort, and ranges of the clock that analysts see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query, Request

from api.http.deps import Analyst, StoresDep, log_access, request_name
from api.http.problems import ProblemError
from api.http.time_range import TimeRange
from api.services.cohort import Cohort, load_cohort
from api.services.export_scope import ExportSubject
from ebbtide.timestamps import LATEST, from_datetime
from store import Stores
from store.models import Person

_OF_FILES = frozenset({"start", "end", "since", "span", "person"})
_OF_TABLES = _OF_FILES | {"format", "limit", "cursor"}
_EXAMPLE = "2012-03-04T09:30:00"


def require_known_query(request: Request, analyst: Analyst) -> None:
    """Refuse a parameter that there is not. Left unread, a misspelt one would give another table
    than was asked for, such as everybody's. Whoever is no analyst is told that first.
    """
    known = _OF_FILES if "." in request.url.path.rpartition("/")[2] else _OF_TABLES
    for name in request.query_params:
        if name not in known:
            raise ProblemError(
                422,
                f"is no parameter of this table: it takes {', '.join(sorted(known))}.",
                field=f"query.{name[:40]}",
            )


KnownQuery = Depends(require_known_query)


def get_cohort(request: Request, analyst: Analyst, stores: StoresDep) -> Cohort:
    """The people whom the caller, an analyst, sees."""
    min_people: int = request.app.state.research_min_people
    return load_cohort(stores, analyst, min_people)


CohortDep = Annotated[Cohort, Depends(get_cohort)]


def require_logged(
    cohort: Cohort, stores: Stores, analyst: Person, request: Request
) -> list[ExportSubject]:
    """Require enough people in the cohort, and log for each that the analyst uses their data."""
    subjects = cohort.require()
    log_access(stores, analyst, [item.person for item in subjects], request_name(request))
    return subjects


async def get_moved_range(
    start: Annotated[
        datetime | None,
        Query(description="Beginning, inclusive, as times of rows: local, without a zone"),
    ] = None,
    end: Annotated[datetime | None, Query(description="End, exclusive, as `start`")] = None,
) -> TimeRange:
    """The range of the query on the analysts' clock; without start or end, everything."""
    start_ns = 0 if start is None else _parse_moved(start, "query.start")
    end_ns = LATEST if end is None else _parse_moved(end, "query.end")
    if end_ns <= start_ns:
        raise ProblemError(422, "must be after start.", field="query.end")
    return TimeRange(start_ns, end_ns)


MovedRange = Annotated[TimeRange, Depends(get_moved_range)]


def _parse_moved(moment: datetime, name: str) -> int:
    """Convert a datetime of the analysts' clock to ns. Raises ProblemError, which names the field.

    Programs that know no datetime without a zone may write +00:00.
    """
    if moment.utcoffset() not in (None, timedelta()):
        raise ProblemError(
            422, f"times of research are local, without a zone, for example {_EXAMPLE}.", field=name
        )
    moved_ns = from_datetime(moment.replace(tzinfo=UTC))
    if not 0 <= moved_ns < LATEST:
        raise ProblemError(422, "must lie between the years 1970 and 2100.", field=name)
    return moved_ns
