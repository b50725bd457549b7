"""Practice by lot over a cohort: effects with what they rest on, or what is missing for them."""

from __future__ import annotations

from store.models import Purpose, Role
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic
from tests.support.cohort_clinic import agree_together
from tests.support.offer_trial import MOMENTS, add_trial


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
