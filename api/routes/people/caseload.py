"""A therapist's patients, and a patient's therapists."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Security
from pydantic import BaseModel, Field

from api.http.deps import (
    Patient,
    PatientAccount,
    PatientInScope,
    QuestionnairesDep,
    StoresDep,
    Therapist,
    get_therapist,
    log_access,
)
from api.http.mail import MailerDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import PasswordLink
from api.schemas.common import RecordOut
from api.services.caseload import CaseloadEntry, Need, load_caseload
from api.services.consent import KeepingState
from api.services.errors import MailError
from api.services.password_links import send_password_link
from ebbtide.timestamps import to_datetime
from store.models import Person
from store.models.access import Scope
from store.models.records import Role

router = APIRouter(tags=["people"])
of_patient = APIRouter(tags=["people"])  # mounted below /v1/patients/{patient} alone
TherapistAccount = Annotated[Person, Security(get_therapist, scopes=[Scope.ACCOUNT])]


class RatingChangeOut(RecordOut):
    """A clear change from the fortnight before the last to the last, up to last midnight."""

    what: str = Field(examples=["pain"])
    change: float
    low: float = Field(description="95% interval")
    high: float


class PatientOut(BaseModel):
    """A patient in one's care. Without their consent, nothing but that."""

    id: str
    name: str
    agreed: bool = Field(description="Whether they have agreed that you see their data")
    keeping: KeepingState = Field(description="Whether they have agreed that their data are kept")
    zone: str | None = None
    simulated: bool
    needs: list[Need] = []
    told: list[str] = Field(
        default=[], description="Each need in words", examples=[["session 4 tomorrow at 10:00"]]
    )
    changes: list[RatingChangeOut] = []
    next_session: datetime | None = None
    next_number: int | None = Field(default=None, description="Of the next session")
    last_session: datetime | None = None
    last_rating: datetime | None = None
    last_beat: datetime | None = None

    @classmethod
    def from_entry(cls, entry: CaseloadEntry) -> PatientOut:
        """A patient of the caseload."""
        person, status = entry.person, entry.status
        found = cls(
            id=person.id,
            name=person.name,
            agreed=status is not None,
            keeping=entry.keeping,
            simulated=person.simulated,
        )
        if status is None:
            return found

        def moment(at_ns: int | None) -> datetime | None:
            return None if at_ns is None else to_datetime(at_ns, person.zone)

        return found.model_copy(
            update={
                "zone": person.zone,
                "needs": list(status.needs) or [Need.NONE],
                "told": list(status.needs.values()),
                "changes": [RatingChangeOut.from_record(change) for change in status.changes],
                "next_number": status.next_number,
                "next_session": moment(status.next_session_ns),
                "last_session": moment(status.last_session_ns),
                "last_rating": moment(status.last_rating_ns),
                "last_beat": moment(status.last_beat_ns),
            }
        )


class TherapistOut(BaseModel):
    """A therapist in whose care one is."""

    id: str
    name: str


class ProposalOut(TherapistOut):
    """A therapist in whose care one is asked to be."""

    by: str = Field(description="Who asks")
    at: datetime


@router.get("/patients", responses=describe_problems(401, 403))
def patients(
    therapist: Therapist, stores: StoresDep, questionnaires: QuestionnairesDep
) -> list[PatientOut]:
    """The patients in one's care, by need: who answered a question such that one should ask, who
    has a session within two days, whose pain or stress changed, who fell silent, who finished a
    questionnaire, whose strap fell silent.
    """
    entries = list(load_caseload(stores, therapist.id, questionnaires))
    seen = [entry.person for entry in entries if entry.status is not None]
    log_access(stores, therapist, seen, "GET /v1/patients")
    order = list(Need)
    return sorted(
        map(PatientOut.from_entry, entries),
        key=lambda row: (
            min((order.index(need) for need in row.needs), default=len(order)),
            row.next_session.timestamp() if row.next_session else float("inf"),
            row.name,
        ),
    )


@router.get("/therapists", responses=describe_problems(401, 403))
def therapists(patient: Patient, stores: StoresDep) -> list[TherapistOut]:
    """In whose care one is."""
    people = [stores.records.person(carer) for carer in stores.access.therapists_of(patient.id)]
    return [TherapistOut(id=person.id, name=person.name) for person in people if person]


@router.get("/care-proposals", responses=describe_problems(401, 403))
def proposed_therapists(patient: Patient, stores: StoresDep) -> list[ProposalOut]:
    """In whose care one is asked to be."""
    found = []
    for proposal in stores.access.care_proposals(patient.id):
        therapist = stores.records.person(proposal.therapist_id)
        proposer = stores.records.person(proposal.proposer_id)
        if therapist is not None and therapist.role is Role.THERAPIST:
            found.append(
                ProposalOut(
                    id=therapist.id,
                    name=therapist.name,
                    by=therapist.name if proposer is None else proposer.name,
                    at=to_datetime(proposal.at_ns, patient.zone),
                )
            )
    return found


@router.put(
    "/therapists/{therapist_id}", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def agree(therapist_id: uuid.UUID, patient: PatientAccount, stores: StoresDep) -> None:
    """Agree to a therapist who was proposed. What they see is up to the consent to care."""
    therapist = stores.records.person(str(therapist_id))
    is_therapist = therapist is not None and therapist.role is Role.THERAPIST
    if not is_therapist or not stores.access.accept_care(
        str(therapist_id), patient.id, stores.now()
    ):
        raise ProblemError(404, "You are not asked about this therapist.")


@of_patient.post(
    "/password-link",
    status_code=201,
    responses=describe_problems(401, 403, 404, 422, 503),
)
def patient_password_link(
    patient: PatientInScope, therapist: TherapistAccount, stores: StoresDep, mailer: MailerDep
) -> PasswordLink:
    """Send a patient in one's care a link for a new password, or make a code to hand over in person
    where no mail is set; as ``POST /v1/accounts/{person_id}/password-link``.
    """
    try:
        return send_password_link(stores, mailer, patient, therapist)
    except MailError as error:
        raise ProblemError(503, str(error), kind="away") from error


@router.delete(
    "/therapists/{therapist_id}", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def leave(therapist_id: uuid.UUID, patient: PatientAccount, stores: StoresDep) -> None:
    """Leave a therapist's care, or decline it."""
    proposed = [item.therapist_id for item in stores.access.care_proposals(patient.id)]
    if str(therapist_id) not in [*stores.access.therapists_of(patient.id), *proposed]:
        raise ProblemError(404, "You are not in the care of this therapist.")
    stores.access.end_care(str(therapist_id), patient.id)
