"""What practice by lot showed in one person: read, then computed without any store."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.hrv import WINDOW_NS, concat_windows
from analytics.practice import (
    HarmCheck,
    Interval,
    OfferEffect,
    PersonDraws,
    check_harm,
    offer_effect,
    taking_effect,
)
from analytics.practice.person import METHOD
from analytics.practice.wording import EVERY_LOOK, NOT_BLIND, OutcomeWords, offer_sentence
from api.schemas.offers import DoingEffectOut, HarmOut, OfferEffectOut, OfferReport
from api.services.inputs import local_day_and_hour
from api.services.offers.moment_rows import MomentRow, load_moments
from api.services.offers.moments import AFTER_WINDOW_MIN
from api.services.rating_windows import WindowGroup, compute_group, group_price_s, read_group
from ebbtide.timestamps import HOUR, MINUTE
from store import Stores
from store.models import Person, PracticeKind

# Of the first of a person: three years of three a day. Later ones are not looked at.
MAX_DRAWS = 3000
_RESAMPLES = 999
_MAX_APART_NS = 3 * HOUR
_ARM_WORDS = {
    str(PracticeKind.BREATHING): "breathing",
    str(PracticeKind.TRACKING): "somatic tracking",
    str(PracticeKind.SAVOURING): "noticing something pleasant",
}
_SEVERAL = (
    "Several practices are compared with nothing, each by itself; the more there are, the likelier "
    "is one wrong answer among them."
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """``scale``: about its spread around a forecast, set before any trial: it narrows the interval
    where it is right, and is never wrong. ``to_show``: the difference worth waiting for.
    """

    words: OutcomeWords
    scale: float
    to_show: float
    unit: str


_OUTCOMES = {
    "stress": _Outcome(OutcomeWords("your stress", "stress"), 1.5, 0.5, "{score}"),
    "pain": _Outcome(OutcomeWords("your pain", "pain"), 1.5, 0.5, "{score}"),
    "mean_hr_bpm": _Outcome(OutcomeWords("your heart rate", "heart rate", "bpm"), 6.0, 2.0, "/min"),
    "rmssd_ms": _Outcome(
        OutcomeWords("your RMSSD", "RMSSD (heart rate variability)", "ms"), 12.0, 4.0, "ms"
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class OfferInputs:
    """All that a report is made of. Arrays have one value for each draw, NaN where missing.

    ``window_of``: shape (n, 2), which window of ``groups``, taken together, is before the draw and
    at the delay; -1 for none.
    """

    rows: tuple[MomentRow, ...]
    zone: str
    simulated: bool
    not_available: dict[str, int]
    window_of: NDArray[np.int64]
    groups: tuple[WindowGroup, ...]

    @property
    def price_s(self) -> float:
        """Seconds that the report takes, about."""
        return 0.05 + 3e-3 * len(self.rows) + sum(map(group_price_s, self.groups))


def load_offer_inputs(
    stores: Stores, person: Person, *, first_plan: int = 1, with_heart: bool = True
) -> OfferInputs:
    """Read a person's moments that are over, and the beats around them where they are wanted.
    ``first_plan``: moments of earlier plans are left out.
    """
    now = stores.now()
    moments = [row for row in load_moments(stores, person) if row.point.plan_number >= first_plan]
    drawn = [row for row in moments if row.point.drawn_ns is not None and _is_over(row, now)]
    drawn.sort(key=lambda row: row.point.drawn_ns or 0)
    drawn = drawn[:MAX_DRAWS]
    reasons = Counter(row.point.why_not or "" for row in moments if row.point.available is False)
    index, groups = _read_hearts(stores, person, drawn if with_heart else [])
    if not with_heart:
        index = np.full((len(drawn), 2), -1, dtype=np.int64)
    simulated = person.simulated or any(row.point.simulated for row in drawn)
    return OfferInputs(tuple(drawn), person.zone, simulated, dict(reasons), index, groups)


def compute_offer_report(inputs: OfferInputs, is_own: bool = True) -> OfferReport:
    """Compute the report, in words for the person or for others. Pure: it reads no store."""
    rows = inputs.rows
    arms = sorted({arm for row in rows for arm in row.point.arms.split(",")})
    data = _arrays(inputs, is_own)
    effects, doing = [], []
    harm = HarmCheck(False, None, None, {})
    if data is not None:
        harm = check_harm(
            data.draws, {key: data.outcomes[key] for key in ("stress", "pain")}, data.covariates
        )
        effects = [_effect(data, name, None, _name(arms)) for name in _OUTCOMES]
        # A comparison of one practice needs the same number of others at each moment.
        if len(arms) > 1 and len({row.point.arms for row in rows}) == 1:
            effects += [
                _effect(data, name, arm, _ARM_WORDS.get(arm, arm), len(arms))
                for arm in arms
                for name in ("stress", "pain")
            ]
        doing = [_doing(data, name) for name in ("stress", "pain")]
    several = [_SEVERAL] if len(arms) > 1 else []
    return OfferReport(
        moments=len(rows) + sum(inputs.not_available.values()),
        drawn=len(rows),
        offered=sum(bool(row.point.offered) for row in rows),
        taken=sum(row.taken is not None for row in rows),
        free=sum(len(row.free) for row in rows),
        not_available=inputs.not_available,
        delay_min=rows[-1].point.delay_min if rows else None,
        effects=effects,
        doing=doing,
        harm=HarmOut(must_stop=harm.must_stop, outcome=harm.outcome),
        notes=[EVERY_LOOK, NOT_BLIND, *several],
        method=METHOD,
        simulated=inputs.simulated,
    )


def check_offers_harm(inputs: OfferInputs) -> HarmCheck:
    """Apply the rule that stops, without anything else."""
    data = _arrays(inputs)
    if data is None:
        return HarmCheck(False, None, None, {})
    ratings = {key: data.outcomes[key] for key in ("stress", "pain")}
    return check_harm(data.draws, ratings, data.covariates)


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    draws: PersonDraws
    outcomes: dict[str, NDArray[np.float64]]
    measured_ns: dict[str, NDArray[np.int64]]
    covariates: dict[str, NDArray[np.float64]]
    practised: NDArray[np.bool_]
    arms: tuple[str | None, ...]
    later: str
    is_own: bool


def _arrays(inputs: OfferInputs, is_own: bool = True) -> _Arrays | None:
    rows = inputs.rows
    if not rows:
        return None
    time_ns = np.array([row.point.drawn_ns for row in rows], dtype=np.int64)
    draws = PersonDraws(
        time_ns,
        np.array([row.point.probability for row in rows], dtype=np.float64),
        np.array([row.point.offered for row in rows], dtype=np.bool_),
        np.array([row.point.base_probability for row in rows], dtype=np.float64),
        [row.point.block for row in rows],
    )
    hearts = _hearts(inputs)
    rated_ns = np.array([row.after.about_ns if row.after else 0 for row in rows], dtype=np.int64)
    delay_ns = np.array([row.measured_ns or 0 for row in rows], dtype=np.int64)
    outcomes = {
        "stress": _column([row.stress[1] for row in rows]),
        "pain": _column([row.pain[1] for row in rows]),
        **{name: values[:, 1] for name, values in hearts.items()},
    }
    measured = {name: rated_ns if name in ("stress", "pain") else delay_ns for name in outcomes}
    for name, values in outcomes.items():
        values[_is_out_of_turn(time_ns, measured[name])] = np.nan
    day, hour = local_day_and_hour(time_ns, inputs.zone)
    return _Arrays(
        draws,
        outcomes,
        measured,
        {
            "stress before": _column([row.stress[0] for row in rows]),
            "pain before": _column([row.pain[0] for row in rows]),
            "heart rate before": hearts["mean_hr_bpm"][:, 0],
            "hour": hour.astype(np.float64),
            "day": (day - day[0]).astype(np.float64),
        },
        np.array([bool(row.practices) for row in rows], dtype=np.bool_),
        tuple(row.point.arm for row in rows),
        _later(rows[-1].point.delay_min),
        is_own,
    )


def _effect(
    data: _Arrays, name: str, arm: str | None, offered: str, n_arms: int = 1
) -> OfferEffectOut:
    outcome = _OUTCOMES[name]
    keep = np.array([arm is None or given in (None, arm) for given in data.arms])
    draws = data.draws if arm is None else data.draws.compare_arm(data.arms, arm, n_arms)
    effect = offer_effect(
        draws,
        data.outcomes[name][keep],
        {key: values[keep] for key, values in data.covariates.items()},
        scale=outcome.scale,
        effect_to_show=outcome.to_show,
        measured_ns=data.measured_ns[name][keep],
        resamples=_RESAMPLES,
    )
    words = outcome.words
    if not data.is_own:
        words = replace(words, yours=words.yours.replace("your", "their", 1))
    text = offer_sentence(effect, words, offered, data.later)
    missing = effect.missing
    is_shown = not missing.differs
    low, high = _bounds(effect.anytime if is_shown else None)
    low_one, high_one = _bounds(effect.fixed if is_shown else None)
    return OfferEffectOut(
        outcome=name,
        arm=arm,
        unit=outcome.unit,
        verdict=text.verdict,
        sentence=text.sentence,
        offered=effect.n_offered,
        not_offered=effect.n_not_offered,
        compared_offered=effect.n_compared_offered,
        compared_not=effect.n_compared_not,
        estimate=effect.estimate if is_shown else None,
        low=low,
        high=high,
        low_one_look=low_one,
        high_one_look=high_one,
        p_value=effect.test.p_value if effect.test is not None and is_shown else None,
        p_value_every_look=effect.anytime_p_value if is_shown else None,
        effect_to_show=effect.effect_to_show,
        more_offers=effect.more_offers,
        missing_offered=missing.n_offered_missing,
        missing_not_offered=missing.n_not_offered_missing,
        missing_differs=missing.differs,
        shift_to_undo=effect.shift_to_undo,
        missing=_why_missing(effect),
    )


def _doing(data: _Arrays, name: str) -> DoingEffectOut:
    found = taking_effect(
        data.draws,
        data.outcomes[name],
        data.practised,
        data.covariates,
        scale=_OUTCOMES[name].scale,
        measured_ns=data.measured_ns[name],
    )
    low, high = _bounds(found.anytime)
    return DoingEffectOut(
        outcome=name,
        share_after_offer=found.taken_after_offer,
        share_after_none=found.taken_after_none,
        estimate=found.estimate,
        low=low,
        high=high,
        missing=found.missing_reason,
    )


def _read_hearts(
    stores: Stores, person: Person, rows: Sequence[MomentRow]
) -> tuple[NDArray[np.int64], tuple[WindowGroup, ...]]:
    """Read the beats of the five minutes before each draw, and before the end of each delay."""
    ends = np.array([[row.point.drawn_ns or 0, row.measured_ns or 0] for row in rows], np.int64)
    ends = ends.reshape(-1, 2)
    known = ends > 0
    index = np.full(ends.shape, -1, dtype=np.int64)
    if not known.any():
        return index, ()
    starts, which = np.unique(ends[known] - WINDOW_NS, return_inverse=True)
    index[known] = which.ravel()
    edges = np.flatnonzero(np.diff(starts) > _MAX_APART_NS) + 1
    return index, tuple(read_group(stores, person, part) for part in np.split(starts, edges))


def _hearts(inputs: OfferInputs) -> dict[str, NDArray[np.float64]]:
    """Heart rate and RMSSD, shape (n, 2): before the draw, and at the delay."""
    shape = inputs.window_of.shape
    if not inputs.groups:
        return {name: np.full(shape, np.nan) for name in ("mean_hr_bpm", "rmssd_ms")}
    count = sum(len(group.starts) for group in inputs.groups)
    windows = concat_windows(
        [compute_group(group) for group in inputs.groups], np.arange(count), WINDOW_NS
    )
    found = {}
    for name in ("mean_hr_bpm", "rmssd_ms"):
        values = np.asarray(windows.value(name), dtype=np.float64)
        found[name] = np.where(inputs.window_of >= 0, values[inputs.window_of], np.nan)
    return found


def _is_over(row: MomentRow, now_ns: int) -> bool:
    """Whether all that is compared of a moment could be there: nothing is missing before."""
    if row.measured_ns is None:
        return not row.is_open
    return now_ns >= row.measured_ns + AFTER_WINDOW_MIN * MINUTE


def _is_out_of_turn(
    time_ns: NDArray[np.int64], measured_ns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether a rating was moved, by its correction, out of its own moment."""
    following = np.append(time_ns[1:], np.iinfo(np.int64).max)
    return (measured_ns < time_ns) | (measured_ns > following)


def _column(values: Sequence[int | None]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _bounds(interval: Interval | None) -> tuple[float | None, float | None]:
    """An infinite bound is no JSON: null."""
    if interval is None:
        return None, None
    low, high = (bound if math.isfinite(bound) else None for bound in (interval.low, interval.high))
    return low, high


def _why_missing(effect: OfferEffect) -> str | None:
    if effect.missing.differs:
        return "answers are missing more often on one side of the draw"
    return effect.missing_reason


def _name(arms: Sequence[str]) -> str:
    return _ARM_WORDS.get(arms[0], arms[0]) if len(arms) == 1 else "a practice"


def _later(delay_min: int) -> str:
    words: Mapping[int, str] = {30: "half an hour later", 60: "an hour later"}
    return words.get(delay_min, f"{delay_min} minutes later")
