"""A therapist's patients, and a patient's therapists."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from analytics.programme.change import change_between
from api.http.deps import Patient, PatientAccount, StoresDep, Therapist
from api.http.problems import ProblemError, describe_problems
from api.services.consent import is_consented
from ebbtide.timestamps import DAY, to_datetime
from store.protocols.access import AccessLogEntry
from store.protocols.records import Person, Purpose, Rating
from store.stores import Stores

router = APIRouter(tags=["people"])


class Need(StrEnum):
    """Why a patient may need you, the most pressing first. Never a score."""

    SESSION = "session soon"
    CHANGED = "changed"
    SILENT = "silent"
    STRAP = "strap"
    NONE = "nothing in particular"


class PatientOut(BaseModel):
    """A patient in one's care. Without their consent, nothing but that."""

    id: str
    name: str
    agreed: bool = Field(description="Whether they have agreed that you see their data")
    zone: str | None
    simulated: bool
    needs: list[Need]
    told: list[str] = Field(
        description="Each need in words", examples=[["session 4 tomorrow at 10:00"]]
    )
    next_session: datetime | None
    last_rating: datetime | None
    last_beat: datetime | None


class TherapistOut(BaseModel):
    """A therapist in whose care one is."""

    id: str
    name: str


@router.get("/patients", responses=describe_problems(401, 403))
def patients(therapist: Therapist, stores: StoresDep) -> list[PatientOut]:
    """The patients in one's care, by need: who has a session within two days, whose pain or stress
    changed, who fell silent, whose strap does.
    """
    now = stores.now()
    found = []
    looks = []
    for patient_id in stores.access.in_care_of(therapist.id):
        patient = stores.records.person(patient_id)
        if patient is None:
            continue
        agreed = is_consented(stores.records.consents(patient.id), Purpose.CARE, now)
        if agreed:
            looks.append(
                AccessLogEntry(
                    patient.id, therapist.id, str(therapist.role), now, "GET /v1/patients"
                )
            )
        found.append(_to_out(stores, patient, agreed, now))
    stores.access.add_access_log(looks)
    order = list(Need)
    return sorted(
        found,
        key=lambda row: (
            min((order.index(need) for need in row.needs), default=len(order)),
            row.next_session.timestamp() if row.next_session else float("inf"),
            row.name,
        ),
    )


@router.get("/therapists", responses=describe_problems(401, 403))
def therapists(patient: Patient, stores: StoresDep) -> list[TherapistOut]:
    """In whose care one is."""
    people = [stores.records.person(found) for found in stores.access.carers_of(patient.id)]
    return [TherapistOut(id=person.id, name=person.name) for person in people if person]


@router.delete(
    "/therapists/{therapist_id}", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def leave(therapist_id: uuid.UUID, patient: PatientAccount, stores: StoresDep) -> None:
    """Leave a therapist's care."""
    if str(therapist_id) not in stores.access.carers_of(patient.id):
        raise ProblemError(404, "You are not in the care of this therapist.")
    stores.access.end_care(str(therapist_id), patient.id)


_SOON, _SILENT_DAYS, _STRAP_DAYS, _FORTNIGHT = 2 * DAY, 5, 3, 14


def _to_out(stores: Stores, patient: Person, agreed: bool, now: int) -> PatientOut:
    bare = PatientOut(
        id=patient.id,
        name=patient.name,
        agreed=agreed,
        zone=patient.zone if agreed else None,
        simulated=patient.simulated,
        needs=[],
        told=[],
        next_session=None,
        last_rating=None,
        last_beat=None,
    )
    if not agreed:
        return bare
    ratings = stores.records.ratings(patient.id, now - 2 * _FORTNIGHT * DAY, now + DAY)
    covered = stores.beats.coverage(patient.subject_id)
    last_beat = max((item.last_ns or 0 for item in covered), default=0) or None
    last_rating = ratings[-1].about_ns if ratings else None
    coming = [item for item in stores.records.sessions(patient.id) if item.held_ns > now]
    needs: dict[Need, str] = {}
    if coming and coming[0].held_ns - now <= _SOON:
        held = to_datetime(coming[0].held_ns, patient.zone)
        needs[Need.SESSION] = f"session {coming[0].number} on {held:%A at %H:%M}"
    changed = _changed(ratings, now)
    if changed:
        needs[Need.CHANGED] = changed
    if last_rating is not None and now - last_rating > _SILENT_DAYS * DAY:
        needs[Need.SILENT] = f"no rating for {(now - last_rating) // DAY} days"
    elif last_rating is None:
        needs[Need.SILENT] = "no rating in four weeks"
    if last_beat is not None and now - last_beat > _STRAP_DAYS * DAY:
        needs[Need.STRAP] = f"no heartbeats for {(now - last_beat) // DAY} days"

    def moment(at_ns: int | None) -> datetime | None:
        return None if at_ns is None else to_datetime(at_ns, patient.zone)

    return bare.model_copy(
        update={
            "needs": list(needs) or [Need.NONE],
            "told": list(needs.values()),
            "next_session": moment(coming[0].held_ns) if coming else None,
            "last_rating": moment(last_rating),
            "last_beat": moment(last_beat),
        }
    )


def _changed(ratings: list[Rating], now: int) -> str:
    """What changed from the fortnight before the last to the last, where the interval is clear."""
    days = np.array([(rating.about_ns - now) / DAY for rating in ratings], dtype=np.float64)
    said = []
    for name in ("pain", "stress"):
        values = np.array([getattr(rating, name) for rating in ratings], dtype=np.float64)
        found = change_between(
            days, values, (-2.0 * _FORTNIGHT, -1.0 * _FORTNIGHT), (-1.0 * _FORTNIGHT, 1.0)
        )
        if found.missing_reason is None and found.reliable and found.change is not None:
            said.append(
                f"{name} {found.change:+.1f} in two weeks (95% interval {found.low:+.1f} to "
                f"{found.high:+.1f})"
            )
    return "; ".join(said)
