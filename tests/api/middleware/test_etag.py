"""ETags and security headers of every response."""

from __future__ import annotations

import httpx

from tests.support.clinic import Clinic


def test_an_answer_is_named_by_its_content(clinic: Clinic) -> None:
    ada = clinic["ada"]
    ada.post("/v1/ratings", json={"pain": 4, "stress": 2})
    first = ada.get("/v1/ratings")
    headers = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    second = ada.get("/v1/ratings", headers=headers)
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    ada.post("/v1/ratings", json={"pain": 5, "stress": 2})
    third = ada.get("/v1/ratings", headers=headers)
    assert third.status_code == 200
    assert third.headers["etag"] != first.headers["etag"]


def test_no_response_is_cached_by_others_or_taken_for_a_page(clinic: Clinic) -> None:
    for answer in (
        clinic["ada"].get("/v1/ratings"),
        clinic["ada"].post("/v1/ratings", json={"pain": 1, "stress": 1}),
        httpx.get(f"{clinic.url}/v1/me"),
        httpx.get(f"{clinic.url}/nowhere"),
        httpx.get(f"{clinic.url}/openapi.json"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] in ("no-store", "private, no-cache")
        assert "server" not in answer.headers


def test_no_other_site_may_read_answers(clinic: Clinic) -> None:
    for method in ("GET", "OPTIONS"):
        answer = httpx.request(
            method,
            f"{clinic.url}/v1/me",
            headers={
                "Origin": "https://evil.example",
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "authorization",
            },
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert httpx.get(f"{clinic.url}/docs").status_code == 404
