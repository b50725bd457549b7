"""Guided practices, and heart and ratings before, during and after them."""

from __future__ import annotations

import uuid
from datetime import datetime

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from analytics.hrv.windows import WINDOW_NS, hrv_windows
from analytics.programme import around_practice as method
from analytics.programme.around_practice import practice_effect
from api.http.deps import (
    AnalysedPatient,
    KeepingPatient,
    KeepingStoresDep,
    PatientInScope,
    StoresDep,
)
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import parse_timestamp
from api.schemas.common import Nrs, RecordOut
from api.schemas.hrv import finite_or_none
from api.services.inputs import load_beats
from ebbtide.timestamps import HOUR, MINUTE, to_datetime
from store import Stores
from store.models import Person, Practice, PracticeKind

router = APIRouter(tags=["programme"])
shared = APIRouter(tags=["programme"])
_MAX_PRACTICES = 200  # whose beats are read: the last ones

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


class PracticeOut(RecordOut):
    """A stored practice."""

    id: str
    kind: PracticeKind
    start: datetime
    end: datetime
    breaths_per_min: float | None
    pain_before: int | None
    stress_before: int | None
    pain_after: int | None
    stress_after: int | None


class AroundOut(RecordOut):
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
    practice_id: uuid.UUID, body: PracticeIn, person: KeepingPatient, stores: KeepingStoresDep
) -> PracticeOut:
    """Store a practice under an id of your own making."""
    start, end = parse_timestamp(body.start, "body.start"), parse_timestamp(body.end, "body.end")
    if not start < end <= start + 3 * HOUR:
        raise ProblemError(422, "must come after start, within three hours.", field="body.end")
    if end > stores.now() + MINUTE:
        raise ProblemError(422, "lies in the future: send it when it is over.", field="body.end")
    practice = Practice(
        str(practice_id),
        person.id,
        body.kind,
        start,
        end,
        body.breaths_per_min,
        body.pain_before,
        body.stress_before,
        body.pain_after,
        body.stress_after,
    )
    if not stores.programme.put_practice(practice):
        raise ProblemError(409, "This id is in use: take another.", field="path.practice_id")
    stores.prompts.wake(person.id, stores.now())  # a follow-up may have been agreed
    return _to_out(practice, person)


@shared.get("/practices", responses=describe_problems(401, 403, 404))
def practices(person: PatientInScope, stores: StoresDep) -> list[PracticeOut]:
    """Practices, oldest first."""
    return [_to_out(item, person) for item in stores.programme.practices(person.id)]


@shared.get("/practices/around", responses=describe_problems(401, 403, 404))
def practices_around(person: AnalysedPatient, stores: StoresDep) -> PracticesAround:
    """Heart and ratings before, during and after practices (the last 200)."""
    practised = [
        item for item in stores.programme.practices(person.id) if item.kind is not PracticeKind.REST
    ]
    latest = practised[-_MAX_PRACTICES:]
    before, during, after = (
        _load_metrics(stores, person, latest, place) for place in ("before", "during", "after")
    )
    rows = []
    for name in ("mean_hr_bpm", "rmssd_ms"):
        for then, values in (("during", during), ("after", after)):
            rows.append(_row(name, then, before[name], values[name]))
    for name in ("pain", "stress"):
        ratings = [
            np.array([_nan_if_none(getattr(item, f"{name}_{when}")) for item in latest])
            for when in ("before", "after")
        ]
        rows.append(_row(name, "after", *ratings))
    return PracticesAround(practices=len(latest), rows=rows, caution=CAUTION, method=method.METHOD)


def _load_metrics(
    stores: Stores, person: Person, practices: list[Practice], place: str
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Heart rate and RMSSD of the five minutes before, all of it, or the five minutes after."""
    values: dict[str, list[float]] = {"mean_hr_bpm": [], "rmssd_ms": []}
    for item in practices:
        start, end = {
            "before": (item.start_ns - WINDOW_NS, item.start_ns),
            "during": (item.start_ns, item.end_ns),
            "after": (item.end_ns, item.end_ns + WINDOW_NS),
        }[place]
        arrays = load_beats(stores, person, start - MINUTE, end)
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
    effect = practice_effect(before, values)
    return AroundOut.from_record(
        effect,
        what=what,
        then=then,
        before=None if effect.before is None else finite_or_none(effect.before),
        value=effect.then,
        missing=effect.missing_reason,
    )


def _nan_if_none(value: int | None) -> float:
    return float("nan") if value is None else float(value)


def _to_out(item: Practice, person: Person) -> PracticeOut:
    return PracticeOut.from_record(
        item,
        start=to_datetime(item.start_ns, person.zone),
        end=to_datetime(item.end_ns, person.zone),
    )
