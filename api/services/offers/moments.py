"""Moments at which chance decides whether a practice is offered. Pure.

Called where it is decided about a person's prompts, so that a draw is stored in the transaction
that decides to send its prompt, before anything is sent: no worker that is killed draws twice, and
none draws after it is known whether a phone answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from analytics.practice import block_name, commitment, derive_nonce, make_draw
from analytics.programme.prompt_plan import PromptReason, is_night, local_date
from ebbtide.beats import new_id
from ebbtide.timestamps import MINUTE, to_datetime
from store.models import (
    DecisionPoint,
    NotAvailable,
    OfferPlan,
    Prompt,
    PromptState,
    SkipReason,
    Turn,
)

# Of the rating after: how long it can be given, in both arms.
AFTER_WINDOW_MIN = 30
AFTER_REASONS = (str(PromptReason.AFTER), str(PromptReason.AFTER_HEART))
# Sessions are stored with their beginning alone; they last an hour or so.
SESSION_BEFORE_NS, SESSION_AFTER_NS = 30 * MINUTE, 90 * MINUTE
_REASONS = frozenset(
    map(
        str,
        (
            *(PromptReason.FIXED, PromptReason.RANDOM, PromptReason.BURST, PromptReason.HEART),
            PromptReason.OFFER,
        ),
    )
)


def commit_points(turn: Turn, prompts: Iterable[Prompt], now_ns: int) -> list[DecisionPoint]:
    """Commit to the draws of prompts that are planned and have none yet.

    Parameters
    ----------
    turn : Turn
        What is known of the person.
    prompts : iterable of Prompt
        Their prompts, also those that are only now planned.
    now_ns : int
        When the commitments are stored.

    Returns
    -------
    list of DecisionPoint
        New ones; empty where the person has not agreed to offers by lot.
    """
    plan = turn.offers
    if plan is None or not plan.is_active:
        return []
    known = {point.prompt_id for point in turn.points}
    return [
        _commit(plan, prompt, now_ns)
        for prompt in prompts
        if prompt.id not in known
        and prompt.state is PromptState.PLANNED
        and prompt.sent_ns is None
        and prompt.reason in _REASONS
    ]


def settle_point(
    turn: Turn, point: DecisionPoint, prompts: Mapping[str, Prompt], now_ns: int
) -> DecisionPoint:
    """Say what became of a point whose moment had not come: drawn, where its prompt is being sent
    and an offer could be made; not available, with the reason; or the same, while it waits.

    Parameters
    ----------
    turn : Turn
        What is known of the person; ``point`` is among its points, since what was not committed to
        before is not drawn.
    point : DecisionPoint
        The point.
    prompts : mapping of id to Prompt
        The person's prompts as they are to be stored.
    now_ns : int
        Now.
    """
    if point.available is not None:
        return point
    plan, prompt = turn.offers, prompts.get(point.prompt_id)
    if plan is None or not plan.is_active or plan.number != point.plan_number:
        return _not_available(point, NotAvailable.ENDED)
    if prompt is None:
        return _not_available(point, NotAvailable.NOT_SENT)
    if prompt.state is PromptState.SKIPPED:
        if prompt.skip_reason == str(SkipReason.NO_OFFER):
            why_not = find_why_not(turn, plan, prompts, now_ns)
            return _not_available(point, why_not or NotAvailable.NOT_SENT)
        return _not_available(point, NotAvailable.NOT_SENT, prompt.skip_reason)
    if prompt.state is PromptState.PLANNED and prompt.sent_ns is None:
        return point
    if prompt.state is not PromptState.SENDING:
        # It was sent by a version of the service that knew of no offers.
        return _not_available(point, NotAvailable.NOT_COMMITTED)
    why_not = find_why_not(turn, plan, prompts, now_ns)
    if why_not is not None:
        return _not_available(point, why_not)
    return _draw(plan, point, turn.points, now_ns)


def find_why_not(
    turn: Turn, plan: OfferPlan, prompts: Mapping[str, Prompt], now_ns: int
) -> NotAvailable | None:
    """Say why nothing can be offered now; None where it can. It depends on what was before alone.

    Parameters
    ----------
    turn : Turn
        What is known of the person.
    plan : OfferPlan
        What they agreed to.
    prompts : mapping of id to Prompt
        Their prompts.
    now_ns : int
        Now.
    """
    zone = turn.plan.zone
    local = to_datetime(now_ns, zone)
    minute = local.hour * 60 + local.minute
    if is_night(now_ns, zone):
        return NotAvailable.NIGHT
    if not plan.start_min <= minute < plan.end_min:
        return NotAvailable.HOURS
    if local.date() < first_offer_day(plan, local.date()):
        return NotAvailable.FIRST_DAYS
    if any(-SESSION_BEFORE_NS <= now_ns - held < SESSION_AFTER_NS for held in turn.sessions_ns):
        return NotAvailable.SESSION
    if now_ns < plan.quiet_until_ns:
        return NotAvailable.NOT_NOW
    if any(now_ns <= _ends_ns(point, prompts) for point in turn.points):
        return NotAvailable.TOO_SOON
    return None


def first_offer_day(plan: OfferPlan, today: date) -> date:
    """Give the first local day on which something can be offered. ``today``: where the plan has no
    day of agreeing.
    """
    return date.fromisoformat(plan.first_day or today.isoformat()) + timedelta(days=plan.first_days)


def times_on(plan: OfferPlan | None, day: date) -> tuple[int, ...]:
    """List the times of the plan on a day, in minutes after midnight: none where nobody agreed, or
    in the first days.
    """
    if plan is None or not plan.is_active or day < first_offer_day(plan, day):
        return ()
    return plan.times_min


def answered_points(
    points: Iterable[DecisionPoint], prompts: Mapping[str, Prompt]
) -> list[DecisionPoint]:
    """List the drawn points whose prompt was answered since, with ``before_ns`` set."""
    return [
        replace(point, before_ns=prompt.answered_ns)
        for point, prompt in _unanswered(points, prompts)
        if prompt.answered_ns is not None
    ]


def next_look_ns(
    points: Iterable[DecisionPoint], prompts: Mapping[str, Prompt], now_ns: int
) -> list[int]:
    """List until when drawn points can be answered. Should a worker be killed between storing an
    answer and looking at it, the rating after is planned then, still in time.
    """
    found = _unanswered(points, prompts)
    return [prompt.expires_ns for _, prompt in found if now_ns < prompt.expires_ns]


def _unanswered(
    points: Iterable[DecisionPoint], prompts: Mapping[str, Prompt]
) -> list[tuple[DecisionPoint, Prompt]]:
    """List the drawn points of whose answer nothing is stored, with their prompts."""
    return [
        (point, prompts[point.prompt_id])
        for point in points
        if point.drawn_ns is not None and point.before_ns is None and point.prompt_id in prompts
    ]


def _commit(plan: OfferPlan, prompt: Prompt, now_ns: int) -> DecisionPoint:
    point_id = new_id()
    local = to_datetime(prompt.planned_ns, prompt.zone)
    first_day = date.fromisoformat(plan.first_day or local.date().isoformat())
    # West of where it was agreed, the day before that can be today.
    day = max(first_day, local_date(prompt.planned_ns, prompt.zone))
    block = f"{plan.number}/{block_name(first_day, day, local.hour * 60 + local.minute)}"
    nonce = derive_nonce(bytes.fromhex(plan.seed), point_id)
    return DecisionPoint(
        id=point_id,
        person_id=plan.person_id,
        plan_number=plan.number,
        prompt_id=prompt.id,
        planned_ns=prompt.planned_ns,
        zone=prompt.zone,
        block=block,
        base_probability=plan.base_probability,
        arms=plan.arms,
        delay_min=plan.delay_min,
        commitment=commitment(nonce, point_id, block, plan.base_probability, plan.arm_list),
        committed_ns=now_ns,
        simulated=prompt.simulated,
    )


def _draw(
    plan: OfferPlan, point: DecisionPoint, points: Iterable[DecisionPoint], now_ns: int
) -> DecisionPoint:
    earlier = [
        item.offered for item in points if item.block == point.block and item.offered is not None
    ]
    draw = make_draw(
        derive_nonce(bytes.fromhex(plan.seed), point.id),
        point.id,
        point.block,
        point.base_probability,
        earlier,
        tuple(point.arms.split(",")),
    )
    return replace(
        point,
        available=True,
        nonce=draw.nonce,
        probability=draw.probability,
        offered=draw.offered,
        arm=draw.arm,
        drawn_ns=now_ns,
    )


def _not_available(
    point: DecisionPoint, why: NotAvailable, reason: str | None = None
) -> DecisionPoint:
    words = str(why) if reason is None else f"{why}: {reason}"
    return replace(point, available=False, why_not=words)


def _ends_ns(point: DecisionPoint, prompts: Mapping[str, Prompt]) -> int:
    """When the last rating of a drawn moment can be given: before that nothing is drawn again, so
    that no outcome is another draw's doing.
    """
    if point.drawn_ns is None:
        return 0
    prompt = prompts.get(point.prompt_id)
    before = point.before_ns
    if before is None and prompt is not None:
        before = prompt.answered_ns
        if before is None:
            return prompt.expires_ns if prompt.let_go_ns is None else prompt.let_go_ns
    if before is None:
        return point.drawn_ns
    return before + (point.delay_min + AFTER_WINDOW_MIN) * MINUTE
