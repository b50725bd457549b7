"""Answers to a questionnaire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuestionnaireResponse:
    """One version of the answers to a questionnaire.

    ``questionnaire`` and ``definition_version``: the file that was answered; ``language``: the
    language that it was read in. ``answers``: JSON, the chosen value of each answered item
    (``pack_answers``). ``about_ns``: when it was answered; ``entered_ns``: when this version was
    entered; ``zone``: the person's zone then. ``occasion``: what of the programme it is of (before,
    mid, after, 1 month and so on), empty outside of it; ``planned_by``: what asked for it. A
    correction has the same ``id`` and the next ``version``; nothing is overwritten. So has its
    being ``withdrawn``.
    """

    id: str
    version: int
    person_id: str
    questionnaire: str
    definition_version: int
    language: str
    answers: str
    about_ns: int
    entered_ns: int
    zone: str
    occasion: str
    planned_by: str
    simulated: bool
    withdrawn: bool = False
    imported: bool = False

    @property
    def values(self) -> dict[str, int]:
        """The chosen value of each answered item."""
        found: dict[str, int] = json.loads(self.answers)
        return found


# What asked for an answer.
PLANNED_BY_PROGRAMME, PLANNED_BY_PERSON, PLANNED_BY_IMPORT = "programme", "person", "import"


def pack_answers(answers: Mapping[str, int]) -> str:
    """Write answers as they are stored: the same answers are the same text."""
    return json.dumps(dict(sorted(answers.items())), separators=(",", ":"))
