"""Queries of research tables as somebody clumsy writes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store import Stores
from tests.support.clinic import Clinic, opened_clinic
from tests.support.cohort_clinic import agree_together


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        agree_together(opened, "ada")
        yield opened


def test_a_parameter_that_there_is_not_is_refused(clinic: Clinic) -> None:
    ann = clinic["ann"]
    people = [row["person"] for row in ann.get("/v1/research/people").json()["people"]]
    for name, value in (("persons", people), ("stat", "2012-01-01T00:00:00"), ("columns", "pain")):
        for table in ("ratings", "ratings.csv"):
            answer = ann.get(f"/v1/research/{table}", params={name: value})
            assert answer.status_code == 422
            assert f"query.{name}: is no parameter" in answer.json()["detail"]
    assert ann.get("/v1/research/ratings", params={"person": people, "limit": 5}).is_success
    # A file comes whole: a limit would be believed and not kept.
    assert ann.get("/v1/research/ratings.csv", params={"limit": 5}).status_code == 422
    german = ann.get("/v1/research/ratings?x=1", headers={"Accept-Language": "de"})
    assert "ist kein Parameter dieser Tabelle" in german.json()["detail"]
