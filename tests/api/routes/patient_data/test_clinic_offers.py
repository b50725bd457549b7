"""Practice by lot over a cohort: effects with what they rest on, or what is missing for them."""

from __future__ import annotations

import numpy as np

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE
from store.models import DecisionPoint, Prompt, PromptState, Purpose, Rating, Role
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together

MOMENTS = 12


def add_trial(clinic: Clinic, name: str, seed: int) -> None:
    """Moments of weeks that are released: offers lower stress by two, and pain by two."""
    stores, person = clinic.stores, clinic.people[name]
    rng = np.random.default_rng(seed)
    begin = stores.now() // DAY * DAY - (10 + 7 * RELEASED_WEEKS) * DAY + 10 * HOUR
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


def test_offers_of_a_clinic_are_said_with_what_they_rest_on(clinic: Clinic) -> None:
    path = "/v1/research/clinic-offers"
    assert_problem(clinic["tom"].get(path), 403)
    assert_problem(clinic["ada"].get(path), 403)
    assert_problem(clinic["ann"].get(path), 403, "Fewer than 5 people")
    names = [f"member{number}" for number in range(8)]
    for number, name in enumerate(names):
        clinic.add(name, Role.PATIENT)
        add_trial(clinic, name, number)
    agree_together(clinic, *names[:7], people=7)
    few = clinic["ann"].get(path).json()
    assert few["missing"] == "7 people have 10 moments with all ratings; at least 8 are needed"
    assert few["stress"] is few["pain"] is few["indirect"] is few["direct"] is None
    assert few["sentences"] == [f"Not enough yet to say what offers did: {few['missing']}."]
    clinic.agree(names[7], Purpose.RESEARCH)
    # Who joins alone is not seen at once.
    assert clinic["ann"].get(path).json()["people"] == 7
    agree_together(clinic, people=12)
    found = clinic["ann"].get(path).json()
    assert (found["people"], found["moments"]) == (8, 8 * MOMENTS)
    assert found["missing"] is found["split_missing"] is None
    for name in ("stress", "pain"):
        effect = found[name]
        assert effect["low"] < effect["estimate"] < effect["high"] < 0, name
    assert found["sentences"][:2] == [
        "After an offer stress was lower than without.",
        "After an offer pain was lower than without.",
    ]
    split = found["sentences"][2]
    assert "not proven by this" in split or split.startswith("We cannot tell")
    assert {row["of"] for row in found["assumptions"]} == {"all", "the split"}
    assert (
        clinic["member0"].get("/v1/me/looks").json()["looks"][0]["what"].endswith("clinic-offers")
    )
