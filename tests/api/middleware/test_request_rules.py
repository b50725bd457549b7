"""What HTTP demands of every request, down to what never reaches the application."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from api.http.accept import negotiate
from api.http.ranges import parse_range
from store import Stores
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.cohort_clinic import agree_together

RATING = {"pain": 3, "stress": 4}


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        yield opened


def send_raw(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; returns status, headers and body."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(2**16):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"POST /v1/ratings HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"GET /v1/health HTTP/9.9\r\nHost: a\r\n\r\n",
    ],
    ids=["no host", "two hosts", "no HTTP", "header", "length", "version"],
)
def test_what_is_no_request_gets_a_problem(clinic: Clinic, request_bytes: bytes) -> None:
    status, headers, body = send_raw(clinic.url, request_bytes)
    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert problem["status"] == 400
    assert problem["detail"]
    assert headers["connection"] == "close"


def test_one_host_is_fine(clinic: Clinic) -> None:
    request = b"GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert send_raw(clinic.url, request)[0] == 200
    assert send_raw(clinic.url, b"GET /v1/health HTTP/1.0\r\n\r\n")[0] == 200


def test_long_addresses(clinic: Clinic) -> None:
    assert_problem(clinic["ann"].get("/v1/research/ratings?" + "x" * 61_500), 414)
    agree_together(clinic)
    people = "&".join(f"person={'0' * 36}" for _ in range(1000))
    assert_problem(clinic["ann"].get(f"/v1/research/ratings?{people}"), 404)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "jsonish/json"},
    ],
)
def test_a_body_that_is_not_said_to_be_json_is_refused(
    clinic: Clinic, headers: dict[str, str]
) -> None:
    content = json.dumps(RATING).encode()
    answer = clinic["ada"].post("/v1/ratings", content=content, headers=headers)
    assert_problem(answer, 415, "application/json")
    assert answer.headers["accept-post"] == "application/json"
    assert clinic["ada"].get("/v1/ratings").json()["ratings"] == []


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/fhir+json"])
def test_json_by_its_names_is_taken(clinic: Clinic, kind: str) -> None:
    answer = clinic["ada"].post(
        "/v1/ratings", content=json.dumps(RATING), headers={"Content-Type": kind}
    )
    assert answer.status_code == 201


def test_compressed_bodies_are_refused_and_not_guessed(clinic: Clinic) -> None:
    content = gzip.compress(json.dumps(RATING).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = clinic["ada"].post("/v1/ratings", content=content, headers=headers)
    assert_problem(answer, 415, "gzip")
    assert answer.headers["accept-encoding"] == "identity"
    assert_problem(clinic["ada"].post("/v1/nothing", content=content, headers=headers), 404)


def test_conditions_on_writes_are_refused(clinic: Clinic) -> None:
    ada = clinic["ada"]
    made = ada.post("/v1/ratings", json=RATING).raise_for_status()
    url = made.headers["location"]
    tag = ada.get(url).headers["etag"]
    for headers in ({"If-Match": tag}, {"If-Match": "*"}, {"If-None-Match": "*"}):
        body = {**RATING, "pain": 9, "version": 1}
        assert_problem(ada.put(url, json=body, headers=headers), 412, "version")
        assert_problem(ada.delete(url, params={"version": 1}, headers=headers), 412)
    assert ada.get(url).json() == made.json()
    # Of a GET: tags are weak, which If-Match never meets.
    assert_problem(ada.get(url, headers={"If-Match": tag}), 412)
    assert ada.get(url, headers={"If-Match": "*"}).status_code == 200


def test_what_was_made_has_a_location_the_repeated_request_as_well(clinic: Clinic) -> None:
    ada = clinic["ada"]
    for path, body in (
        ("/v1/ratings", RATING),
        ("/v1/notes", {"kind": "trigger", "words": "rain"}),
        (
            "/v1/consents",
            {"purpose": "research", "given": True, "wording": "test, 1"},
        ),
    ):
        headers = {"Idempotency-Key": f"key of {path}"}
        first = ada.post(path, json=body, headers=headers)
        again = ada.post(path, json=body, headers=headers)
        assert first.status_code == 201, first.text
        assert again.status_code == 201
        assert again.headers["location"] == first.headers["location"]
        if path == "/v1/notes":
            assert ada.delete(first.headers["location"]).status_code == 204
        else:
            assert ada.get(first.headers["location"]).status_code == 200


def test_a_304_varies_as_its_200_does(clinic: Clinic) -> None:
    ada = clinic["ada"]
    for path in ("/v1/therapy", "/v1/export/ratings", "/v1/me"):
        first = ada.get(path, headers={"Accept-Encoding": "gzip"})
        unchanged = ada.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert unchanged.status_code == 304
        varies = {word.strip().lower() for word in unchanged.headers["vary"].split(",")}
        assert {w.strip().lower() for w in first.headers.get("vary", "").split(",") if w} <= varies
        assert "accept-encoding" in varies


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("text/*;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/csv;q=0, */*", "application/json"),
        ("application/json;q=0, */*;q=0.1", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("text/csv;q=x", None),
        ("text/csv;q=nan", None),
    ],
)
def test_negotiation(accept: str, chosen: str | None) -> None:
    assert negotiate(accept, ["application/json", "text/csv"]) == chosen


def test_text_is_csv(clinic: Clinic) -> None:
    answer = clinic["ada"].get("/v1/export/ratings", headers={"Accept": "text/*"})
    assert answer.headers["content-type"].startswith("text/csv")


def test_ranges_are_parsed() -> None:
    for header, size, bounds in (
        ("bytes=0-", 10, (0, 9)),
        ("bytes=3-5", 10, (3, 5)),
        ("Bytes = 3-50", 10, (3, 9)),
        ("bytes=-4", 10, (6, 9)),
        ("bytes=-40", 10, (0, 9)),
        ("bytes=-0", 10, None),
        ("bytes=10-", 10, None),
    ):
        found = parse_range(header)
        assert found is not None
        assert found.within(size) == bounds, header
    for header in ("bytes=-", "bytes=5-3", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "", "1-2"):
        assert parse_range(header) is None


def test_a_public_route_is_no_exception(clinic: Clinic) -> None:
    answer = httpx.post(f"{clinic.url}/v1/sign-in", content=b"email=a&password=b")
    assert_problem(answer, 415)
