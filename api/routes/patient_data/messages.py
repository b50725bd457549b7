"""Short messages of a therapist to a patient. No conversation: the patient reads, and answers at
the next meeting.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.http.deps import (
    KeepingPatientInScope,
    KeepingStoresDep,
    Patient,
    PatientInScope,
    QuestionnairesDep,
    StoresDep,
    Therapist,
)
from api.http.problems import ProblemError, describe_problems
from api.schemas.common import RecordOut
from ebbtide.beats import new_id
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import Message, Person

router = APIRouter(tags=["therapy"])
of_patient = APIRouter(tags=["therapy"])  # mounted below /v1/patients/{patient} alone

MAX_WORDS = 500  # characters
_MAX_MESSAGES = 500  # of one patient
NOTICE = (
    "You cannot answer here, and nobody watches this page. For anything urgent, call: the "
    "messages are no way to get help."
)


class MessageIn(BaseModel):
    """A few words to a patient."""

    model_config = ConfigDict(extra="forbid")

    words: str = Field(
        min_length=1, max_length=MAX_WORDS, examples=["On Thursday we meet in room 12."]
    )

    @field_validator("words")
    @classmethod
    def _not_blank(cls, words: str) -> str:
        if not words.strip():
            raise ValueError("a message needs a word or more")
        return words.strip()


class MessageOut(RecordOut):
    """A stored message. ``seen``: when the patient said that they had read it."""

    id: str
    words: str
    author: str = Field(examples=["Dr. Berg"])
    written: datetime
    seen: datetime | None


class MessagesOut(BaseModel):
    """The messages to the person signed in, the newest first."""

    messages: list[MessageOut]
    notice: str = Field(description="That it is no way to get help")
    help: list[str] = Field(description="Whom to call, as beside questionnaires")


@of_patient.post("/messages", status_code=201, responses=describe_problems(401, 403, 404, 409, 422))
def write_message(
    body: MessageIn,
    therapist: Therapist,
    person: KeepingPatientInScope,
    stores: KeepingStoresDep,
) -> MessageOut:
    """Write to a patient in one's care. They see it on Today and in the app; nobody is notified,
    and they cannot answer.
    """
    message = Message(new_id(), person.id, therapist.id, body.words, stores.now())
    if not stores.programme.add_message(message, _MAX_MESSAGES):
        raise ProblemError(
            409, f"There are {_MAX_MESSAGES} messages already: remove one that no longer counts."
        )
    return _list(stores, [message], person)[0]


@of_patient.get("/messages", responses=describe_problems(401, 403, 404))
def written_messages(person: PatientInScope, stores: StoresDep) -> list[MessageOut]:
    """What was written to a patient in one's care, the newest first."""
    return _list(stores, stores.programme.messages(person.id), person)


@of_patient.delete(
    "/messages/{message_id}", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def remove_message(
    message_id: uuid.UUID, therapist: Therapist, person: PatientInScope, stores: StoresDep
) -> None:
    """Remove a message of one's own, read or not."""
    if not stores.programme.delete_message(person.id, str(message_id), therapist.id):
        raise ProblemError(404, "There is no such message of yours.")


@router.get("/messages", responses=describe_problems(401, 403))
def messages(person: Patient, stores: StoresDep, questionnaires: QuestionnairesDep) -> MessagesOut:
    """What one's therapists wrote."""
    return MessagesOut(
        messages=_list(stores, stores.programme.messages(person.id), person),
        notice=NOTICE,
        help=list(questionnaires.help_words),
    )


@router.put(
    "/messages/{message_id}/seen", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def see_message(message_id: uuid.UUID, person: Patient, stores: StoresDep) -> None:
    """Say that one has read a message; the first time counts."""
    if not stores.programme.see_message(person.id, str(message_id), stores.now()):
        raise ProblemError(404, "There is no such message to you.")


def _list(stores: Stores, found: list[Message], person: Person) -> list[MessageOut]:
    """With the names of their authors, each read once: Today asks for this at each visit."""
    authors = {author: stores.records.person(author) for author in {m.author_id for m in found}}
    names = {author: known.name for author, known in authors.items() if known is not None}
    return [
        MessageOut.from_record(
            item,
            author=names.get(item.author_id, "an account that is no more"),
            written=to_datetime(item.written_ns, person.zone),
            seen=None if item.seen_ns is None else to_datetime(item.seen_ns, person.zone),
        )
        for item in found
    ]
