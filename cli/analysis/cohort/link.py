"""Whether pain moved with stress: of each person, and of everybody together.

As in the API: ratings that came because of the heart, or after a moment of practice by lot, are
left out (``api.services.prompted.is_apart``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.association import group, within_person
from analytics.association.asked_apart import apart_link
from analytics.association.calendar_effects import EPOCH_WEEKDAY
from analytics.association.group import GroupLink, group_link
from analytics.association.group_wording import group_sentence, group_warnings
from analytics.association.within_person import within_person_link
from analytics.association.wording import ASKED_APART, association_text
from analytics.programme.prompt_plan import PromptReason
from ebbtide.timestamps import DAY, HOUR

NEEDED = ("about_ns", "pain", "stress", "prompt")
OPTIONAL = ("simulated",)
PROMPT_COLUMNS = ("prompt", "reason")
SESSION_COLUMNS = ("held_ns",)
METHOD, POOLED_METHOD = within_person.METHOD, group.METHOD
_APART = [
    str(reason) for reason in (PromptReason.AFTER, PromptReason.HEART, PromptReason.AFTER_HEART)
]
_NUMBERS = ("estimate", "low", "high", "p_value")
SCHEMA = pa.schema(
    [
        ("person", pa.string()),
        ("ratings", pa.int32()),
        *((name, pa.float64()) for name in (*_NUMBERS, "autocorrelation")),
        ("verdict", pa.string()),
        ("sentence", pa.string()),
        ("caveats", pa.list_(pa.string())),
        ("missing", pa.string()),
        ("asked_apart", pa.bool_()),
        ("simulated", pa.bool_()),
        ("method", pa.string()),
    ]
)
POOLED_SCHEMA = pa.schema(
    [
        ("people", pa.int64()),
        ("ratings", pa.int64()),
        *((name, pa.float64()) for name in (*_NUMBERS, "spread")),
        ("changes_estimate", pa.float64()),
        ("changes_p_value", pa.float64()),
        ("verdict", pa.string()),
        ("warnings", pa.list_(pa.string())),
        ("missing", pa.string()),
        ("simulated", pa.bool_()),
        ("method", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Ratings of one person, shape (n,), NaN where pain or stress was not asked for;
    ``session_days``: days of sessions, shape (k,).
    """

    time_ns: NDArray[np.int64]
    stress: NDArray[np.float64]
    pain: NDArray[np.float64]
    session_days: NDArray[np.float64]
    simulated: bool

    @property
    def is_asked_apart(self) -> bool:
        """Whether most ratings are of pain or of stress alone."""
        both = np.isfinite(self.stress) & np.isfinite(self.pain)
        return 2 * int(np.sum(both)) < len(both)


def to_ratings(ratings: pa.Table, prompts: pa.Table, sessions: pa.Table) -> Ratings:
    """The ratings of a person that count, from the rows of this person."""
    reasons = dict(zip(prompts["prompt"].to_pylist(), prompts["reason"].to_pylist(), strict=True))
    kept = np.array(
        [reasons.get(one) not in _APART for one in ratings["prompt"].to_pylist()], dtype=np.bool_
    )
    simulated = "simulated" in ratings.column_names and any(ratings["simulated"].to_pylist())
    return Ratings(
        np.asarray(ratings["about_ns"], dtype=np.int64)[kept],
        np.asarray(ratings["stress"].to_numpy(), dtype=np.float64)[kept],
        np.asarray(ratings["pain"].to_numpy(), dtype=np.float64)[kept],
        np.asarray(sessions["held_ns"], dtype=np.float64) / DAY,
        bool(simulated),
    )


def person_row(person: str, own: Ratings) -> dict[str, Any]:
    """The answer of one person, in numbers and words: that of one moment, or of who was asked for
    pain and stress apart, that from pairs.
    """
    hours = own.time_ns % DAY / HOUR
    link = within_person_link(own.time_ns, own.stress, own.pain, hours)
    words = association_text(link)
    is_apart = link.missing_reason is not None and own.is_asked_apart
    if is_apart:
        x, y = (
            np.isfinite(a) & ~np.isfinite(b)
            for a, b in ((own.stress, own.pain), (own.pain, own.stress))
        )
        link = apart_link(own.time_ns[x], own.stress[x], hours[x], own.time_ns[y], own.pain[y])
        words = association_text(link, ASKED_APART)
    return {
        "person": person,
        "ratings": link.n,
        **{name: getattr(link, name) for name in (*_NUMBERS, "autocorrelation")},
        "verdict": str(words.verdict),
        "sentence": words.sentence,
        "caveats": list(words.caveats),
        "missing": link.missing_reason,
        "asked_apart": is_apart,
        "simulated": own.simulated,
        "method": METHOD,
    }


def pooled_row(people: list[Ratings]) -> dict[str, Any]:
    """The answer of all people together, in the order in which they are given."""

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in people] or [np.empty(0)])

    def who(name: str) -> NDArray[np.int64]:
        counts = [len(getattr(one, name)) for one in people]
        return np.repeat(np.arange(len(people), dtype=np.int64), counts)

    times = joined("time_ns").astype(np.int64)
    link: GroupLink = group_link(
        who("time_ns"),
        times / DAY,
        joined("stress"),
        joined("pain"),
        times % DAY / HOUR,
        sessions=(who("session_days"), joined("session_days")),
        first_weekday=EPOCH_WEEKDAY,
    )
    second = link.second_look
    asked_apart = frozenset(k for k, one in enumerate(people) if one.is_asked_apart)
    return {
        "people": link.n_subjects,
        "ratings": link.n_pairs,
        **{name: getattr(link, name) for name in (*_NUMBERS, "spread")},
        "changes_estimate": None if second is None else second.estimate,
        "changes_p_value": None if second is None else second.p_value,
        "verdict": group_sentence(link),
        "warnings": group_warnings(link, asked_apart),
        "missing": link.missing_reason,
        "simulated": any(one.simulated for one in people),
        "method": POOLED_METHOD,
    }
