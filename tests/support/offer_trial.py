"""A played trial of practice by lot, of weeks that analysts see."""

from __future__ import annotations

import numpy as np

from api.services.research_identity import WEEK
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE
from store.models import DecisionPoint, Prompt, PromptState, Rating
from tests.support.clinic import Clinic
from tests.support.cohort_clinic import RELEASED_WEEKS

MOMENTS = 12


def add_trial(clinic: Clinic, name: str, seed: int) -> None:
    """Moments of weeks that are released: offers lower stress by two, and pain by two."""
    stores, person = clinic.stores, clinic.people[name]
    rng = np.random.default_rng(seed)
    # A Wednesday: no moment is in the night from Saturday to Sunday, which is not released.
    released = stores.now() - (10 + 7 * RELEASED_WEEKS) * DAY
    begin = released // WEEK * WEEK - DAY + 10 * HOUR  # 1970-01-01 was a Thursday
    points = []
    for number in range(MOMENTS):
        at, offered = begin + number * 16 * HOUR, bool(number % 2)
        stress, pain = rng.integers(4, 9, 2)
        moved = 2 * offered
        rated = ((at, stress, pain), (at + 30 * MINUTE, stress - moved, pain - moved))
        ids = []
        for about, stress_now, pain_now in rated:
            prompt = Prompt(
                *(new_id(), person.id, new_id(), "random", about, "UTC", 0.1, 1, about),
                about + HOUR,
                state=PromptState.SENT,
                sent_ns=about,
            )
            assert stores.prompts.import_prompt(prompt)
            noise = rng.integers(-2, 3, 2)
            values = (int(pain_now + noise[0]), int(stress_now + noise[1]))
            rating = Rating(
                *(new_id(), 1, person.id, about, about, "UTC", *values, None, False),
                prompt_id=prompt.id,
            )
            assert stores.records.add_rating(rating).prompt_id == prompt.id
            ids.append(prompt.id)
        points.append(
            DecisionPoint(
                *(new_id(), person.id, 1, ids[0], at, "UTC", "b", 0.5, "paced breathing", 30),
                *("c" * 64, at - HOUR, True, None, "a" * 64, 0.5, offered),
                *("paced breathing" if offered else None, at, at, ids[1]),
            )
        )
    stores.offers.put_points(points)
