"""Guided practices, and what heart and ratings did around them."""

from __future__ import annotations

import uuid
from datetime import datetime

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from analytics.hrv.windows import hrv_windows
from analytics.programme import around_practice as method
from analytics.programme.around_practice import practice_effect
from api.http.deps import Patient, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import parse_timestamp
from api.routes.analysis.hrv import number
from api.routes.patient_data.ratings import Nrs
from api.services.inputs import to_beat_arrays
from ebbtide.timestamps import HOUR, MINUTE, to_datetime
from store.protocols.programme import Practice, PracticeKind
from store.protocols.records import Person
from store.stores import Stores

router = APIRouter(tags=["programme"])
shared = APIRouter(tags=["programme"])
_AROUND = 5 * MINUTE
_MAX_ROWS = 200  # practices whose heart is looked at: the last ones

CAUTION = (
    "A practice is often begun at a bad moment, and bad moments pass by themselves. Breathing "
    "slowly makes RMSSD larger whether or not one is calmer."
)


class PracticeIn(BaseModel):
    """A practice, when it is over (or again, when more is said about it)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "somatic tracking",
                    "start": "2026-11-24T08:00:00+01:00",
                    "end": "2026-11-24T08:07:00+01:00",
                    "pain_before": 5,
                    "pain_after": 4,
                }
            ]
        },
    )

    kind: PracticeKind
    start: datetime
    end: datetime
    breaths_per_min: float | None = Field(default=None, ge=2, le=20, strict=True)
    pain_before: Nrs | None = None
    stress_before: Nrs | None = None
    pain_after: Nrs | None = None
    stress_after: Nrs | None = None


class PracticeOut(BaseModel):
    """A practice as kept."""

    id: str
    kind: PracticeKind
    start: datetime
    end: datetime
    breaths_per_min: float | None
    pain_before: int | None
    stress_before: int | None
    pain_after: int | None
    stress_after: int | None


class AroundOut(BaseModel):
    """The mean change over practices with its 95% interval; null where ``missing`` says why."""

    what: str = Field(examples=["rmssd_ms"])
    then: str = Field(description="during or after", examples=["during"])
    n: int
    before: float | None
    value: float | None
    change: float | None
    low: float | None
    high: float | None
    clear: bool
    missing: str | None


class PracticesAround(BaseModel):
    """Before, during and after practices: what came with them, not what they did."""

    practices: int
    rows: list[AroundOut]
    caution: str
    method: str


@router.put("/practices/{practice_id:uuid}", responses=describe_problems(401, 403, 404, 409, 422))
def put_practice(
    practice_id: uuid.UUID, asked: PracticeIn, person: Patient, stores: StoresDep
) -> PracticeOut:
    """Keep a practice under an id of your own making."""
    start, end = parse_timestamp(asked.start, "body.start"), parse_timestamp(asked.end, "body.end")
    if not start < end <= start + 3 * HOUR:
        raise ProblemError(422, "must come after start, within three hours.", field="body.end")
    if end > stores.now() + MINUTE:
        raise ProblemError(422, "lies in the future: send it when it is over.", field="body.end")
    practice = Practice(
        str(practice_id),
        person.id,
        asked.kind,
        start,
        end,
        asked.breaths_per_min,
        asked.pain_before,
        asked.stress_before,
        asked.pain_after,
        asked.stress_after,
    )
    if not stores.programme.put_practice(practice):
        raise ProblemError(409, "This id is in use: take another.", field="path.practice_id")
    return _to_out(practice, person)


@shared.get("/practices", responses=describe_problems(401, 403, 404))
def practices(person: PatientInScope, stores: StoresDep) -> list[PracticeOut]:
    """Practices, oldest first."""
    return [_to_out(item, person) for item in stores.programme.practices(person.id)]


@shared.get("/practices/around", responses=describe_problems(401, 403, 404))
def practices_around(person: PatientInScope, stores: StoresDep) -> PracticesAround:
    """Heart and ratings before, during and after practices (the last 200)."""
    found = stores.programme.practices(person.id)[-_MAX_ROWS:]
    before, during, after = (
        _hearts(stores, person, found, place) for place in ("before", "during", "after")
    )
    rows = []
    for name in ("mean_hr_bpm", "rmssd_ms"):
        for then, values in (("during", during), ("after", after)):
            rows.append(_row(name, then, before[name], values[name]))
    for name in ("pain", "stress"):
        told = [
            np.array([_nan_if_none(getattr(item, f"{name}_{when}")) for item in found])
            for when in ("before", "after")
        ]
        rows.append(_row(name, "after", *told))
    return PracticesAround(practices=len(found), rows=rows, caution=CAUTION, method=method.METHOD)


def _hearts(
    stores: Stores, person: Person, found: list[Practice], place: str
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Heart rate and RMSSD of the five minutes before, all of it, or the five minutes after."""
    values: dict[str, list[float]] = {"mean_hr_bpm": [], "rmssd_ms": []}
    for item in found:
        start, end = {
            "before": (item.start_ns - _AROUND, item.start_ns),
            "during": (item.start_ns, item.end_ns),
            "after": (item.end_ns, item.end_ns + _AROUND),
        }[place]
        arrays = to_beat_arrays(stores.beats.read(person.subject_id, start - MINUTE, end))
        window = hrv_windows(arrays, np.array([start], dtype=np.int64), end - start)
        for name, column in values.items():
            column.append(float(window.value(name)[0]))
    return {name: np.array(column, dtype=np.float64) for name, column in values.items()}


def _row(
    what: str,
    then: str,
    before: np.ndarray[tuple[int], np.dtype[np.float64]],
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> AroundOut:
    found = practice_effect(before, values)
    return AroundOut(
        what=what,
        then=then,
        n=found.n,
        before=None if found.before is None else number(found.before),
        value=found.then,
        change=found.change,
        low=found.low,
        high=found.high,
        clear=found.clear,
        missing=found.missing_reason,
    )


def _nan_if_none(value: int | None) -> float:
    return float("nan") if value is None else float(value)


def _to_out(item: Practice, person: Person) -> PracticeOut:
    return PracticeOut(
        id=item.id,
        kind=item.kind,
        start=to_datetime(item.start_ns, person.zone),
        end=to_datetime(item.end_ns, person.zone),
        breaths_per_min=item.breaths_per_min,
        pain_before=item.pain_before,
        stress_before=item.stress_before,
        pain_after=item.pain_after,
        stress_after=item.stress_after,
    )
