"""A therapist's patients, and a patient's therapists."""

from __future__ import annotations

import uuid

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import InHouse, Patient, PatientAccount, Therapist
from api.consent_rules import holds
from api.problems import ProblemError, described
from store.records import Purpose

router = APIRouter(tags=["people"])


class PatientShown(BaseModel):
    """A patient in one's care. Without their consent, nothing but that."""

    id: str
    name: str
    agreed: bool = Field(description="Whether they have agreed that you see their data")
    zone: str | None
    simulated: bool


class TherapistShown(BaseModel):
    """A therapist in whose care one is."""

    id: str
    name: str


@router.get("/patients", responses=described(401, 403))
def patients(therapist: Therapist, house: InHouse) -> list[PatientShown]:
    """The patients in one's care."""
    now = house.now()
    found = []
    for patient_id in house.rights.in_care_of(therapist.id):
        patient = house.records.person(patient_id)
        if patient is not None:
            agreed = holds(house.records.consents(patient.id), Purpose.CARE, now)
            found.append(
                PatientShown(
                    id=patient.id,
                    name=patient.name,
                    agreed=agreed,
                    zone=patient.zone if agreed else None,
                    simulated=patient.simulated,
                )
            )
    return found


@router.get("/therapists", responses=described(401, 403))
def therapists(patient: Patient, house: InHouse) -> list[TherapistShown]:
    """In whose care one is."""
    people = [house.records.person(found) for found in house.rights.carers_of(patient.id)]
    return [TherapistShown(id=person.id, name=person.name) for person in people if person]


@router.delete(
    "/therapists/{therapist_id}", status_code=204, responses=described(401, 403, 404, 422)
)
def leave(therapist_id: uuid.UUID, patient: PatientAccount, house: InHouse) -> None:
    """Leave a therapist's care."""
    if str(therapist_id) not in house.rights.carers_of(patient.id):
        raise ProblemError(404, "You are not in the care of this therapist.")
    house.rights.end_care(str(therapist_id), patient.id)
