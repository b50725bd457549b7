"""Questionnaires of a person: what is due, answers with their scores, change over the programme."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from analytics.programme import (
    DueQuestionnaire,
    OccasionWindow,
    ScoreChange,
    ScoreValue,
    changing_score,
    find_concerns,
    plan_occasions,
    questionnaires_due,
    score_answers,
    score_change,
)
from api.services.programme_plan import SESSIONS, plan_sessions
from ebbtide.errors import EbbtideError
from ebbtide.questionnaires import Questionnaire, QuestionnaireLibrary, help_words, load_library
from ebbtide.settings import Settings
from ebbtide.timestamps import floor_to_microsecond, to_datetime
from store import Stores
from store.models import PLANNED_BY_IMPORT, Person, QuestionnaireResponse, pack_answers

_MIDDLE = SESSIONS // 2
UNKNOWN_VERSION = "The file of this version of the questionnaire is not here any more."


@dataclass(frozen=True, slots=True)
class ScoredResponse:
    """Answers, with what is made of them. ``questionnaire``: None where its file is not here."""

    response: QuestionnaireResponse
    questionnaire: Questionnaire | None
    scores: tuple[ScoreValue, ...]
    concerns: tuple[str, ...]

    @property
    def compared(self) -> float | None:
        """The score that is compared over time."""
        if self.questionnaire is None:
            return None
        name = changing_score(self.questionnaire)
        return next(score.value for score in self.scores if score.id == name)


@dataclass(frozen=True, slots=True)
class QuestionnaireChange:
    """The newest answers against the first: ``change`` is None where ``missing`` says why."""

    questionnaire: Questionnaire
    first: ScoredResponse
    last: ScoredResponse
    change: ScoreChange | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class ImportedAnswers:
    """Answers as a file or a message has them. ``own_id``: of the response, where it says one."""

    values: Mapping[str, int]
    about_ns: int
    zone: str
    occasion: str
    language: str
    own_id: str | None
    simulated: bool = False

    def to_response(
        self, found: Questionnaire, person: Person, now_ns: int
    ) -> QuestionnaireResponse:
        """Make the response. Without an id of its own it has one that follows from the person, the
        questionnaire and the moment, so that the same file again adds nothing. Raises ValueError
        for an id that is none.
        """
        made = uuid.uuid5(uuid.UUID(person.id), f"{found.id} at {self.about_ns}")
        return QuestionnaireResponse(
            id=str(made if self.own_id is None else uuid.UUID(self.own_id)),
            version=1,
            person_id=person.id,
            questionnaire=found.id,
            definition_version=found.version,
            language=self.language,
            answers=pack_answers(self.values),
            about_ns=self.about_ns,
            entered_ns=floor_to_microsecond(now_ns),
            zone=self.zone,
            occasion=self.occasion,
            planned_by=PLANNED_BY_IMPORT,
            simulated=person.simulated or self.simulated,
            imported=True,
        )


@dataclass(frozen=True, slots=True)
class QuestionnaireService:
    """The questionnaires that there are, those that the programme asks, and words of help."""

    library: QuestionnaireLibrary
    asked: tuple[Questionnaire, ...]
    help_words: tuple[str, ...]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read the files. Raises EbbtideError for a broken one, or one that is not there."""
        library = load_library(settings.questionnaires_dir)
        names = [name.strip() for name in settings.questionnaires_asked.split(",") if name.strip()]
        asked = []
        for name in names:
            found = library.find(name)
            if found is None:
                there = ", ".join(item.id for item in library.newest)
                raise EbbtideError(
                    f"There is no questionnaire {name!r}, only {there}.",
                    "Correct EBBTIDE_QUESTIONNAIRES_ASKED.",
                )
            asked.append(found)
        words = help_words(settings.help_contact, settings.help_lines)
        return cls(library, tuple(asked) or library.newest, words)

    def load_due(self, stores: Stores, person: Person, at_ns: int) -> tuple[DueQuestionnaire, ...]:
        """List what may be answered at a moment, and has not been."""
        answered = {
            (item.questionnaire, item.occasion) for item in stores.programme.responses(person.id)
        }
        now = to_datetime(at_ns, person.zone)
        windows = load_windows(stores, person, now)
        return questionnaires_due(windows, self.asked, answered, now)

    def score(self, response: QuestionnaireResponse) -> ScoredResponse:
        """Score answers with the version of the questionnaire that they were given to."""
        found = self.library.find(response.questionnaire, response.definition_version)
        if found is None:
            return ScoredResponse(response, None, (), ())
        values = response.values
        try:
            scores = score_answers(found, values)
        except ValueError:
            # The file was changed under the same version: what was answered is no answer of it.
            return ScoredResponse(response, None, (), ())
        return ScoredResponse(response, found, scores, find_concerns(found, values))

    def load_scored(self, stores: Stores, person: Person) -> list[ScoredResponse]:
        """Load the newest versions of a person's answers with their scores, by time."""
        return [self.score(item) for item in stores.programme.responses(person.id)]

    def load_changes(self, stores: Stores, person: Person) -> list[QuestionnaireChange]:
        """Compare the newest answers to each questionnaire with the first ones."""
        by_id: dict[str, list[ScoredResponse]] = {}
        for item in self.load_scored(stores, person):
            if item.questionnaire is not None:
                by_id.setdefault(item.questionnaire.id, []).append(item)
        return [_compare(by_id[name]) for name in sorted(by_id)]


def load_windows(stores: Stores, person: Person, now: datetime) -> tuple[OccasionWindow, ...]:
    """Lay out the occasions of a person's programme."""
    started_ns = stores.programme.programme(person.id).started_ns
    if started_ns is None:
        return plan_occasions(now, None, None, None)
    sessions = plan_sessions(stores, person, started_ns)
    dates = [item.held or item.suggested for item in sessions]
    return plan_occasions(now, to_datetime(started_ns, person.zone), dates[_MIDDLE - 1], max(dates))


def describe_answers(
    questionnaire: Questionnaire, answers: Mapping[str, int], item_id: str, language: str
) -> str:
    """Say in words what was answered to an item."""
    item = questionnaire.find_item(item_id)
    if item is None or item_id not in answers:
        return ""
    words = {option.value: option.text for option in questionnaire.options_of(item)}
    texts = words.get(answers[item_id], {})
    return texts.get(language) or next(iter(texts.values()), "")


def _compare(found: list[ScoredResponse]) -> QuestionnaireChange:
    before = [item for item in found if item.response.occasion == "before"]
    first, last = (before or found)[0], found[-1]
    assert last.questionnaire is not None
    change, missing = None, None
    if last.questionnaire.asks_change:
        missing = "Each answer is about a change already."
    elif first.response.id == last.response.id:
        missing = "It was answered once."
    elif first.response.definition_version != last.response.definition_version:
        missing = "The questionnaire changed in between."
    elif first.compared is None or last.compared is None:
        missing = "Answers that the score needs were left out."
    else:
        change = score_change(last.questionnaire, first.compared, last.compared)
    return QuestionnaireChange(last.questionnaire, first, last, change, missing)
