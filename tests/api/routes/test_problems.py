"""Problems, and what the log does not hold."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.support.assertions import wait_for
from tests.support.clinic import Clinic


def test_problems_have_stable_types_and_name_the_field(clinic: Clinic) -> None:
    ada = clinic["ada"]
    for answer, kind, field in (
        (httpx.get(f"{clinic.url}/v1/me"), "sign-in", None),
        (ada.get("/v1/nowhere"), "not-found", None),
        (ada.patch("/v1/ratings"), "method", None),
        (ada.post("/v1/ratings", json={"pain": 11, "stress": 1}), "invalid", "body.pain"),
        (ada.get("/v1/ratings", params={"start": "2026-01-01T00:00:00"}), "invalid", "query.start"),
        (ada.get("/v1/accounts"), "role", None),
    ):
        problem = answer.json()
        assert problem["type"] == f"urn:ebbtide:problem:{kind}"
        assert [e["field"] for e in problem["errors"]] == ([] if field is None else [field])


def test_the_log_holds_no_secret(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    secret = "a secret that nobody may see"
    with caplog.at_level("DEBUG"):
        httpx.post(
            f"{clinic.url}/v1/sign-in", json={"email": "ada@example.org", "password": secret}
        )
        clinic["ada"].get("/v1/ratings", params={"cursor": secret})
        clinic["ada"].post("/v1/ratings", json={"pain": secret}, headers={"X-Note": secret})
        wait_for(lambda: sum(r.name == "ebbtide.access" for r in caplog.records) >= 3)
    token = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
    ours = [r for r in caplog.records if r.name.startswith(("ebbtide", "uvicorn"))]
    words = " ".join(json.dumps([r.getMessage(), str(r.__dict__)]) for r in ours)
    assert "/v1/ratings" in words
    for word in (secret, token, "ada@example.org"):
        assert word not in words
