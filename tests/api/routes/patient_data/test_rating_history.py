"""Corrections and withdrawals of ratings."""

from __future__ import annotations

from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic


def test_a_rating_is_corrected_withdrawn_and_brought_back_with_its_history(clinic: Clinic) -> None:
    ada = clinic["ada"]
    rating = ada.post("/v1/ratings", json={"pain": 4, "stress": 2}).json()
    path = f"/v1/ratings/{rating['id']}"
    assert ada.put(path, json={"pain": 5, "stress": 2, "version": 1}).json()["version"] == 2
    assert_problem(ada.put(path, json={"pain": 6, "stress": 2, "version": 1}), 409)
    assert_problem(ada.delete(path, params={"version": 1}), 409)
    gone = ada.delete(path, params={"version": 2})
    assert (gone.json()["version"], gone.json()["withdrawn"]) == (3, True)
    assert ada.get("/v1/ratings").json()["ratings"] == []
    assert ada.get("/v1/link").json()["ratings"]["given"] == 0
    assert ada.put(path, json={"pain": 5, "stress": 2, "version": 3}).json()["withdrawn"] is False
    assert len(ada.get("/v1/ratings").json()["ratings"]) == 1
    history = ada.get(f"{path}/history").json()
    assert [(r["version"], r["pain"], r["withdrawn"]) for r in history] == [
        (1, 4, False),
        (2, 5, False),
        (3, 5, True),
        (4, 5, False),
    ]
    assert_problem(clinic["eve"].get(f"{path}/history"), 404)
    assert_problem(clinic["eve"].delete(path, params={"version": 4}), 404)
