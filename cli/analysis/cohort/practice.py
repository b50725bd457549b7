"""What practice by lot did: to each person's stress and pain, and over everybody.

As in the API, without what the lake does not have: the heart rate before a draw is no covariate of
one person, and the moment of a draw is that for which it was planned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.practice import (
    ClinicMoments,
    Interval,
    OutcomeWords,
    PersonDraws,
    clinic_effects,
    offer_effect,
    offer_sentence,
)
from analytics.practice import clinic as pooled
from analytics.practice import person as single
from analytics.practice.clinic_wording import clinic_sentences
from ebbtide.timestamps import DAY, HOUR, MINUTE

NEEDED = (
    *("planned_ns", "block", "base_probability", "available", "probability", "offered"),
    *("delay_min", "stress_before", "pain_before", "stress_after", "pain_after"),
)
OPTIONAL = ("simulated",)
METHOD, POOLED_METHOD = single.METHOD, pooled.METHOD
# Of one person the first, as in the API.
_MAX_DRAWS, _MAX_POOLED = 3000, 1000
_RESAMPLES = 999
_OUTCOMES = {
    "stress": OutcomeWords("their stress", "stress"),
    "pain": OutcomeWords("their pain", "pain"),
}
_NUMBERS = ("estimate", "low", "high", "low_one_look", "high_one_look", "p_value")
SCHEMA = pa.schema(
    [
        ("person", pa.string()),
        ("outcome", pa.string()),
        ("offered", pa.int32()),
        ("not_offered", pa.int32()),
        ("compared_offered", pa.int32()),
        ("compared_not", pa.int32()),
        *((name, pa.float64()) for name in _NUMBERS),
        ("missing_differs", pa.bool_()),
        ("verdict", pa.string()),
        ("sentence", pa.string()),
        ("missing", pa.string()),
        ("simulated", pa.bool_()),
        ("method", pa.string()),
    ]
)
_EFFECTS = ("stress", "pain", "indirect", "direct")
_PARTS = ("estimate", "low", "high", "p_value")
POOLED_SCHEMA = pa.schema(
    [
        ("people", pa.int64()),
        ("moments", pa.int64()),
        ("people_left_out", pa.int64()),
        ("moments_left_out", pa.int64()),
        ("left_out_offered", pa.float64()),
        ("left_out_not", pa.float64()),
        *((f"{name}_{part}", pa.float64()) for name in _EFFECTS for part in _PARTS),
        ("sentences", pa.list_(pa.string())),
        ("missing", pa.string()),
        ("split_missing", pa.string()),
        ("simulated", pa.bool_()),
        ("method", pa.string()),
    ]
)


def drawn_rows(moments: pa.Table) -> pa.Table:
    """The moments of a person at which something was drawn, by time."""
    drawn = moments.filter(pc.is_valid(moments["offered"]))
    return drawn.sort_by("planned_ns").slice(0, _MAX_DRAWS)


def person_rows(person: str, moments: pa.Table) -> list[dict[str, Any]]:
    """The answers of one person, a row each for stress and pain."""
    rows = drawn_rows(moments)
    time_ns = np.asarray(rows["planned_ns"], dtype=np.int64)
    draws = PersonDraws(
        time_ns,
        _numbers(rows, "probability"),
        _numbers(rows, "offered") > 0,
        _numbers(rows, "base_probability"),
        rows["block"].to_pylist(),
    )
    measured = time_ns + (_numbers(rows, "delay_min") * MINUTE).astype(np.int64)
    # What was rated after the next draw could be that draw's doing.
    late = np.append(measured[:-1] > time_ns[1:], False)[: len(time_ns)]
    day = time_ns // DAY
    covariates = {
        "stress before": _numbers(rows, "stress_before"),
        "pain before": _numbers(rows, "pain_before"),
        "hour": time_ns % DAY / HOUR,
        "day": (day - day[:1].sum()).astype(np.float64),
    }
    delay = int(rows["delay_min"][-1].as_py()) if len(rows) else 0
    later = {30: "half an hour later", 60: "an hour later"}.get(delay, f"{delay} minutes later")
    found = []
    for name, words in _OUTCOMES.items():
        outcome = np.where(late, np.nan, _numbers(rows, f"{name}_after"))
        effect = offer_effect(draws, outcome, covariates, resamples=_RESAMPLES)
        text = offer_sentence(effect, words, "a practice", later)
        is_shown = not effect.missing.differs
        low, high = _bounds(effect.anytime if is_shown else None)
        low_one, high_one = _bounds(effect.fixed if is_shown else None)
        found.append(
            {
                "person": person,
                "outcome": name,
                "offered": effect.n_offered,
                "not_offered": effect.n_not_offered,
                "compared_offered": effect.n_compared_offered,
                "compared_not": effect.n_compared_not,
                "estimate": effect.estimate if is_shown else None,
                **{"low": low, "high": high, "low_one_look": low_one, "high_one_look": high_one},
                "p_value": effect.test.p_value if effect.test is not None and is_shown else None,
                "missing_differs": effect.missing.differs,
                "verdict": str(text.verdict),
                "sentence": text.sentence,
                "missing": effect.missing_reason,
                "simulated": is_simulated(rows),
                "method": METHOD,
            }
        )
    return found


def is_simulated(rows: pa.Table) -> bool:
    """Whether some of it is a simulation's."""
    return "simulated" in rows.column_names and any(rows["simulated"].to_pylist())


def to_moments(moments: pa.Table) -> tuple[NDArray[np.float64], bool]:
    """What the answer of all takes from one person: a row a moment, of the fields of
    ``ClinicMoments`` but the person; and whether some of it is simulated.
    """
    rows = drawn_rows(moments).slice(0, _MAX_POOLED)
    time_ns = np.asarray(rows["planned_ns"], dtype=np.int64)
    days = time_ns // DAY
    columns = [
        *(_numbers(rows, name) for name in ("offered", "probability")),
        *(_numbers(rows, f"{name}_before") for name in ("stress", "pain")),
        *(_numbers(rows, f"{name}_after") for name in ("stress", "pain")),
        time_ns % DAY / HOUR,
        (days - days[:1].sum()).astype(np.float64),
    ]
    return np.column_stack(columns), is_simulated(rows)


def pooled_row(people: list[tuple[NDArray[np.float64], bool]]) -> dict[str, Any]:
    """The answer of everybody together."""
    rows = np.concatenate([one for one, _ in people] or [np.empty((0, 8))])
    who = np.repeat(np.arange(len(people), dtype=np.int64), [len(one) for one, _ in people])
    offered, *rest = rows.T
    effects = clinic_effects(ClinicMoments(who, offered > 0, *rest))
    found = {
        f"{name}_{part}": None if (one := getattr(effects, name)) is None else getattr(one, part)
        for name in _EFFECTS
        for part in _PARTS
    }
    return {
        "people": effects.people,
        "moments": effects.moments,
        "people_left_out": effects.people_left_out,
        "moments_left_out": effects.moments_left_out,
        "left_out_offered": effects.left_out_offered,
        "left_out_not": effects.left_out_not,
        **found,
        "sentences": clinic_sentences(effects),
        "missing": effects.missing_reason,
        "split_missing": effects.split_missing_reason,
        "simulated": any(simulated for _, simulated in people),
        "method": POOLED_METHOD,
    }


def _numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    column = pc.cast(rows[name], pa.float64())
    return np.asarray(pc.fill_null(column, np.nan).to_numpy(), dtype=np.float64)


def _bounds(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
