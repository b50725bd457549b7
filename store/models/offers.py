"""Practice by lot: what a person agreed to, and the moments at which it was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OfferEnd(StrEnum):
    """Why offers by lot ended."""

    PERSON = "the person stopped them"
    REPLACED = "the person agreed to others"
    HARM_STRESS = "stress was higher after offers"
    HARM_PAIN = "pain was higher after offers"


class NotAvailable(StrEnum):
    """Why nothing could be offered at a moment, so that nothing was drawn."""

    FIRST_DAYS = "within the first days"
    HOURS = "outside of the hours that were agreed to"
    NIGHT = "at night"
    SESSION = "near a session"
    NOT_NOW = "the person had said not now"
    TOO_SOON = "the rating after the last moment was still to come"
    NOT_SENT = "the prompt was not sent"
    NOT_COMMITTED = "its draw was not committed to before"
    ENDED = "offers by lot had ended"


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """Offers by lot that a person agreed to, or that a therapist proposes: the ``number``-th.

    ``seed``: secret, of the draws, 64 hexadecimal digits. ``arms``: the practices (PracticeKind),
    joined by commas. ``base_probability``: of an offer. ``delay_min``: minutes from the rating
    before to the rating after. ``first_days``: days without offers. ``start_min``, ``end_min``:
    the hours, in minutes after midnight. ``wording``: the text that the person agreed to, at
    ``agreed_ns``; None while it is proposed. ``proposed_by``: an account, where a therapist did.
    ``first_day``: the local day (ISO 8601) of agreeing, from which blocks are counted.
    ``quiet_until_ns``: until when the person said not now. ``ended_why``: an OfferEnd. ``times``:
    at which it asks besides the reminders, in minutes after midnight, joined by commas.
    """

    person_id: str
    number: int
    seed: str
    arms: str
    base_probability: float
    delay_min: int
    first_days: int
    start_min: int
    end_min: int
    created_ns: int
    proposed_by: str | None = None
    wording: str = ""
    agreed_ns: int | None = None
    first_day: str | None = None
    quiet_until_ns: int = 0
    ended_ns: int | None = None
    ended_why: str | None = None
    times: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the person agreed and it has not ended."""
        return self.agreed_ns is not None and self.ended_ns is None

    @property
    def arm_list(self) -> tuple[str, ...]:
        """The practices, in the order in which they are drawn from."""
        return tuple(self.arms.split(","))

    @property
    def times_min(self) -> tuple[int, ...]:
        """The times at which it asks besides the reminders, in order."""
        return tuple(int(minute) for minute in self.times.split(",") if minute)


@dataclass(frozen=True, slots=True)
class DecisionPoint:
    """A moment at which chance decides whether a practice is offered.

    ``commitment``: the hash that is shown before, stored at ``committed_ns``. ``available``: None
    until the moment has come; where it is false, ``why_not`` is a NotAvailable (with the prompt's
    reason, where it was not sent) and nothing is drawn. ``nonce``, ``probability``, ``offered`` and
    ``arm``: the draw, stored at ``drawn_ns`` before the prompt is sent. ``before_ns``: when the
    prompt was answered, with which the draw is revealed; ``after_prompt_id``: the prompt of the
    rating after, in both arms. ``shown_ns``: when an offer was first displayed; ``declined_ns``:
    when the person said not now.
    """

    id: str
    person_id: str
    plan_number: int
    prompt_id: str
    planned_ns: int
    zone: str
    block: str
    base_probability: float
    arms: str
    delay_min: int
    commitment: str
    committed_ns: int
    available: bool | None = None
    why_not: str | None = None
    nonce: str | None = None
    probability: float | None = None
    offered: bool | None = None
    arm: str | None = None
    drawn_ns: int | None = None
    before_ns: int | None = None
    after_prompt_id: str | None = None
    shown_ns: int | None = None
    declined_ns: int | None = None
    simulated: bool = False
