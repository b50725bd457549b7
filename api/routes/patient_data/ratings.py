"""Ratings of pain, stress and pleasant sensations."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from api.http.deps import (
    KeepingPatient,
    KeepingStoresDep,
    Patient,
    PatientInScope,
    StoresDep,
)
from api.http.pagination import decode_cursor, encode_cursor
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange, parse_timestamp
from api.schemas.common import Nrs, RecordOut
from api.services.offers.safety import after_rating
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import MINUTE, floor_to_microsecond, to_datetime, validate_zone
from store import Stores
from store.models import Person, Rating

router = APIRouter(tags=["ratings"])
shared = APIRouter(tags=["ratings"])


class RatingContent(BaseModel):
    """What a person says. Numerical rating scales: 0 none, 10 the most one can imagine. One of pain
    and stress may be left out, where a prompt asked for the other alone.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"pain": 4, "stress": 6, "pleasant": 3, "zone": "Europe/Berlin"}]
        },
    )

    pain: Nrs | None = Field(default=None, description="Null: not asked for")
    stress: Nrs | None = Field(default=None, description="Null: not asked for")
    pleasant: Nrs | None = Field(
        default=None, description="How strong a pleasant sensation was, where one was noticed"
    )
    note: str | None = Field(
        default=None, max_length=500, description="What was going on, in a word or two"
    )
    pleasant_note: str | None = Field(default=None, max_length=500, description="What was pleasant")
    about: datetime | None = Field(
        default=None, description="The moment it is about; now if left out"
    )
    zone: str | None = Field(
        default=None, description="The person's time zone then; the account's if left out"
    )


class RatingIn(RatingContent):
    """A new rating. With an ``id`` of your own, sending it again is idempotent."""

    id: uuid.UUID | None = None
    prompt_id: uuid.UUID | None = Field(
        default=None,
        description="The prompt that it answers. Out of its time it is stored as a rating that was "
        "volunteered, and the response has null here",
    )
    simulated: StrictBool = Field(
        default=False, description="Made by a simulation, not by a person"
    )


class CorrectionIn(RatingContent):
    """A correction of version ``version``; the older version stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"pain": 3, "stress": 6, "version": 1}]},
    )

    version: StrictInt = Field(ge=1, description="The version that you saw and correct")


class RatingOut(RecordOut):
    """A stored rating. A correction is a new version, and so is that it was withdrawn."""

    id: str
    version: int
    prompt_id: str | None = Field(description="The prompt that it answers; null: volunteered")
    prompted: bool = Field(description="Whether it answers a prompt, in time")
    pain: int | None = Field(description="Null where stress alone was asked for")
    stress: int | None = Field(description="Null where pain alone was asked for")
    pleasant: int | None
    note: str | None
    pleasant_note: str | None
    about: datetime
    about_ns: int
    entered: datetime
    zone: str
    simulated: bool
    withdrawn: bool

    @classmethod
    def from_rating(cls, rating: Rating) -> RatingOut:
        """A stored rating, with its times in its own zone."""
        return cls.from_record(
            rating,
            prompted=rating.prompt_id is not None,
            about=to_datetime(rating.about_ns, rating.zone),
            entered=to_datetime(rating.entered_ns, rating.zone),
        )


class RatingPage(BaseModel):
    """Ratings by time. ``next`` is the ``cursor`` of the next page, null at the end."""

    ratings: list[RatingOut]
    next: str | None


@router.post("/ratings", status_code=201, responses=describe_problems(401, 403, 409, 422))
def create(
    body: RatingIn, person: KeepingPatient, stores: KeepingStoresDep, response: Response
) -> RatingOut:
    """Store a rating."""
    rating_id = str(body.id) if body.id else new_id()
    if body.id and body.about is None:
        # A repeated request without a time is about the same moment as the first.
        stored = stores.records.rating(person.id, rating_id)
        body.about = None if stored is None else to_datetime(stored.about_ns)
    return _store_rating(
        *(body, rating_id, 1, body.simulated or person.simulated, person, stores, response),
        prompt_id=None if body.prompt_id is None else str(body.prompt_id),
    )


@router.put("/ratings/{rating_id}", responses=describe_problems(401, 403, 404, 409, 422))
def correct(
    rating_id: uuid.UUID,
    body: CorrectionIn,
    person: KeepingPatient,
    stores: KeepingStoresDep,
    response: Response,
) -> RatingOut:
    """Correct a rating, or bring one back that was withdrawn. A new version is stored; the old
    one is not overwritten.
    """
    previous = _get_rating(stores, person, rating_id)
    if body.about is None:
        body.about = to_datetime(previous.about_ns)
    if body.zone is None:
        body.zone = previous.zone
    corrected = _store_rating(
        body, previous.id, body.version + 1, previous.simulated, person, stores, response
    )
    response.status_code = 200
    return corrected


@router.delete("/ratings/{rating_id}", responses=describe_problems(401, 403, 404, 409, 422))
def withdraw(
    rating_id: uuid.UUID,
    version: Annotated[int, Query(ge=1, description="The version that you saw")],
    person: Patient,
    stores: StoresDep,
) -> RatingOut:
    """Withdraw a rating: it counts nowhere any more. What it was stays in its history."""
    withdrawn = replace(
        _get_rating(stores, person, rating_id),
        version=version + 1,
        entered_ns=floor_to_microsecond(stores.now()),
        withdrawn=True,
    )
    return RatingOut.from_rating(stores.records.add_rating(withdrawn))


@shared.get("/ratings/{rating_id}", responses=describe_problems(401, 403, 404, 422))
def one_rating(rating_id: uuid.UUID, person: PatientInScope, stores: StoresDep) -> RatingOut:
    """A rating, newest version."""
    return RatingOut.from_rating(_get_rating(stores, person, rating_id))


@shared.get("/ratings/{rating_id}/history", responses=describe_problems(401, 403, 404, 422))
def history(rating_id: uuid.UUID, person: PatientInScope, stores: StoresDep) -> list[RatingOut]:
    """Every version of a rating, oldest first."""
    versions = stores.records.rating_history(person.id, str(rating_id))
    if not versions:
        raise ProblemError(404, f"There is no rating {rating_id}.")
    return [RatingOut.from_rating(rating) for rating in versions]


@shared.get("/ratings", responses=describe_problems(401, 403, 404, 422))
def list_ratings(
    person: PatientInScope,
    query: OptionalTimeRange,
    stores: StoresDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[
        datetime | None,
        Query(description="Only what was entered, corrected or withdrawn from then on"),
    ] = None,
) -> RatingPage:
    """Ratings about a range of time, oldest first."""
    after = None if cursor is None else decode_cursor(cursor, int, str)
    since_ns = None if since is None else parse_timestamp(since, "query.since")
    ratings = stores.records.ratings(
        person.id, query.start_ns, query.end_ns, limit + 1, after, since_ns
    )
    page, following = ratings[:limit], None
    if len(ratings) > limit:
        following = encode_cursor(page[-1].about_ns, page[-1].id)
    return RatingPage(ratings=[RatingOut.from_rating(rating) for rating in page], next=following)


def _get_rating(stores: Stores, person: Person, rating_id: uuid.UUID) -> Rating:
    rating = stores.records.rating(person.id, str(rating_id))
    if rating is None:
        raise ProblemError(404, f"There is no rating {rating_id}.")
    return rating


def _store_rating(
    body: RatingContent,
    rating_id: str,
    version: int,
    simulated: bool,
    person: Person,
    stores: Stores,
    response: Response,
    prompt_id: str | None = None,
) -> RatingOut:
    if body.pain is None and body.stress is None:
        raise ProblemError(422, "is needed where stress is not given.", field="body.pain")
    # Whole microseconds, so that a date in a response, sent back, is the same instant.
    now = floor_to_microsecond(stores.now())
    about = now if body.about is None else parse_timestamp(body.about, "body.about")
    if about > now + MINUTE:  # a minute, for clocks that do not quite agree
        raise ProblemError(
            422, "lies in the future: a rating is about a moment that was.", field="body.about"
        )
    try:
        zone = validate_zone(body.zone) if body.zone else person.zone
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.zone") from error
    rating = Rating(
        id=rating_id,
        version=version,
        person_id=person.id,
        about_ns=about,
        entered_ns=now,
        zone=zone,
        pain=body.pain,
        stress=body.stress,
        pleasant=body.pleasant,
        simulated=simulated,
        note=(body.note or "").strip() or None,
        pleasant_note=(body.pleasant_note or "").strip() or None,
        prompt_id=prompt_id,
    )
    stored = stores.records.add_rating(rating)
    if stored != replace(rating, prompt_id=stored.prompt_id):  # it was stored before
        response.status_code = 200
    after_rating(stores, person, stored)
    return RatingOut.from_rating(stored)
