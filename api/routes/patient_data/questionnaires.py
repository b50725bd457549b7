"""Questionnaires: what there is, what is due, answers, their scores and change."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from analytics.programme import check_answers
from api.http.deps import (
    CallerDep,
    KeepingPatient,
    KeepingStoresDep,
    LanguageDep,
    Patient,
    PatientInScope,
    QuestionnairesDep,
    StoresDep,
)
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import parse_timestamp
from api.schemas.common import RecordOut
from api.schemas.csv_files import CsvIn, CsvOut, Form
from api.services.questionnaire_csv import import_csv, write_csv
from api.services.questionnaires import (
    UNKNOWN_VERSION,
    QuestionnaireService,
    ScoredResponse,
    describe_answers,
)
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.i18n import DEFAULT, translator
from ebbtide.questionnaires import Questionnaire
from ebbtide.timestamps import MINUTE, floor_to_microsecond, to_datetime, validate_zone
from store import Stores
from store.errors import ResponseConflictError
from store.models import (
    PLANNED_BY_PERSON,
    PLANNED_BY_PROGRAMME,
    Person,
    QuestionnaireResponse,
    pack_answers,
)

router = APIRouter(tags=["questionnaires"])
shared = APIRouter(tags=["questionnaires"])
CAUTION = (
    "One person's change, not what made it: people come when things are bad, and much gets better "
    "by itself."
)


class AnswersIn(BaseModel):
    """Answers to a questionnaire: the chosen value of each item; what is left out is missing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"questionnaire": "gad7", "answers": {"1": 1, "2": 0}}]},
    )

    questionnaire: str = Field(max_length=40)
    definition_version: StrictInt | None = Field(
        default=None,
        ge=1,
        le=9999,
        description="The version that the person read; the newest if left out",
    )
    answers: dict[str, StrictInt] = Field(min_length=1, max_length=200)
    language: str | None = Field(
        default=None, max_length=10, description="That it was read in; its first if left out"
    )
    about: datetime | None = Field(
        default=None, description="When it was answered; now if left out"
    )
    zone: str | None = Field(
        default=None, description="The person's time zone then; the account's if left out"
    )
    id: uuid.UUID | None = Field(
        default=None, description="Of your own making: sending it again is idempotent"
    )
    simulated: StrictBool = False


class AnswersCorrectionIn(BaseModel):
    """Answers in place of those of ``version``, which stay."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"answers": {"1": 2}, "version": 1}]}
    )

    answers: dict[str, StrictInt] = Field(min_length=1, max_length=200)
    version: StrictInt = Field(ge=1, description="The version that you saw and correct")


class QuestionnairesOut(BaseModel):
    """The questionnaires that there are. ``help``: words to show at once, where an answer reaches
    one of the ``concerns`` of its questionnaire.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"questionnaires": [], "help": ["You do not have to be alone with this."]}]
        }
    )

    questionnaires: list[Questionnaire]
    help: list[str]


class DueOut(RecordOut):
    """A questionnaire that may be answered now."""

    questionnaire: str
    occasion: str = Field(examples=["before"])
    due: datetime
    closes: datetime | None


class ScoreOut(RecordOut):
    """A score; ``value`` is null where ``missing_reason`` says why."""

    id: str
    name: str
    value: float | None
    lowest: float
    highest: float
    missing_items: list[str]
    t_score: float | None
    missing_reason: str | None


class AnswersOut(RecordOut):
    """Stored answers. ``concerns``: items whose answers call for the words in ``help``."""

    id: str
    version: int
    questionnaire: str
    definition_version: int
    language: str
    answers: dict[str, int]
    scores: list[ScoreOut]
    missing: str | None = Field(description="Why there are no scores")
    concerns: list[str]
    help: list[str] = Field(description="Words to show at once; empty without a concern")
    about: datetime
    about_ns: int
    entered: datetime
    zone: str
    occasion: str
    planned_by: str
    simulated: bool
    withdrawn: bool


class ConcernOut(BaseModel):
    """An answer that a therapist should see, in its words."""

    questionnaire: str
    item: str
    text: str
    answer: str
    about: datetime
    is_latest: bool = Field(description="Whether it is of the newest answers to the questionnaire")


class ChangeOut(BaseModel):
    """The newest answers against the first; ``change`` is null where ``missing`` says why."""

    questionnaire: str
    name: str
    measures: str
    score: str
    first: float | None
    first_about: datetime
    first_occasion: str
    last: float | None
    last_about: datetime
    last_occasion: str
    last_words: str | None = Field(description="The answer, where the questionnaire has only one")
    change: float | None
    better: bool | None
    smallest: float | None = Field(description="The smallest change that matters, where published")
    smallest_source: str | None
    matters: bool | None
    missing: str | None


class ChangesOut(BaseModel):
    """What changed over the programme, and answers that need care."""

    changes: list[ChangeOut]
    concerns: list[ConcernOut]
    caution: str


@router.get("/questionnaires", responses=describe_problems(401, 403))
def questionnaires(
    _: CallerDep, service: QuestionnairesDep, language: LanguageDep
) -> QuestionnairesOut:
    """The questionnaires that there are: items, answers, scores, licence and source."""
    return QuestionnairesOut(
        questionnaires=list(service.library.newest),
        help=[*map(translator(language), service.help_words)],
    )


@shared.get("/questionnaires/due", responses=describe_problems(401, 403, 404))
def due(person: PatientInScope, stores: StoresDep, service: QuestionnairesDep) -> list[DueOut]:
    """What may be answered now, by the dates of the programme, and has not been."""
    found = service.load_due(stores, person, stores.now())
    return [DueOut.from_record(item, occasion=str(item.occasion)) for item in found]


@router.post(
    "/questionnaires/responses", status_code=201, responses=describe_problems(401, 403, 409, 422)
)
def answer(
    body: AnswersIn,
    person: KeepingPatient,
    stores: KeepingStoresDep,
    service: QuestionnairesDep,
    response: Response,
    reader: LanguageDep,
) -> AnswersOut:
    """Store answers. Of what the programme asks for now, they are the answers of its occasion."""
    found = service.library.find(body.questionnaire)
    if found is None:
        there = ", ".join(item.id for item in service.library.newest)
        raise ProblemError(422, f"is none of {there}.", field="body.questionnaire")
    if body.definition_version is not None:
        found = service.library.find(found.id, body.definition_version)
        if found is None:
            raise ProblemError(422, UNKNOWN_VERSION, field="body.definition_version")
    language = found.languages[0] if body.language is None else body.language
    if language not in found.languages:
        raise ProblemError(422, f"is none of {', '.join(found.languages)}.", field="body.language")
    _check(found, body.answers)
    own_id = str(body.id) if body.id else new_id()
    history = stores.programme.response_history(person.id, own_id)
    made = _make(own_id, history, body, person, stores, service, found, language)
    try:
        stored = stores.programme.add_response(made)
    except ResponseConflictError:
        # The same request is being answered beside this one: what was due then is answered now.
        if history or not (history := stores.programme.response_history(person.id, own_id)):
            raise
        made = _make(own_id, history, body, person, stores, service, found, language)
        stored = stores.programme.add_response(made)
    if stored is not made:
        response.status_code = 200
    return _to_out(service, service.score(stored), reader)


@router.put(
    "/questionnaires/responses/{response_id}", responses=describe_problems(401, 403, 404, 409, 422)
)
def correct_answers(
    response_id: uuid.UUID,
    body: AnswersCorrectionIn,
    person: KeepingPatient,
    stores: KeepingStoresDep,
    service: QuestionnairesDep,
    reader: LanguageDep,
) -> AnswersOut:
    """Correct answers, or bring some back that were withdrawn: a new version is stored."""
    newest = _history(stores, person, response_id)[-1]
    found = service.library.find(newest.questionnaire, newest.definition_version)
    if found is None:
        raise ProblemError(409, UNKNOWN_VERSION, field="path.response_id")
    _check(found, body.answers)
    changed = replace(
        newest,
        version=body.version + 1,
        answers=pack_answers(body.answers),
        entered_ns=floor_to_microsecond(stores.now()),
        withdrawn=False,
    )
    return _to_out(service, service.score(stores.programme.add_response(changed)), reader)


@router.delete(
    "/questionnaires/responses/{response_id}", responses=describe_problems(401, 403, 404, 409, 422)
)
def withdraw_answers(
    response_id: uuid.UUID,
    version: Annotated[int, Query(ge=1, description="The version that you saw")],
    person: Patient,
    stores: StoresDep,
    service: QuestionnairesDep,
) -> AnswersOut:
    """Withdraw answers: they count nowhere any more. What they were stays in their history."""
    newest = _history(stores, person, response_id)[-1]
    withdrawn = replace(
        newest,
        version=version + 1,
        entered_ns=floor_to_microsecond(stores.now()),
        withdrawn=True,
    )
    return _to_out(service, service.score(stores.programme.add_response(withdrawn)))


@shared.get("/questionnaires/responses", responses=describe_problems(401, 403, 404))
def responses(
    person: PatientInScope, stores: StoresDep, service: QuestionnairesDep
) -> list[AnswersOut]:
    """Answers with their scores, oldest first."""
    return [_to_out(service, item) for item in service.load_scored(stores, person)]


@shared.get("/questionnaires/csv", response_class=Response, responses=describe_problems(401, 403))
def answers_csv(
    person: PatientInScope, stores: StoresDep, service: QuestionnairesDep, form: Form = "redcap"
) -> Response:
    """Answers as a CSV file in the form of an export of REDCap or m-Path."""
    text = write_csv(service.load_scored(stores, person), form, person.id)
    return Response(text, media_type="text/csv; charset=utf-8")


@router.post("/questionnaires/csv", responses=describe_problems(401, 403, 422))
def answers_from_csv(
    body: CsvIn, person: KeepingPatient, stores: KeepingStoresDep, service: QuestionnairesDep
) -> CsvOut:
    """Store the answers of such a file. Idempotent; rows that cannot be taken are ``skipped``."""
    try:
        report = import_csv(stores, person, service.library, body.csv, body.form)
    except ValueError as error:
        raise ProblemError(422, f"{error}.", field="body.csv") from error
    return CsvOut.from_counts(report.stored, report.new, report.skipped)


@shared.get("/questionnaires/change", responses=describe_problems(401, 403, 404))
def change(person: PatientInScope, stores: StoresDep, service: QuestionnairesDep) -> ChangesOut:
    """Change since the first answers, with the smallest change that matters and its source, and
    answers that need care.
    """
    changes = []
    for item in service.load_changes(stores, person):
        first, last = item.first.response, item.last.response
        smallest = item.questionnaire.smallest_change
        changes.append(
            ChangeOut(
                questionnaire=item.questionnaire.id,
                name=item.questionnaire.short_name,
                measures=item.questionnaire.measures,
                score="total" if smallest is None else smallest.score,
                first=item.first.compared,
                first_about=to_datetime(first.about_ns, first.zone),
                first_occasion=first.occasion,
                last=item.last.compared,
                last_about=to_datetime(last.about_ns, last.zone),
                last_occasion=last.occasion,
                last_words=_only_answer(item.last),
                change=None if item.change is None else item.change.change,
                better=None if item.change is None else item.change.better,
                smallest=None if smallest is None else smallest.points,
                smallest_source=None if smallest is None else smallest.source,
                matters=None if item.change is None else item.change.matters,
                missing=item.missing,
            )
        )
    concerns = _concerns(service.load_scored(stores, person))
    return ChangesOut(changes=changes, concerns=concerns, caution=CAUTION)


@shared.get(
    "/questionnaires/responses/{response_id}/history",
    responses=describe_problems(401, 403, 404, 422),
)
def answers_history(
    response_id: uuid.UUID, person: PatientInScope, stores: StoresDep, service: QuestionnairesDep
) -> list[AnswersOut]:
    """Every version of answers, oldest first."""
    history = _history(stores, person, response_id)
    return [_to_out(service, service.score(item)) for item in history]


def _make(
    own_id: str,
    history: list[QuestionnaireResponse],
    body: AnswersIn,
    person: Person,
    stores: Stores,
    service: QuestionnaireService,
    found: Questionnaire,
    language: str,
) -> QuestionnaireResponse:
    """Make the first version of answers; ``history``: what is stored of a repeated request."""
    now = floor_to_microsecond(stores.now())
    if history and body.about is None:
        about = history[0].about_ns
    else:
        about = now if body.about is None else parse_timestamp(body.about, "body.about")
    if about > now + MINUTE:
        raise ProblemError(422, "lies in the future.", field="body.about")
    try:
        zone = validate_zone(body.zone) if body.zone else person.zone
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.zone") from error
    if history:  # a retry: what was due then is answered now
        occasion, planned_by = history[0].occasion, history[0].planned_by
    else:
        occasions = [
            str(item.occasion)
            for item in service.load_due(stores, person, about)
            if item.questionnaire == found.id
        ]
        occasion = occasions[0] if occasions else ""
        planned_by = PLANNED_BY_PROGRAMME if occasions else PLANNED_BY_PERSON
    return QuestionnaireResponse(
        *(own_id, 1, person.id, found.id, found.version, language),
        *(pack_answers(body.answers), about, now, zone, occasion, planned_by),
        simulated=body.simulated or person.simulated,
    )


def _history(stores: Stores, person: Person, response_id: uuid.UUID) -> list[QuestionnaireResponse]:
    history = stores.programme.response_history(person.id, str(response_id))
    if not history:
        raise ProblemError(404, f"There are no answers {response_id}.")
    return history


def _check(questionnaire: Questionnaire, answers: dict[str, int]) -> None:
    try:
        check_answers(questionnaire, answers)
    except ValueError as error:
        raise ProblemError(422, f"{error}.", field="body.answers") from error


def _only_answer(item: ScoredResponse) -> str | None:
    if item.questionnaire is None or len(item.questionnaire.items) > 1:
        return None
    only, response = item.questionnaire.items[0].id, item.response
    return describe_answers(item.questionnaire, response.values, only, response.language) or None


def _concerns(found: list[ScoredResponse]) -> list[ConcernOut]:
    newest = {item.response.questionnaire: item.response.id for item in found}
    concerns = []
    for item in reversed(found):
        response, questionnaire = item.response, item.questionnaire
        for name in item.concerns:
            assert questionnaire is not None
            asked = questionnaire.find_item(name)
            assert asked is not None
            language = response.language
            concerns.append(
                ConcernOut(
                    questionnaire=questionnaire.short_name,
                    item=name,
                    text=asked.text.get(language, next(iter(asked.text.values()))),
                    answer=describe_answers(questionnaire, response.values, name, language),
                    about=to_datetime(response.about_ns, response.zone),
                    is_latest=newest[response.questionnaire] == response.id,
                )
            )
    return concerns


def _to_out(
    service: QuestionnaireService, item: ScoredResponse, reader: str = DEFAULT
) -> AnswersOut:
    response = item.response
    return AnswersOut.from_record(
        response,
        answers=response.values,
        scores=[
            ScoreOut.from_record(score, missing_items=list(score.missing_items))
            for score in item.scores
        ],
        missing=UNKNOWN_VERSION if item.questionnaire is None else None,
        concerns=list(item.concerns),
        help=[*map(translator(reader), service.help_words)] if item.concerns else [],
        about=to_datetime(response.about_ns, response.zone),
        entered=to_datetime(response.entered_ns, response.zone),
    )
