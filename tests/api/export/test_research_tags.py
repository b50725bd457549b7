"""Tags of what analysts read, and the link: they rest on what is released, and on all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from api.export.fhir import terms
from api.services.research_identity import WEEK, ResearchIdentity
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from tests.support.clinic import Clinic, add_rating, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together, identity_of

TAGGED = ("ratings", "ratings.csv", "link", "link.csv")


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    """Ada rated every six hours for two weeks, and all of it is released."""
    with opened_clinic(stores) as opened:
        rng = np.random.default_rng(8)
        begin = sunday(stores)
        for hour in rated_hours():
            values = {name: int(rng.integers(0, 11)) for name in ("pain", "stress")}
            add_rating(opened, "ada", begin + hour * HOUR + 5 * SECOND, **values)
        agree_together(opened, "ada")
        yield opened


def rated_hours() -> list[int]:
    """The hours of ratings, without the nights between weeks, also in summer."""
    return [hour for hour in range(6, 14 * 24, 6) if 6 <= hour % (7 * 24) < 6 * 24 + 20]


def sunday(stores: Stores) -> int:
    """The true midnight, in Berlin within two hours, before a week that is released."""
    return (stores.now() // WEEK - RELEASED_WEEKS - 4) * WEEK + 3 * DAY


@pytest.fixture
def ada(clinic: Clinic) -> ResearchIdentity:
    return identity_of(clinic.stores, clinic.people["ann"], clinic.people["ada"])


def tags(clinic: Clinic) -> dict[str, str]:
    """The tag of each table."""
    return {
        name: clinic["ann"].get(f"/v1/research/{name}").raise_for_status().headers["etag"]
        for name in TAGGED
    }


def link(clinic: Clinic, ada: ResearchIdentity) -> list[dict[str, Any]]:
    """Her rows of the link."""
    rows = clinic["ann"].get("/v1/research/link").raise_for_status().json()["rows"]
    return [row for row in rows if row["person"] == ada.name]


def test_a_rating_that_an_import_completes_has_another_tag(clinic: Clinic) -> None:
    at = to_datetime(sunday(clinic.stores) + 2 * DAY + 9 * HOUR).isoformat()

    def observation(code: str, value: int) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": terms.code_system_of(code), "code": code}]},
            "effectiveDateTime": at,
            "valueQuantity": {"value": value, "code": "{score}"},
        }

    def send(*parts: dict[str, Any]) -> None:
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": part} for part in parts],
        }
        report = clinic["ada"].post("/v1/fhir", json=bundle).raise_for_status().json()
        assert report["ratings"] == 1

    path = "/v1/research/ratings"
    send(observation(terms.PAIN, 4), observation(terms.STRESS, 5))
    first = clinic["ann"].get(path)
    send(observation(terms.PLEASANT, 7))
    again = clinic["ann"].get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert {row["version"] for row in again.json()["rows"]} == {1}
    assert 7 in {row["pleasant"] for row in again.json()["rows"]}


def test_the_end_of_what_is_released_is_not_found_by_tags(
    clinic: Clinic, ada: ResearchIdentity
) -> None:
    """Two ends after it had the same tag, and two of which one is before it had not."""
    end = to_datetime(ada.clock.released_end(clinic.stores.now())).replace(tzinfo=None)
    for name in ("ratings", "ratings.csv", "beats", "hrv", "sessions", "heart_rates"):
        found = [
            clinic["ann"]
            .get(f"/v1/research/{name}", params={"end": (end + timedelta(weeks=weeks)).isoformat()})
            .raise_for_status()
            .headers["etag"]
            for weeks in (-3, 1300, 1310, 1320)
        ]
        assert len(set(found)) == len(found), name
    assert end < datetime.now(UTC).replace(tzinfo=None)


def test_the_link_counts_the_ratings_that_are_given(clinic: Clinic, ada: ResearchIdentity) -> None:
    before, before_tags = link(clinic, ada), tags(clinic)
    rows = clinic["ann"].get("/v1/research/ratings").json()["rows"]
    (stress,) = (row for row in before if row["key"] == "same_moment")
    assert stress["n"] == len([row for row in rows if row["person"] == ada.name])
    # Of the night between two weeks, nothing is given, and nothing depends on it.
    for minute in (0, 90):
        add_rating(clinic, "ada", sunday(clinic.stores) + 7 * DAY + minute * MINUTE, pain=10)
    assert tags(clinic) == before_tags
    assert link(clinic, ada) == before
    add_rating(clinic, "ada", sunday(clinic.stores) + 7 * DAY + 11 * HOUR, pain=10)
    assert all(before_tags[name] != tag for name, tag in tags(clinic).items())
    (stress,) = (row for row in link(clinic, ada) if row["key"] == "same_moment")
    assert stress["n"] == len(rows) + 1
