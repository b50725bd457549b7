"""Plans of prompts, prompts, and where they are sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from store.models.offers import DecisionPoint, OfferPlan


class PromptState(StrEnum):
    """How far a prompt is."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a prompt was not sent."""

    LATE = "its time was over before it could be sent"
    REPLACED = "one late prompt was sent in place of several"
    TOO_SOON = "another was sent within the hour before"
    NIGHT = "it would have come at night"
    PAUSED = "the person made a pause"
    PLAN_CHANGED = "the plan was changed"
    ZONE_CHANGED = "the person is in another time zone"
    CLOCK_CHANGED = "the clock of the computer was set back"
    NO_CONSENT = "the person does not agree to keeping, or may not sign in"
    NO_OFFER = "its moment of practice by lot could not be"
    FAILED = "no way to send it worked"
    INTERRUPTED = "the service was stopped while it was sent: it may have arrived"


@dataclass(frozen=True, slots=True)
class ReminderPlan:
    """When and how a person wishes to be asked.

    ``body``: JSON of analytics.programme.prompt_plan.PromptPlan; ``seed``: of the person's draws;
    ``version`` grows by one with each change. ``push``, ``mail`` and ``desktop``: the ways that
    are wished. ``shows_words``: whether the notification may say what it is about.
    ``calendar_hash``: of the secret in the address of the calendar; None without one.
    ``planned_through``: the last day (ISO 8601) of which the prompts are there. ``changed_ns``:
    since when this version counts. ``next_ns``: when there is next something to do.
    ``by_heart``: whether the body has it, to find those people by.
    """

    person_id: str
    seed: str
    body: str
    zone: str
    enabled: bool = True
    push: bool = True
    mail: bool = False
    desktop: bool = True
    shows_words: bool = False
    calendar_hash: str | None = None
    version: int = 1
    changed_ns: int = 0
    planned_through: str | None = None
    next_ns: int = 0
    by_heart: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """One time at which a person is asked, and what became of it.

    ``slot``: which of its day and plan it is, unique to the person; with the plan's seed it is the
    draw again. ``chance``: the probability with which its minute was drawn. ``asks``: pain, stress
    or both. ``due_ns``: when it is
    to be sent next. ``ways_tried`` is written before a way is tried, ``ways`` after it worked.
    ``receipt_hash``: of the secret that was sent with it, good for one answer. ``delivered_ns``,
    where the way tells; ``let_go_ns``: when the person said not this time.
    """

    id: str
    person_id: str
    slot: str
    reason: str
    planned_ns: int
    zone: str
    chance: float
    plan_version: int
    due_ns: int
    expires_ns: int
    state: PromptState = PromptState.PLANNED
    skip_reason: str | None = None
    attempts: int = 0
    leased_until_ns: int = 0
    ways_tried: str = ""
    ways: str = ""
    receipt_hash: str | None = None
    sent_ns: int | None = None
    delivered_ns: int | None = None
    opened_ns: int | None = None
    answered_ns: int | None = None
    let_go_ns: int | None = None
    put_off_ns: int | None = None
    simulated: bool = False
    asks: str = "both"

    @property
    def changed_ns(self) -> int:
        """When something last became of it; while it is planned, its time."""
        times = (
            *(self.sent_ns, self.delivered_ns, self.opened_ns, self.answered_ns),
            *(self.let_go_ns, self.put_off_ns),
        )
        return max(self.planned_ns, *(time for time in times if time is not None), self.expires_ns)

    def is_open(self, at_ns: int) -> bool:
        """Whether it was sent and an answer at this time is one to it."""
        return (
            self.sent_ns is not None
            and self.answered_ns is None
            and self.let_go_ns is None
            and self.sent_ns <= at_ns < self.expires_ns
        )


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """A browser that shows notifications: where to post them, and with which keys.

    ``token_id``: the sign-in that made it, with which it ends.
    """

    id: str
    person_id: str
    endpoint: str
    p256dh: str
    auth: str
    created_ns: int
    token_id: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known of a person when it is their turn. ``is_allowed``: they agree to keeping and
    may sign in. ``prompts``: planned or being sent, and those of the last two days.
    ``practices``: id and end of those that ended within the last day. ``sessions_ns``: when
    sessions were held or will be. ``offers``: the person's last plan of offers by lot that they
    agreed to; ``points``: those of the last days, and those whose moment has not come.
    """

    plan: ReminderPlan
    is_allowed: bool
    simulated: bool
    prompts: tuple[Prompt, ...]
    last_sent_ns: int | None
    practices: tuple[tuple[str, int], ...]
    sessions_ns: tuple[int, ...]
    offers: OfferPlan | None = None
    points: tuple[DecisionPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What to store after a turn. ``send``: the prompt that the caller now sends, with its lease;
    it is among ``changed`` too. ``added_points``, ``changed_points``: decision points.
    """

    plan: ReminderPlan
    added: tuple[Prompt, ...] = ()
    changed: tuple[Prompt, ...] = ()
    send: Prompt | None = None
    added_points: tuple[DecisionPoint, ...] = ()
    changed_points: tuple[DecisionPoint, ...] = ()
