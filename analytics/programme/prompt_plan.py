"""When to ask a person for a rating: a plan, and the moments that it gives for a day.

Pure: a plan, a date, a zone and a seed in, moments out. The same four give the same moments on
every machine and in every version, so that each prompt can be drawn again from what is stored with
it. The draw is the SHA-256 of its words, and no generator whose sequence a library may change.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60
# Never outside of these, whatever is wished: most sleep then. It also keeps a day's last prompt and
# the next day's first one nine hours apart.
DAY_BEGINS_MIN, NIGHT_BEGINS_MIN = 7 * 60, 22 * 60
MIN_GAP_MIN = 60
MAX_A_DAY = 8
MAX_BURST_DAYS = 7
MAX_PAUSES = 50
# Of extra prompts by the heart: as many a day at most, and so far from all others.
MAX_HEART_A_DAY = 2
HEART_GAP_MIN = 90
# Of two prompts that ask pain and stress apart: the second comes so long after the first at most.
PAIR_MAX_MIN = 180
_MINUTE_NS = 60_000_000_000
_LABELS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class PromptReason(StrEnum):
    """Why a prompt was planned."""

    FIXED = "fixed"
    RANDOM = "random"
    BURST = "burst"
    FOLLOW_UP = "follow-up"
    HEART = "heart"
    OFFER = "offer-time"  # a time that a plan of practice by lot sets
    # The rating after a moment of practice by lot, and after one that the heart chose.
    AFTER = "after"
    AFTER_HEART = "after-heart"
    IMPORTED = "imported"


class Asks(StrEnum):
    """What a prompt asks for."""

    BOTH = "both"
    PAIN = "pain"
    STRESS = "stress"


class PlanError(ValueError):
    """A plan that cannot be kept; the message says why, and what to change."""


@dataclass(frozen=True, slots=True)
class DayHours:
    """The hours of a day in which prompts may come, in minutes after midnight."""

    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Days without prompts, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Burst:
    """More prompts around sessions, which a therapist proposes and the patient agrees to.

    Parameters
    ----------
    days : int
        How many days before and after a session.
    a_day : int
        Random prompts on each of these days, in place of the usual number.
    agreed : bool
        Whether the patient agreed. Without that it changes nothing.
    """

    days: int
    a_day: int
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """When a person wishes to be asked.

    Parameters
    ----------
    hours : tuple of DayHours or None
        Seven, Monday first; None for a day without prompts.
    random_a_day : int
        The hours are divided into as many equal blocks, with one random moment in each.
    fixed_min : tuple of int
        Fixed times in minutes after midnight; on days whose hours do not hold one, it is left out.
    pauses : tuple of Pause
        Holidays, and *not today*.
    window_min : int
        How long a prompt can be answered as such. An answer after that is one about then, not an
        answer to the prompt.
    put_off_min : int
        How much later a prompt that is put off comes again, once, within its window.
    follow_up_min : int or None
        One prompt so long after the end of a practice, where the person agreed to that; it alone
        may come within an hour of another.
    burst : Burst or None
        More prompts around sessions.
    by_heart : bool
        Whether prompts may also come when the heart is faster than usual at that hour, or calm
        after a practice: beside random ones alone, at most two a day, an hour and a half from any
        other. The answer leaves them out.
    asks_apart : bool
        Whether random prompts come in pairs, of which one asks for pain alone and the other, one to
        three hours later, for stress alone; which comes first is drawn. An odd one out asks for
        both, as all other prompts do.
    """

    hours: tuple[DayHours | None, ...] = (DayHours(9 * 60, 20 * 60),) * 7
    random_a_day: int = 2
    fixed_min: tuple[int, ...] = ()
    pauses: tuple[Pause, ...] = ()
    window_min: int = 45
    put_off_min: int = 15
    follow_up_min: int | None = None
    burst: Burst | None = field(default=None)
    by_heart: bool = False
    asks_apart: bool = False


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """A moment to ask at.

    Parameters
    ----------
    at_ns : int
        UTC nanoseconds.
    reason : PromptReason
        Why it was planned.
    slot : str
        Which of the day's prompts it is, unique within a day: ``fixed-0900``, ``random-1-of-2``.
    chance : float
        For a random one, the probability with which its minute was drawn, given those before it of
        the day; 1 for others. Its reciprocal is the weight of the answer.
    asks : Asks
        What it asks for. Of a pair that asks apart, either order has a probability of one half.
    """

    at_ns: int
    reason: PromptReason
    slot: str
    chance: float = 1.0
    asks: Asks = Asks.BOTH


def validate_plan(plan: PromptPlan) -> PromptPlan:
    """Check that every day of a plan can be kept, whatever is drawn.

    Parameters
    ----------
    plan : PromptPlan
        The plan.

    Returns
    -------
    PromptPlan
        The same plan, fixed times in order.

    Raises
    ------
    PlanError
        If hours reach into the night, times are less than an hour apart, or a block has no room for
        a random prompt an hour away from all others.
    """
    if len(plan.hours) != 7:
        raise PlanError("A plan has hours for seven days, Monday first.")
    _require(plan.random_a_day, "The number of random prompts a day", 0, MAX_A_DAY)
    _require(plan.window_min, "The minutes in which a prompt can be answered", 10, 60)
    _require(plan.put_off_min, "The minutes of putting off", 5, plan.window_min - 5)
    if plan.follow_up_min is not None:
        _require(plan.follow_up_min, "The minutes after a practice", 5, 180)
    if len(plan.pauses) > MAX_PAUSES:
        raise PlanError(f"A plan has at most {MAX_PAUSES} pauses: remove those that are over.")
    for pause in plan.pauses:
        if pause.last < pause.first:
            raise PlanError("A pause ends before it begins.")
    fixed = tuple(sorted(plan.fixed_min))
    if len(fixed) > MAX_A_DAY or any(not 0 <= minute < MINUTES_A_DAY for minute in fixed):
        raise PlanError(f"At most {MAX_A_DAY} fixed times, each from 00:00 to 23:59.")
    if any(later - earlier < MIN_GAP_MIN for earlier, later in pairwise(fixed)):
        raise PlanError("Fixed times are at least an hour apart.")
    if plan.by_heart and not plan.random_a_day:
        raise PlanError(
            "Questions by the heart come beside random ones only: choose at least one random a day."
        )
    if plan.asks_apart and plan.random_a_day < 2:
        raise PlanError(
            "Pain and stress are asked apart by two random questions: choose at least two a day."
        )
    counts = [plan.random_a_day]
    if plan.burst is not None:
        _require(plan.burst.days, "The days around a session", 0, MAX_BURST_DAYS)
        _require(plan.burst.a_day, "The prompts a day around a session", 1, MAX_A_DAY)
        counts.append(plan.burst.a_day)
    for weekday, hours in enumerate(plan.hours):
        if hours is not None:
            _validate_day(_LABELS[weekday], hours, fixed, counts, plan.asks_apart)
    return replace(plan, fixed_min=fixed)


def draw_day(
    plan: PromptPlan,
    day: date,
    zone: str,
    seed: str,
    session_days: tuple[date, ...] = (),
    offer_min: tuple[int, ...] = (),
) -> list[PlannedPrompt]:
    """Give the moments of a day at which to ask.

    Parameters
    ----------
    plan : PromptPlan
        A valid plan.
    day : date
        The day, where the person is.
    zone : str
        The IANA zone where the person is.
    seed : str
        The seed of the person's draws. With the same one the same moments come.
    session_days : tuple of date, optional
        Days of sessions, for a burst.
    offer_min : tuple of int, optional
        Times of practice by lot (``offer_times``), which random moments keep an hour away from.

    Returns
    -------
    list of PlannedPrompt
        By time, none within an hour of another and none at night; empty in a pause.

    Examples
    --------
    >>> from datetime import date
    >>> plan = PromptPlan(random_a_day=1, fixed_min=(9 * 60,))
    >>> [item.slot for item in draw_day(plan, date(2026, 3, 29), "Europe/Berlin", "seed")]
    ['fixed-0900', 'random-1-of-1']
    """
    hours = plan.hours[day.weekday()]
    if hours is None or is_paused(plan, day):
        return []
    in_burst = is_burst_day(plan, day, session_days)
    count, reason = plan.random_a_day, PromptReason.RANDOM
    if in_burst and plan.burst is not None:
        count, reason = plan.burst.a_day, PromptReason.BURST
    fixed = [m for m in sorted(plan.fixed_min) if hours.start_min <= m < hours.end_min]
    found = [
        PlannedPrompt(
            _to_ns(day, minute, zone),
            PromptReason.FIXED,
            f"fixed-{minute // 60:02}{minute % 60:02}",
        )
        for minute in fixed
    ]
    taken = [*fixed, *_free_of_fixed(plan, hours, offer_min)]
    words = f"{seed}/{day.isoformat()}"
    number = 1
    for begin, end, size in _sized_blocks(hours, count, plan.asks_apart):
        slots = [f"{reason}-{number + place}-of-{count}" for place in range(size)]
        number += size
        draws = _draw_block(begin, end, taken, words, slots)
        for slot, (minute, chance, asks) in zip(slots, draws, strict=False):
            taken.append(minute)
            found.append(PlannedPrompt(_to_ns(day, minute, zone), reason, slot, chance, asks))
    return sorted(found, key=lambda item: item.at_ns)


def offer_times(
    plan: PromptPlan, offer_min: tuple[int, ...], day: date, zone: str
) -> list[PlannedPrompt]:
    """Give the moments that a plan of practice by lot sets for a day.

    Parameters
    ----------
    plan : PromptPlan
        The person's plan of prompts, whose hours and pauses count for these too.
    offer_min : tuple of int
        The times, in minutes after midnight.
    day : date
        The day, where the person is.
    zone : str
        The IANA zone where the person is.

    Returns
    -------
    list of PlannedPrompt
        By time. One outside of the day's hours, or less than an hour from a fixed prompt, which is
        such a moment itself, is left out; all are in a pause.

    Examples
    --------
    >>> from datetime import date
    >>> plan = PromptPlan(fixed_min=(9 * 60,))
    >>> [item.slot for item in offer_times(plan, (570, 900), date(2026, 3, 30), "UTC")]
    ['offer-1500']
    """
    hours = plan.hours[day.weekday()]
    if hours is None or is_paused(plan, day):
        return []
    return [
        PlannedPrompt(
            _to_ns(day, minute, zone),
            PromptReason.OFFER,
            f"offer-{minute // 60:02}{minute % 60:02}",
        )
        for minute in _free_of_fixed(plan, hours, offer_min)
    ]


def follow_up(plan: PromptPlan, practice_id: str, end_ns: int, zone: str) -> PlannedPrompt | None:
    """Give the moment of the follow-up of a practice.

    Parameters
    ----------
    plan : PromptPlan
        A valid plan.
    practice_id : str
        Which practice.
    end_ns : int
        When it ended, UTC nanoseconds.
    zone : str
        The IANA zone where the person is.

    Returns
    -------
    PlannedPrompt or None
        None where the person agreed to none, it would come at night, or the day is paused.
    """
    if plan.follow_up_min is None:
        return None
    at_ns = end_ns + plan.follow_up_min * _MINUTE_NS
    if is_night(at_ns, zone) or is_paused(plan, local_date(at_ns, zone)):
        return None
    return PlannedPrompt(at_ns, PromptReason.FOLLOW_UP, f"follow-up-{practice_id}")


def is_paused(plan: PromptPlan, day: date) -> bool:
    """Whether a day is one without prompts.

    Parameters
    ----------
    plan : PromptPlan
        The plan.
    day : date
        The day, where the person is.

    Returns
    -------
    bool
        True within one of the pauses.
    """
    return any(pause.first <= day <= pause.last for pause in plan.pauses)


def is_burst_day(plan: PromptPlan, day: date, session_days: tuple[date, ...]) -> bool:
    """Whether a day is near a session, of a burst that the person agreed to.

    Parameters
    ----------
    plan : PromptPlan
        The plan.
    day : date
        The day, where the person is.
    session_days : tuple of date
        Days of sessions.

    Returns
    -------
    bool
        True where the burst's number of prompts counts.
    """
    burst = plan.burst
    if burst is None or not burst.agreed:
        return False
    return any(abs((day - session).days) <= burst.days for session in session_days)


def is_night(at_ns: int, zone: str) -> bool:
    """Whether a moment is at night, where no prompt comes.

    Parameters
    ----------
    at_ns : int
        UTC nanoseconds.
    zone : str
        The IANA zone where the person is.

    Returns
    -------
    bool
        True from 22:00 to 07:00.
    """
    local = _local(at_ns, zone)
    return not DAY_BEGINS_MIN <= local.hour * 60 + local.minute < NIGHT_BEGINS_MIN


def local_date(at_ns: int, zone: str) -> date:
    """Give the day of a moment where the person is.

    Parameters
    ----------
    at_ns : int
        UTC nanoseconds.
    zone : str
        The IANA zone where the person is.

    Returns
    -------
    date
        The day there.
    """
    return _local(at_ns, zone).date()


def draw_number(words: str, below: int) -> int:
    """Draw a whole number from words.

    Parameters
    ----------
    words : str
        What names the draw: the same words give the same number.
    below : int
        How many numbers there are.

    Returns
    -------
    int
        From 0 to ``below`` - 1, each as probable as the others (to one part in 2^240).

    Examples
    --------
    >>> draw_number("seed/2026-03-29/random-1-of-2", 330)
    5
    """
    return int.from_bytes(hashlib.sha256(words.encode()).digest(), "big") % below


def plan_to_json(plan: PromptPlan) -> dict[str, Any]:
    """Make what is stored of a plan, of JSON's types alone.

    Parameters
    ----------
    plan : PromptPlan
        The plan.

    Returns
    -------
    dict
        By field; dates as ISO 8601.
    """
    values = asdict(plan)
    values["pauses"] = [
        {"first": pause.first.isoformat(), "last": pause.last.isoformat()} for pause in plan.pauses
    ]
    return values


def plan_from_json(values: dict[str, Any]) -> PromptPlan:
    """Make a plan of what ``plan_to_json`` gave.

    Parameters
    ----------
    values : dict
        By field.

    Returns
    -------
    PromptPlan
        The plan, not checked again.
    """
    known = {
        **values,
        "hours": tuple(None if item is None else DayHours(**item) for item in values["hours"]),
        "fixed_min": tuple(values["fixed_min"]),
        "pauses": tuple(
            Pause(date.fromisoformat(item["first"]), date.fromisoformat(item["last"]))
            for item in values["pauses"]
        ),
        "burst": None if values["burst"] is None else Burst(**values["burst"]),
    }
    return PromptPlan(**known)


def _require(number: int, name: str, low: int, high: int) -> None:
    if not low <= number <= high:
        raise PlanError(f"{name}: from {low} to {high}.")


def _validate_day(
    label: str, hours: DayHours, fixed: tuple[int, ...], counts: list[int], asks_apart: bool
) -> None:
    if not DAY_BEGINS_MIN <= hours.start_min < hours.end_min <= NIGHT_BEGINS_MIN:
        raise PlanError(f"{label}: hours lie between 07:00 and 22:00, as nobody is woken.")
    there = [minute for minute in fixed if hours.start_min <= minute < hours.end_min]
    for count in counts:
        for begin, end, size in _sized_blocks(hours, count, asks_apart):
            free = _free_minutes(begin, end, there)
            if size == 2:
                free = _first_minutes(begin, end, there)
            # The random prompt of the block before may take up to an hour more of this one.
            if len(free) <= MIN_GAP_MIN:
                raise PlanError(
                    f"{label}: {count} random prompts"
                    + (f" beside {len(there)} fixed ones" if there else "")
                    + " do not fit an hour apart. Choose fewer, or longer hours."
                )


def _free_of_fixed(plan: PromptPlan, hours: DayHours, offer_min: tuple[int, ...]) -> list[int]:
    return [
        minute
        for minute in sorted(offer_min)
        if hours.start_min <= minute < hours.end_min
        and all(abs(minute - other) >= MIN_GAP_MIN for other in plan.fixed_min)
    ]


def _blocks(hours: DayHours, count: int) -> list[tuple[int, int]]:
    length = hours.end_min - hours.start_min
    edges = (
        [hours.start_min + length * index // count for index in range(count + 1)] if count else []
    )
    return list(pairwise(edges))


def _sized_blocks(hours: DayHours, count: int, asks_apart: bool) -> list[tuple[int, int, int]]:
    """Blocks of the hours, and how many prompts are drawn in each: two that ask apart, or one."""
    pairs = count // 2 if asks_apart else 0
    sizes = [2] * pairs + [1] * (count - 2 * pairs)
    return [
        (begin, end, size)
        for (begin, end), size in zip(_blocks(hours, len(sizes)), sizes, strict=True)
    ]


def _draw_block(
    begin: int, end: int, taken: list[int], words: str, slots: list[str]
) -> list[tuple[int, float, Asks]]:
    """Draw minute, chance and what is asked of a block's prompts; none where there is no room."""
    # Which with a valid plan is only beside times of practice by lot.
    pair = len(slots) == 2
    free = _first_minutes(begin, end, taken) if pair else _free_minutes(begin, end, taken)
    if not free:
        return []
    first = free[draw_number(f"{words}/{slots[0]}", len(free))]
    if not pair:
        return [(first, 1 / len(free), Asks.BOTH)]
    order = (Asks.PAIN, Asks.STRESS)
    if draw_number(f"{words}/{slots[0]}/asks", 2):
        order = (Asks.STRESS, Asks.PAIN)
    later = _second_minutes(first, end, taken)
    second = later[draw_number(f"{words}/{slots[1]}", len(later))]
    return [(first, 1 / len(free), order[0]), (second, 1 / len(later), order[1])]


def _first_minutes(begin: int, end: int, taken: list[int] | tuple[int, ...]) -> list[int]:
    """Minutes for the first of a pair: those after which the second has room."""
    free = _free_minutes(begin, end, taken)
    following = [bisect_left(free, _second_begin(m)) for m in free]
    return [
        m
        for m, place in zip(free, following, strict=True)
        if place < len(free) and free[place] < _second_end(m, end)
    ]


def _second_minutes(first: int, end: int, taken: list[int] | tuple[int, ...]) -> list[int]:
    return _free_minutes(_second_begin(first), _second_end(first, end), taken)


def _second_begin(first: int) -> int:
    return first + MIN_GAP_MIN


def _second_end(first: int, end: int) -> int:
    return min(first + PAIR_MAX_MIN + 1, end)


def _free_minutes(begin: int, end: int, taken: list[int] | tuple[int, ...]) -> list[int]:
    return [
        minute
        for minute in range(begin, end)
        if all(abs(minute - other) >= MIN_GAP_MIN for other in taken)
    ]


def _local(at_ns: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(ZoneInfo(zone))


def _to_ns(day: date, minute: int, zone: str) -> int:
    """Convert a time of the clock on the wall.

    Of two in autumn the first; of one that spring leaves out, so much after the change. Both lie
    at night nearly everywhere.
    """
    wall = datetime.combine(day, time(), ZoneInfo(zone)) + timedelta(minutes=minute)
    moment = wall.astimezone(UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000
