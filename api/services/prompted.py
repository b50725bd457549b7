"""Ratings as the answer takes them; and what became of prompts.

Without those that the heart chose, and without those after moments of practice by lot.

A prompt by the heart comes when the heart is fast. Ratings of such moments, taken like the others,
would be a choice by what they are about; docs/evidence/prompts.md has what each way of using them
does to the answer. Half an hour after an offer both may be lower because of it, which is no link of
the two in the person's days (docs/evidence/practice.md). All are shown, exported and counted
everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from analytics.association.prompts_let_go import LetGo, prompts_let_go
from analytics.hrv import WINDOW_NS, concat_windows
from analytics.programme.prompt_plan import PromptReason
from api.services.inputs import local_day_and_hour
from api.services.rating_windows import PromptBeats, compute_group, read_group
from ebbtide.timestamps import DAY, HOUR
from store import Stores
from store.models import Person, Prompt, Rating

# Of the newest; the heart before each is read, about 1.5 ms each.
MAX_PROMPTS = 400
PROMPT_S = 1.5e-3
_MAX_APART_NS = 3 * HOUR


@dataclass(frozen=True, slots=True)
class PromptedRatings:
    """``ratings``: of pain, of stress or of both, without those that the heart chose, which
    ``left_out`` counts, and those after moments of practice by lot, ``after_offers``.
    ``prompts``: of those kept, sent within the time of the ratings, over by now, by time.
    """

    ratings: list[Rating]
    left_out: int = 0
    after_offers: int = 0
    prompts: tuple[Prompt, ...] = ()

    @property
    def content(self) -> str:
        """All that an answer takes from prompts, to name it by."""
        rows = [(item.id, item.sent_ns, item.zone, item.answered_ns) for item in self.prompts]
        return repr((self.left_out, self.after_offers, rows))


def split_ratings(stores: Stores, person: Person, ratings: list[Rating]) -> PromptedRatings:
    """Leave out the ratings that are not at moments of the person's days as they come, and read
    which prompts there were.
    """
    if not ratings:
        return PromptedRatings(ratings)
    first = min(rating.about_ns for rating in ratings)
    last = max(rating.about_ns for rating in ratings)
    # A prompt is answered within two hours of its planned time, or late after a sleep.
    found = stores.prompts.prompts(person.id, first - 2 * DAY, last + 1)
    by_heart = {item.id for item in found if is_by_heart(item)}
    apart = {item.id for item in found if is_apart(item)}
    kept = [rating for rating in ratings if rating.prompt_id not in apart]
    left_out = sum(rating.prompt_id in by_heart for rating in ratings)
    now = stores.now()
    over = [
        item
        for item in found
        if item.sent_ns is not None
        and first <= item.sent_ns <= last
        and not item.is_open(now)
        and not is_apart(item)
    ]
    over.sort(key=lambda item: (item.sent_ns or 0, item.id))
    after_offers = len(ratings) - len(kept) - left_out
    return PromptedRatings(kept, left_out, after_offers, tuple(over[-MAX_PROMPTS:]))


def is_apart(prompt: Prompt) -> bool:
    """Whether its rating is left out of the answer."""
    return is_by_heart(prompt) or prompt.reason == str(PromptReason.AFTER)


def is_by_heart(prompt: Prompt) -> bool:
    """Whether it came because the heart was fast, or at a set delay after one that did."""
    return prompt.reason in (str(PromptReason.HEART), str(PromptReason.AFTER_HEART))


def read_prompt_beats(stores: Stores, person: Person, found: PromptedRatings) -> PromptBeats:
    """Read the beats before each prompt."""
    sent = np.array([item.sent_ns for item in found.prompts], dtype=np.int64)
    if not len(sent):
        return PromptBeats(found.left_out, found.after_offers)
    starts, index = np.unique(sent - WINDOW_NS, return_inverse=True)
    edges = np.flatnonzero(np.diff(starts) > _MAX_APART_NS) + 1
    groups = tuple(read_group(stores, person, part) for part in np.split(starts, edges))
    return PromptBeats(found.left_out, found.after_offers, found.prompts, index.ravel(), groups)


def compute_let_go(found: PromptBeats, ratings: Sequence[Rating]) -> LetGo | None:
    """Test what letting prompts go went with. Pure; None where there were no prompts, or no rating
    of both pain and stress.
    """
    order = sorted(
        (rating for rating in ratings if rating.is_complete), key=lambda rating: rating.about_ns
    )
    if not found.prompts or not order:
        return None
    windows = concat_windows(
        [compute_group(group) for group in found.groups], found.window_index, WINDOW_NS
    )
    return prompts_let_go(
        _local_days([item.sent_ns or 0 for item in found.prompts], found.prompts[0].zone),
        np.array([item.answered_ns is not None for item in found.prompts], dtype=np.bool_),
        _local_days([rating.about_ns for rating in order], found.prompts[0].zone),
        np.array([rating.stress for rating in order], dtype=np.float64),
        np.array([rating.pain for rating in order], dtype=np.float64),
        windows.value("mean_hr_bpm"),
    )


def _local_days(time_ns: list[int], zone: str) -> FloatArray:
    day, hour = local_day_and_hour(np.array(time_ns, dtype=np.int64), zone)
    result: FloatArray = day + hour / 24
    return result
