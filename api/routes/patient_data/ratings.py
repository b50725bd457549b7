"""Ratings of pain, stress and pleasant sensations."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from api.http.deps import Patient, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange, parse_timestamp
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import MINUTE, to_datetime, validate_zone
from store import Stores
from store.models import Person, Rating

router = APIRouter(tags=["ratings"])
shared = APIRouter(tags=["ratings"])

Nrs = Annotated[int, Field(ge=0, le=10, strict=True)]


class RatingContent(BaseModel):
    """What a person says. Numerical rating scales: 0 none, 10 the most one can imagine."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"pain": 4, "stress": 6, "pleasant": 3, "zone": "Europe/Berlin"}]
        },
    )

    pain: Nrs
    stress: Nrs
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
    """A new rating. With an ``id`` of your own, sending it twice keeps it once."""

    id: uuid.UUID | None = None
    simulated: StrictBool = Field(
        default=False, description="Made by a simulation, not by a person"
    )


class CorrectionIn(RatingContent):
    """A correction of version ``version``; the older version is kept too."""

    version: StrictInt = Field(ge=1, description="The version that you saw and correct")


class RatingOut(BaseModel):
    """A rating as kept. A correction is a new version, and so is that it was withdrawn."""

    id: str
    version: int
    pain: int
    stress: int
    pleasant: int | None
    note: str | None
    pleasant_note: str | None
    about: datetime
    about_ns: int
    entered: datetime
    zone: str
    simulated: bool
    withdrawn: bool


class RatingPage(BaseModel):
    """Ratings by time. ``next`` is the ``cursor`` of the next page, null at the end."""

    ratings: list[RatingOut]
    next: str | None


@router.post("/ratings", status_code=201, responses=describe_problems(401, 403, 409, 422))
def create(asked: RatingIn, person: Patient, stores: StoresDep, response: Response) -> RatingOut:
    """Keep a rating."""
    rating_id = str(asked.id) if asked.id else new_id()
    if asked.id and asked.about is None:
        # A repeated request without a time is about the same moment as the first.
        known = stores.records.rating(person.id, rating_id)
        asked.about = None if known is None else to_datetime(known.about_ns)
    return _store_rating(
        asked, rating_id, 1, asked.simulated or person.simulated, person, stores, response
    )


@router.put("/ratings/{rating_id}", responses=describe_problems(401, 403, 404, 409, 422))
def correct(
    rating_id: uuid.UUID,
    asked: CorrectionIn,
    person: Patient,
    stores: StoresDep,
    response: Response,
) -> RatingOut:
    """Correct a rating, or bring one back that was withdrawn. A new version is kept; the old one
    is not overwritten.
    """
    kept = _stored_rating(stores, person, rating_id)
    if asked.about is None:
        asked.about = to_datetime(kept.about_ns)
    if asked.zone is None:
        asked.zone = kept.zone
    shown = _store_rating(
        asked, kept.id, asked.version + 1, kept.simulated, person, stores, response
    )
    response.status_code = 200
    return shown


@router.delete("/ratings/{rating_id}", responses=describe_problems(401, 403, 404, 409, 422))
def withdraw(
    rating_id: uuid.UUID,
    version: Annotated[int, Query(ge=1, description="The version that you saw")],
    person: Patient,
    stores: StoresDep,
) -> RatingOut:
    """Withdraw a rating: it counts nowhere any more. What it was stays in its history."""
    kept = _stored_rating(stores, person, rating_id)
    gone = replace(
        kept, version=version + 1, entered_ns=stores.now() // 1000 * 1000, withdrawn=True
    )
    return to_rating_out(stores.records.add_rating(gone))


@shared.get("/ratings/{rating_id}", responses=describe_problems(401, 403, 404, 422))
def one_rating(rating_id: uuid.UUID, person: PatientInScope, stores: StoresDep) -> RatingOut:
    """A rating, newest version."""
    return to_rating_out(_stored_rating(stores, person, rating_id))


@shared.get("/ratings/{rating_id}/history", responses=describe_problems(401, 403, 404, 422))
def history(rating_id: uuid.UUID, person: PatientInScope, stores: StoresDep) -> list[RatingOut]:
    """Every version of a rating, oldest first."""
    found = stores.records.rating_history(person.id, str(rating_id))
    if not found:
        raise ProblemError(404, f"There is no rating {rating_id}.")
    return [to_rating_out(rating) for rating in found]


@shared.get("/ratings", responses=describe_problems(401, 403, 404, 422))
def list_ratings(
    person: PatientInScope,
    asked: OptionalTimeRange,
    stores: StoresDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[
        datetime | None,
        Query(description="Only what was entered, corrected or withdrawn from then on"),
    ] = None,
) -> RatingPage:
    """Ratings about a range of time, oldest first."""
    after = None if cursor is None else _after(cursor)
    since_ns = None if since is None else parse_timestamp(since, "query.since")
    found = stores.records.ratings(
        person.id, asked.start_ns, asked.end_ns, limit + 1, after, since_ns
    )
    page = found[:limit]
    following = _cursor(page[-1]) if len(found) > limit else None
    return RatingPage(ratings=[to_rating_out(rating) for rating in page], next=following)


def to_rating_out(rating: Rating) -> RatingOut:
    """A rating as the API tells it."""
    return RatingOut(
        id=rating.id,
        version=rating.version,
        pain=rating.pain,
        stress=rating.stress,
        pleasant=rating.pleasant,
        note=rating.note,
        pleasant_note=rating.pleasant_note,
        about=to_datetime(rating.about_ns, rating.zone),
        about_ns=rating.about_ns,
        entered=to_datetime(rating.entered_ns, rating.zone),
        zone=rating.zone,
        simulated=rating.simulated,
        withdrawn=rating.withdrawn,
    )


def _stored_rating(stores: Stores, person: Person, rating_id: uuid.UUID) -> Rating:
    found = stores.records.rating(person.id, str(rating_id))
    if found is None:
        raise ProblemError(404, f"There is no rating {rating_id}.")
    return found


def _store_rating(
    asked: RatingContent,
    rating_id: str,
    version: int,
    simulated: bool,
    person: Person,
    stores: Stores,
    response: Response,
) -> RatingOut:
    # Whole microseconds, so that what is told as a date and sent back is the same moment.
    now = stores.now() // 1000 * 1000
    about = now if asked.about is None else parse_timestamp(asked.about, "body.about")
    if about > now + MINUTE:  # a minute, for clocks that do not quite agree
        raise ProblemError(
            422, "lies in the future: a rating is about a moment that was.", field="body.about"
        )
    try:
        zone = validate_zone(asked.zone) if asked.zone else person.zone
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.zone") from error
    rating = Rating(
        id=rating_id,
        version=version,
        person_id=person.id,
        about_ns=about,
        entered_ns=now,
        zone=zone,
        pain=asked.pain,
        stress=asked.stress,
        pleasant=asked.pleasant,
        simulated=simulated,
        note=(asked.note or "").strip() or None,
        pleasant_note=(asked.pleasant_note or "").strip() or None,
    )
    kept = stores.records.add_rating(rating)
    if kept is not rating:
        response.status_code = 200
    return to_rating_out(kept)


def _cursor(rating: Rating) -> str:
    return base64.urlsafe_b64encode(f"{rating.about_ns} {rating.id}".encode()).decode()


def _after(cursor: str) -> tuple[int, str]:
    try:
        about, rating_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return int(about), rating_id
    except (ValueError, binascii.Error) as error:
        raise ProblemError(422, "is not one that this API gave.", field="query.cursor") from error
