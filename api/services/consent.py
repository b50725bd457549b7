"""Whether a person consents to a purpose: the newest of their answers counts."""

from __future__ import annotations

from enum import StrEnum

from store import Stores
from store.models import Consent, Person, Purpose

_COMMAND_LINE_WORDING = "keeping, English, command line, 1"
_WHERE = "on the page Consents, or with POST /v1/consents"


class KeepingState(StrEnum):
    """The newest answer to whether data may be kept."""

    AGREED = "agreed"
    UNANSWERED = "unanswered"
    WITHDRAWN = "withdrawn"
    OVER = "over"


def agree_to_keeping(stores: Stores, person: Person) -> None:
    """Store that a person agrees to keeping, as they said on the command line."""
    answer = Consent(person.id, Purpose.KEEPING, True, _COMMAND_LINE_WORDING, stores.now())
    stores.records.add_consent(answer)


def is_consented(answers: list[Consent], purpose: Purpose, at_ns: int) -> bool:
    """Whether the newest answer for this purpose is yes, and has not expired."""
    for answer in reversed(answers):
        if answer.purpose is purpose:
            return answer.given and (answer.until_ns is None or at_ns < answer.until_ns)
    return False


def keeping_state(answers: list[Consent], at_ns: int) -> KeepingState:
    """What the newest answer on keeping means at this time."""
    newest = next((item for item in reversed(answers) if item.purpose is Purpose.KEEPING), None)
    if newest is None:
        return KeepingState.UNANSWERED
    if not newest.given:
        return KeepingState.WITHDRAWN
    if newest.until_ns is not None and newest.until_ns <= at_ns:
        return KeepingState.OVER
    return KeepingState.AGREED


def may_be_used(answers: list[Consent], at_ns: int) -> bool:
    """Whether what is kept may be used: consent to keeping was not taken back, and is not over.

    Data from before anybody was asked may be read on; nothing is added to them.
    """
    return keeping_state(answers, at_ns) in (KeepingState.AGREED, KeepingState.UNANSWERED)


def is_consented_to_care(answers: list[Consent], at_ns: int) -> bool:
    """Whether their therapist may see the data: care is agreed to, keeping was not withdrawn."""
    return may_be_used(answers, at_ns) and is_consented(answers, Purpose.CARE, at_ns)


def is_consented_to_research(answers: list[Consent], at_ns: int) -> bool:
    """Whether analysts may use the data: research is agreed to, and keeping was not withdrawn."""
    return may_be_used(answers, at_ns) and is_consented(answers, Purpose.RESEARCH, at_ns)


def describe_refusal(state: KeepingState, *, is_own: bool = True) -> str:
    """Say why nothing is stored of a person in this state, and what to do about it."""
    who = "you agree" if is_own else "the patient agrees"
    why = {
        KeepingState.UNANSWERED: f"Nothing is stored before {who} that Ebbtide keeps it.",
        KeepingState.WITHDRAWN: "Consent to keeping was taken back, so nothing is stored.",
        KeepingState.OVER: "The time that keeping was agreed to is over, so nothing is stored.",
    }.get(state, "Consent to keeping changed just now, so nothing was stored.")
    return f"{why} {'Agree' if is_own else 'They can agree'} {_WHERE}."
