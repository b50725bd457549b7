"""Notes of triggers, fears, stressors, what helped and what was pleasant; and on which days."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from analytics.programme import trigger_patterns as method
from analytics.programme.trigger_patterns import trigger_pattern
from api.http.deps import (
    AnalysedPatient,
    KeepingPatient,
    KeepingStoresDep,
    Patient,
    PatientInScope,
    StoresDep,
)
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import parse_timestamp
from api.schemas.common import RecordOut
from ebbtide.beats import new_id
from ebbtide.timestamps import FOREVER, MINUTE, floor_to_microsecond, to_datetime
from store.models import Note, Person
from store.models.programme import NoteKind

router = APIRouter(tags=["programme"])
shared = APIRouter(tags=["programme"])


class NoteIn(BaseModel):
    """A few words."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "trigger", "words": "sitting long"}]},
    )

    kind: NoteKind
    words: str = Field(min_length=1, max_length=300)
    about: datetime | None = Field(default=None, description="Now if left out")
    id: uuid.UUID | None = Field(default=None, description="Of your own, for idempotent requests")


class NoteOut(RecordOut):
    """A stored note."""

    id: str
    kind: NoteKind
    words: str
    about: datetime
    about_ns: int


class Pattern(RecordOut):
    """How often something was noted on harder days, and on the others."""

    kind: NoteKind
    words: str = Field(examples=["sitting long"])
    noted: int = Field(description="How often in all")
    harder: int | None = Field(description="On how many of the harder days", examples=[6])
    harder_days: int | None = Field(examples=[14])
    other: int | None = Field(examples=[2])
    other_days: int | None = Field(examples=[15])
    difference: float | None = Field(description="Of the two shares")
    low: float | None = Field(description="95% interval")
    high: float | None
    clear: bool = Field(description="The interval leaves out no difference")


class Patterns(BaseModel):
    """What comes together with harder days. Not what brings them: one also notes more then."""

    patterns: list[Pattern]
    missing: str | None
    method: str


@router.post("/notes", status_code=201, responses=describe_problems(401, 403, 409, 422))
def add_note(body: NoteIn, person: KeepingPatient, stores: KeepingStoresDep) -> NoteOut:
    """Store a note."""
    now = floor_to_microsecond(stores.now())
    about = now if body.about is None else parse_timestamp(body.about, "body.about")
    if about > now + MINUTE:
        raise ProblemError(422, "lies in the future.", field="body.about")
    if not body.words.strip():
        raise ProblemError(422, "has no words.", field="body.words")
    note = Note(
        str(body.id) if body.id else new_id(),
        person.id,
        body.kind,
        body.words.strip(),
        about,
        now,
    )
    stored = stores.programme.put_note(note)
    if stored.person_id != person.id:
        raise ProblemError(409, "This id is in use.", field="body.id")
    return _to_out(stored, person)


@router.delete(
    "/notes/{note_id:uuid}", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def delete_note(note_id: uuid.UUID, person: Patient, stores: StoresDep) -> None:
    """Remove a note for good."""
    if not stores.programme.delete_note(person.id, str(note_id)):
        raise ProblemError(404, "There is no such note of yours.")


@shared.get("/notes", responses=describe_problems(401, 403, 404, 422))
def notes(
    person: PatientInScope, stores: StoresDep, kind: Annotated[NoteKind | None, Query()] = None
) -> list[NoteOut]:
    """Notes, oldest first."""
    return [
        _to_out(note, person)
        for note in stores.programme.notes(person.id)
        if kind is None or note.kind is kind
    ]


@shared.get("/notes/patterns", responses=describe_problems(401, 403, 404))
def patterns(person: AnalysedPatient, stores: StoresDep) -> Patterns:
    """What was noted on days with more pain than the days around them, and on the others. The same
    words, in any case, are the same thing.
    """
    ratings = [
        item for item in stores.records.ratings(person.id, *FOREVER) if item.pain is not None
    ]
    day = [to_datetime(rating.about_ns, rating.zone).toordinal() for rating in ratings]
    trigger = trigger_pattern(
        np.array(day, dtype=np.int64), np.array([r.pain for r in ratings], dtype=np.float64)
    )
    noted: dict[str, set[int]] = {}
    counts: dict[str, int] = {}
    first: dict[str, Note] = {}
    for note in stores.programme.notes(person.id):
        key = f"{note.kind} {' '.join(note.words.lower().split())}"
        first.setdefault(key, note)
        counts[key] = counts.get(key, 0) + 1
        local = to_datetime(note.about_ns, person.zone).toordinal()
        noted.setdefault(key, set()).add(local)
    counts_by_key = trigger.noted_on(noted)
    rows = []
    for key, note in first.items():
        compared = counts_by_key.get(key)
        rows.append(
            Pattern.from_record(
                compared,
                kind=note.kind,
                words=note.words,
                noted=counts[key],
                clear=compared is not None and compared.clear,
            )
        )
    rows.sort(key=lambda row: (-row.noted, row.words))
    return Patterns(patterns=rows, missing=trigger.missing_reason, method=method.METHOD)


def _to_out(note: Note, person: Person) -> NoteOut:
    return NoteOut.from_record(note, about=to_datetime(note.about_ns, person.zone))
