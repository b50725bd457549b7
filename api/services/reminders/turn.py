"""Decide what becomes of a person's prompts now. Pure: what is known in, what to store out.

It runs within the transaction that holds the person's plan, so that no two workers decide at once.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from analytics.programme.prompt_plan import (
    MIN_GAP_MIN,
    PlannedPrompt,
    PromptPlan,
    PromptReason,
    draw_day,
    follow_up,
    is_night,
    is_paused,
    local_date,
    offer_times,
    plan_from_json,
)
from api.services.offers.moments import (
    AFTER_REASONS,
    AFTER_WINDOW_MIN,
    answered_points,
    commit_points,
    find_why_not,
    next_look_ns,
    settle_point,
    times_on,
)
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store.models import (
    DecisionPoint,
    Prompt,
    PromptState,
    ReminderPlan,
    SkipReason,
    Turn,
    TurnResult,
)

# Renewed while sending goes on, so that it says how late the prompt of a killed worker is at most.
LEASE_NS = 30 * SECOND
MAX_ATTEMPTS = 5
# How late a prompt may be and still count as punctual.
_PUNCTUAL_NS = 5 * MINUTE
# After a longer absence of the service, the days before are not planned any more: of a year of
# nothing there is nothing to say.
_MAX_DAYS = 60
_IDLE_NS = 6 * HOUR


def plan_of(stored: ReminderPlan) -> PromptPlan:
    """Read a stored plan."""
    return plan_from_json(json.loads(stored.body))


def decide(turn: Turn, now_ns: int, receipt_hash: str) -> TurnResult:
    """Decide what becomes of a person's prompts. ``receipt_hash``: of the secret that goes with
    the prompt that is sent, if one is.
    """
    work = _Work(turn, now_ns)
    work.end_interrupted()
    if not turn.is_allowed:
        work.skip_open(SkipReason.NO_CONSENT)
        return work.result(now_ns + HOUR)
    if not turn.plan.enabled:
        work.skip_open(SkipReason.PLAN_CHANGED)
        return work.result(now_ns + DAY)
    work.follow_clock()
    work.drop_older_plans()
    work.add_days()
    work.add_offer_times()
    work.add_follow_ups()
    work.add_ratings_after()
    sending = work.choose()
    if sending is not None:
        sending = replace(
            sending,
            state=PromptState.SENDING,
            leased_until_ns=now_ns + LEASE_NS,
            attempts=sending.attempts + 1,
            receipt_hash=receipt_hash,
        )
        work.put(sending)
    return work.result(now_ns + _IDLE_NS, sending)


def next_attempt(prompt: Prompt, now_ns: int, ways: str) -> Prompt:
    """What becomes of a prompt after an attempt: ``ways`` that worked, by now. Where none did it
    comes again after 1, 2, 4 and 8 minutes, while it can still be answered.
    """
    if ways:
        return replace(
            prompt,
            state=PromptState.SENT,
            ways=ways,
            sent_ns=now_ns if prompt.sent_ns is None else prompt.sent_ns,
            leased_until_ns=0,
        )
    again = now_ns + MINUTE * 2 ** (prompt.attempts - 1)
    if prompt.attempts < MAX_ATTEMPTS and again < prompt.expires_ns:
        # None of the ways worked for certain: each may be tried again.
        return replace(
            prompt, state=PromptState.PLANNED, due_ns=again, ways_tried="", leased_until_ns=0
        )
    if prompt.sent_ns is not None:  # it was put off, and came once
        return replace(prompt, state=PromptState.SENT, leased_until_ns=0)
    return skipped(prompt, SkipReason.FAILED)


def skipped(prompt: Prompt, reason: SkipReason) -> Prompt:
    """A prompt that is not sent; one that was sent and put off stays sent."""
    if prompt.sent_ns is not None:
        return replace(prompt, state=PromptState.SENT, leased_until_ns=0)
    return replace(prompt, state=PromptState.SKIPPED, skip_reason=str(reason), leased_until_ns=0)


class _Work:
    """The prompts of one person while it is decided about them."""

    def __init__(self, turn: Turn, now_ns: int) -> None:
        self._turn = turn
        self._now = now_ns
        self._stored = turn.plan
        self._plan = plan_of(turn.plan)
        self._known = {prompt.id: prompt for prompt in turn.prompts}
        self._slots = {prompt.slot for prompt in turn.prompts}
        self._added: dict[str, Prompt] = {}
        self._changed: dict[str, Prompt] = {}
        self._points = {point.id: point for point in turn.points}

    def put(self, prompt: Prompt) -> None:
        """Store a change."""
        if prompt.id in self._added:
            self._added[prompt.id] = prompt
        else:
            self._known[prompt.id] = prompt
            self._changed[prompt.id] = prompt

    def end_interrupted(self) -> None:
        """Go on with what a worker was sending that was stopped.

        Pushes and desktop notifications are tried again: the second one takes the place of the
        first. A mail would come twice, so one that was begun is not begun again.
        """
        for prompt in self._all():
            if prompt.state is PromptState.SENDING and not self._is_leased(prompt):
                if "mail" in prompt.ways_tried.split():
                    # It may have arrived, and then its answer counts.
                    ended = skipped(prompt, SkipReason.INTERRUPTED)
                    self.put(replace(ended, sent_ns=prompt.sent_ns or prompt.due_ns))
                else:
                    self.put(replace(prompt, state=PromptState.PLANNED, leased_until_ns=0))

    def skip_open(self, reason: SkipReason) -> None:
        """Skip what is not sent yet."""
        for prompt in self._all():
            if prompt.state is PromptState.PLANNED:
                self.put(skipped(prompt, reason))

    def follow_clock(self) -> None:
        """Plan again where the clock was set back: days were planned that are far ahead."""
        through = self._stored.planned_through
        tomorrow = local_date(self._now, self._stored.zone) + timedelta(days=1)
        if through is not None and date.fromisoformat(through) > tomorrow + timedelta(days=1):
            self.skip_open(SkipReason.CLOCK_CHANGED)
            self._stored = replace(
                self._stored,
                version=self._stored.version + 1,
                planned_through=None,
                changed_ns=self._now,
            )

    def drop_older_plans(self) -> None:
        """Skip what an earlier version of the plan has planned; what a practice has, stays."""
        for prompt in self._all():
            if prompt.state is not PromptState.PLANNED or prompt.sent_ns is not None:
                continue
            is_follow_up = prompt.reason == str(PromptReason.FOLLOW_UP)
            if is_follow_up and self._plan.follow_up_min is not None:
                continue
            if prompt.reason in AFTER_REASONS:
                continue
            if self._has_other_offers(prompt):
                self.put(skipped(prompt, SkipReason.PLAN_CHANGED))
                continue
            if prompt.plan_version < self._stored.version:
                moved = prompt.zone != self._stored.zone
                self.put(
                    skipped(prompt, SkipReason.ZONE_CHANGED if moved else SkipReason.PLAN_CHANGED)
                )

    def add_days(self) -> None:
        """Plan the days until tomorrow that are not planned yet."""
        zone = self._stored.zone
        today = local_date(self._now, zone)
        day = local_date(self._stored.changed_ns, zone)
        if self._stored.planned_through is not None:
            day = date.fromisoformat(self._stored.planned_through) + timedelta(days=1)
        day = max(day, today - timedelta(days=_MAX_DAYS))
        sessions = tuple(local_date(at_ns, zone) for at_ns in self._turn.sessions_ns)
        while day <= today + timedelta(days=1):
            version = self._stored.version
            offer_min = times_on(self._turn.offers, day)
            for item in draw_day(self._plan, day, zone, self._seed(), sessions, offer_min):
                if item.at_ns >= self._stored.changed_ns:
                    self._add(item, f"{day.isoformat()}/v{version}/{item.slot}")
            day += timedelta(days=1)
        self._stored = replace(
            self._stored, planned_through=(today + timedelta(days=1)).isoformat()
        )

    def add_offer_times(self) -> None:
        """Plan the times that practice by lot sets, of today and tomorrow, before they come."""
        offers, zone = self._turn.offers, self._stored.zone
        today = local_date(self._now, zone)
        for day in (today, today + timedelta(days=1)):
            for item in offer_times(self._plan, times_on(offers, day), day, zone):
                if offers is not None and item.at_ns > self._now:
                    slot = f"{day.isoformat()}/v{self._stored.version}"
                    self._add(item, f"{slot}/{_offers_of(offers.number)}{item.slot}")

    def _has_other_offers(self, prompt: Prompt) -> bool:
        """Whether it is a time of offers that have ended since."""
        if prompt.reason != str(PromptReason.OFFER):
            return False
        offers = self._turn.offers
        if offers is None or not offers.is_active:
            return True
        return f"/{_offers_of(offers.number)}" not in prompt.slot

    def _can_be_drawn(self, prompt: Prompt) -> bool:
        """Whether a time of offers, which asks for its draw alone, can have one: not near a session
        nor after not now. What was drawn before its worker was killed is sent.
        """
        own = next((item for item in self._points.values() if item.prompt_id == prompt.id), None)
        if own is not None and own.drawn_ns is not None:
            return True
        offers = self._turn.offers
        turn = replace(self._turn, points=tuple(self._points.values()))
        return offers is not None and not find_why_not(turn, offers, self._prompts(), self._now)

    def add_follow_ups(self) -> None:
        """Plan what was agreed to follow a practice."""
        for practice_id, end_ns in self._turn.practices:
            item = follow_up(self._plan, practice_id, end_ns, self._stored.zone)
            if item is not None and item.at_ns >= self._stored.changed_ns:
                self._add(item, item.slot)

    def add_ratings_after(self) -> None:
        """Plan the rating after each moment that was answered, whatever its draw was."""
        offers = self._turn.offers
        for point in answered_points(self._points.values(), self._prompts()):
            self._points[point.id] = point
            if offers is None or not offers.is_active or point.before_ns is None:
                continue
            at_ns = point.before_ns + point.delay_min * MINUTE
            item = PlannedPrompt(at_ns, self._reason_after(point), f"after-{point.id}")
            added = self._add(item, item.slot, AFTER_WINDOW_MIN)
            if added is not None:
                self._points[point.id] = replace(point, after_prompt_id=added.id)

    def _reason_after(self, point: DecisionPoint) -> PromptReason:
        """Which says, too, whether the heart chose the moment: the answer leaves those out."""
        before = self._known.get(point.prompt_id)
        by_heart = before is not None and before.reason == str(PromptReason.HEART)
        return PromptReason.AFTER_HEART if by_heart else PromptReason.AFTER

    def choose(self) -> Prompt | None:
        """Skip what cannot be sent any more, and choose what is sent now.

        After a sleep of the computer several are due: the newest is sent, late, and the others are
        not. None is, where the next one is less than an hour away.
        """
        if any(
            prompt.state is PromptState.SENDING and self._is_leased(prompt)
            for prompt in self._all()
        ):
            return None
        due = sorted(
            (
                prompt
                for prompt in self._all()
                if prompt.state is PromptState.PLANNED and prompt.due_ns <= self._now
            ),
            key=lambda prompt: (prompt.planned_ns, prompt.id),
        )
        candidates = []
        for prompt in due:
            reason = self._reason_against(prompt)
            if reason is None:
                candidates.append(prompt)
            else:
                self.put(skipped(prompt, reason))
        if not candidates:
            return None
        *others, newest = candidates
        for prompt in others:
            self.put(skipped(prompt, SkipReason.REPLACED))
        is_after = newest.reason in AFTER_REASONS  # about a set delay, or not at all
        is_late = self._now >= newest.planned_ns + _PUNCTUAL_NS
        if newest.sent_ns is None and is_late and not is_after:
            # It was due while nothing could send it: answering it takes as long as ever.
            window = self._plan.window_min * MINUTE
            newest = replace(newest, expires_ns=max(newest.expires_ns, self._now + window))
        return newest

    def result(self, idle_ns: int, send: Prompt | None = None) -> TurnResult:
        """What to store; the next turn is when the next prompt is due, at the latest then."""
        prompts = self._prompts()
        added = commit_points(self._turn, prompts.values(), self._now)
        changed = self._settle_points(prompts)
        times = [idle_ns, *next_look_ns(self._points.values(), prompts, self._now)]
        for prompt in self._all():
            if prompt.state is PromptState.PLANNED:
                times.append(max(prompt.due_ns, self._now + SECOND))
            elif prompt.state is PromptState.SENDING:
                times.append(max(prompt.leased_until_ns, self._now + SECOND))
        return TurnResult(
            replace(self._stored, next_ns=min(times)),
            tuple(self._added.values()),
            tuple(self._changed.values()),
            send,
            tuple(added),
            tuple(changed),
        )

    def _settle_points(self, prompts: dict[str, Prompt]) -> list[DecisionPoint]:
        # Of one turn one prompt is sent at most, so one point at most is drawn.
        turn = replace(self._turn, points=tuple(self._points.values()))
        settled = [settle_point(turn, point, prompts, self._now) for point in turn.points]
        self._points = {point.id: point for point in settled}
        before = {point.id: point for point in self._turn.points}
        return [point for point in settled if point != before[point.id]]

    def _prompts(self) -> dict[str, Prompt]:
        return {prompt.id: prompt for prompt in self._all()}

    def _is_leased(self, prompt: Prompt) -> bool:
        # A lease that is longer than any was given before the clock was set back.
        return self._now < prompt.leased_until_ns <= self._now + LEASE_NS

    def _all(self) -> list[Prompt]:
        return [*self._known.values(), *self._added.values()]

    def _seed(self) -> str:
        return f"{self._stored.seed}/v{self._stored.version}"

    def _add(self, item: PlannedPrompt, slot: str, window_min: int | None = None) -> Prompt | None:
        if slot in self._slots:
            return None
        self._slots.add(slot)
        prompt = Prompt(
            id=new_id(),
            person_id=self._stored.person_id,
            slot=slot,
            reason=str(item.reason),
            planned_ns=item.at_ns,
            zone=self._stored.zone,
            chance=item.chance,
            plan_version=self._stored.version,
            due_ns=item.at_ns,
            expires_ns=item.at_ns + (window_min or self._plan.window_min) * MINUTE,
            simulated=self._turn.simulated,
            asks=str(item.asks),
        )
        self._added[prompt.id] = prompt
        return prompt

    def _reason_against(self, prompt: Prompt) -> SkipReason | None:
        zone = self._stored.zone
        is_late = self._now >= prompt.expires_ns
        if prompt.sent_ns is not None:  # put off: it comes again within its window, or not
            return SkipReason.LATE if is_late or is_night(self._now, zone) else None
        if is_paused(self._plan, local_date(self._now, zone)):
            return SkipReason.PAUSED
        if self._now - prompt.planned_ns > DAY:
            return SkipReason.LATE
        if is_night(self._now, zone):
            return SkipReason.NIGHT
        if prompt.reason in (str(PromptReason.FOLLOW_UP), *AFTER_REASONS):
            return SkipReason.LATE if is_late else None
        if prompt.reason == str(PromptReason.OFFER):
            if is_late:
                return SkipReason.LATE
            if not self._can_be_drawn(prompt):
                return SkipReason.NO_OFFER
        last, gap = self._turn.last_sent_ns, MIN_GAP_MIN * MINUTE
        if last is not None and 0 <= self._now - last < gap:
            return SkipReason.TOO_SOON
        if is_late and any(
            self._now < other.due_ns < self._now + gap
            for other in self._all()
            if other.state is PromptState.PLANNED
        ):
            return SkipReason.LATE
        return None


def _offers_of(number: int) -> str:
    """Name the plan of offers in the slot of one of its times."""
    return f"offers-{number}/"
