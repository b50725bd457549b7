"""Signing in and out."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from cli.server.thread import ApiThread
from store import Stores
from tests.support.accounts import PASSWORD
from tests.support.assertions import assert_problem

SignedIn = Callable[..., httpx.Client]


def test_sign_in_me_and_sign_out(signed_in: SignedIn) -> None:
    client = signed_in()
    me = client.get("/v1/me").json()
    assert (me["email"], me["name"], me["role"]) == ("ada@example.org", "Ada", "patient")
    assert "password" not in json.dumps(me)
    assert client.post("/v1/sign-out").status_code == 204
    assert_problem(client.get("/v1/me"), 401, "Sign in first")


def test_wrong_passwords_and_unknown_people_get_the_same_answer(
    api: ApiThread, patient: Callable[..., str]
) -> None:
    patient()
    answers = [
        httpx.post(f"{api.url}/v1/sign-in", json={"email": email, "password": password})
        for email, password in [("ada@example.org", "wrong"), ("eve@example.org", PASSWORD)]
    ]
    assert_problem(answers[0], 401)
    assert answers[0].json() == answers[1].json()


def test_passwords_are_stored_as_argon2(stores: Stores, patient: Callable[..., str]) -> None:
    patient()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    assert person.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me"),
        ("POST", "/v1/ratings"),
        ("GET", "/v1/ratings"),
        ("PUT", "/v1/ratings/6f0d4a53-5d0a-4a0c-9c7e-0f5b7f2f8a11"),
        ("GET", "/v1/link"),
        ("GET", "/v1/hrv"),
        ("GET", "/v1/streams"),
        ("GET", "/v1/gaps"),
        ("PUT", "/v1/streams/6f0d4a53-5d0a-4a0c-9c7e-0f5b7f2f8a11"),
        ("POST", "/v1/streams/6f0d4a53-5d0a-4a0c-9c7e-0f5b7f2f8a11/notifications"),
        ("GET", "/v1/sessions"),
        ("PUT", "/v1/sessions/1"),
    ],
)
def test_nothing_is_reached_without_a_sign_in(api: ApiThread, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
        assert_problem(httpx.request(method, api.url + path, headers=headers), 401)
