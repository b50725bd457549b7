"""The first account of a store, and links of the machine itself."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from api.app import create_app
from api.services.first_run import (
    find_local_owner,
    issue_first_run_secret,
    issue_local_link,
    local_address,
)
from cli.server.thread import ApiThread
from ebbtide.timestamps import DAY, HOUR, MINUTE
from store import Stores
from store.models import Person, Role
from store.models.access import AccessToken
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import assert_problem
from tests.support.clock import Clock

ADA = {"name": "Ada", "zone": "Europe/Berlin"}
DUMMY = "nobody has this password"  # what is verified for addresses without an account


def test_a_secret_makes_the_first_account_once(api: ApiThread, stores: Stores) -> None:
    assert ways(api)["first_run"] is True
    secret, other = issue_first_run_secret(stores), issue_first_run_secret(stores)
    assert post(api, "first-run/check", secret=secret).status_code == 204
    answer = post(api, "first-run", secret=secret, **ADA)
    assert answer.status_code == 201
    me = get_me(api, answer)
    assert (me["name"], me["role"], me["zone"]) == ("Ada", "patient", "Europe/Berlin")
    assert (me["email"], me["local_only"]) == ("ada@localhost", True)
    assert ways(api)["first_run"] is False
    for spent in (secret, other, "made up"):
        assert_problem(post(api, "first-run/check", secret=spent), 404)
        assert_problem(post(api, "first-run", secret=spent, **ADA), 404, "ebbtide start")
    assert len(stores.records.people()) == 1


def test_of_secrets_used_at_once_one_makes_an_account(api: ApiThread, stores: Stores) -> None:
    secrets = [issue_first_run_secret(stores) for _ in range(6)]
    ready = threading.Barrier(len(secrets))

    def begin(k: int) -> int:
        ready.wait(timeout=30)
        name = {"name": f"Ada {k}", "zone": "Europe/Berlin"}
        return post(api, "first-run", secret=secrets[k], **name).status_code

    with ThreadPoolExecutor(len(secrets)) as many:
        statuses = sorted(many.map(begin, range(len(secrets))))
    assert statuses == [201] + [404] * (len(secrets) - 1)
    assert len(stores.records.people()) == 1


def test_nothing_is_stored_of_the_person_but_the_account(api: ApiThread, stores: Stores) -> None:
    post(api, "first-run", secret=issue_first_run_secret(stores), **ADA)
    (person,) = stores.records.people()
    assert stores.records.consents(person.id) == []


@pytest.mark.parametrize("made_up", [{}, {"secret": ""}, {"secret": "made up"}])
def test_without_the_secret_nobody_makes_it(
    api: ApiThread, stores: Stores, made_up: dict[str, str]
) -> None:
    issue_first_run_secret(stores)
    assert post(api, "first-run", **made_up, **ADA).status_code in (404, 422)
    assert not stores.records.has_people()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"zone": "Nowhere/Here"}, "zone"),
        ({"email": "ada@example.org"}, "email"),
        ({"email": "ada", "password": PASSWORD}, "email"),
        ({"email": "ada@example.org", "password": "ada@example.org"}, "password"),
        ({"email": "ada@example.org", "password": "short"}, "password"),
    ],
)
def test_what_is_wrong_is_named_and_the_secret_stays_good(
    api: ApiThread, stores: Stores, changed: dict[str, str], field: str
) -> None:
    secret = issue_first_run_secret(stores)
    refused = post(api, "first-run", secret=secret, **{**ADA, **changed})
    assert_problem(refused, 422)
    assert refused.json()["errors"][0]["field"] == f"body.{field}"
    assert post(api, "first-run", secret=secret, **ADA).status_code == 201


def test_with_a_password_one_signs_in_with_it_and_no_link_does(
    api: ApiThread, stores: Stores
) -> None:
    login = {"email": "ada@example.org", "password": PASSWORD}
    answer = post(api, "first-run", secret=issue_first_run_secret(stores), **ADA, **login)
    assert get_me(api, answer)["local_only"] is False
    assert post(api, "sign-in", **login).status_code == 200
    assert find_local_owner(stores) is None
    (person,) = stores.records.people()
    assert_problem(post(api, "sign-in/link", secret=issue_local_link(stores, person)), 404)


@pytest.mark.parametrize("password", ["", DUMMY, "x" * 20])
def test_no_password_signs_in_to_an_account_without_one(
    api: ApiThread, stores: Stores, password: str
) -> None:
    post(api, "first-run", secret=issue_first_run_secret(stores), **ADA)
    refused = post(api, "sign-in", email="ada@localhost", password=password)
    assert_problem(refused, 401, "The address or the password is not right.")


def test_a_link_signs_in_once_within_ten_minutes(stores: Stores) -> None:
    clock = Clock(stores)
    stores = replace(stores, now=clock)
    with ApiThread(create_app(stores)) as api:
        _sign_in_with_links(api, stores, clock)


def _sign_in_with_links(api: ApiThread, stores: Stores, clock: Clock) -> None:
    person = make_ada(api, stores)
    link = issue_local_link(stores, person)
    assert get_me(api, post(api, "sign-in/link", secret=link))["name"] == "Ada"
    assert_problem(post(api, "sign-in/link", secret=link), 404, "ebbtide start")
    late = issue_local_link(stores, person)
    clock.now_ns += 11 * MINUTE
    assert_problem(post(api, "sign-in/link", secret=late), 404)


def test_a_new_password_ends_links(api: ApiThread, stores: Stores) -> None:
    person = make_ada(api, stores)
    link = issue_local_link(stores, person)
    stores.access.set_password(person.id, "another")
    stores.access.set_password(person.id, "")
    assert_problem(post(api, "sign-in/link", secret=link), 404)


def test_who_is_shut_out_comes_in_by_no_link(api: ApiThread, stores: Stores) -> None:
    person = make_ada(api, stores)
    stores.access.set_active(person.id, False)
    assert find_local_owner(stores) is None
    assert_problem(post(api, "sign-in/link", secret=issue_local_link(stores, person)), 404)


def test_other_machines_are_refused(stores: Stores) -> None:
    secret = issue_first_run_secret(stores)
    bodies = {
        "first-run": {"secret": secret, **ADA},
        "first-run/check": {"secret": secret},
        "sign-in/link": {"secret": secret},
    }
    transport = httpx.ASGITransport(create_app(stores), client=("192.0.2.7", 50_000))

    async def ask(path: str, body: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as elsewhere:
            return await elsewhere.post(f"/v1/{path}", json=body)

    for path, body in bodies.items():
        assert_problem(asyncio.run(ask(path, body)), 403, "the machine itself")
    assert not stores.records.has_people()


@pytest.mark.parametrize(
    ("computer", "role", "lifetime_ns", "idle_ns"),
    [
        (None, Role.PATIENT, 7 * DAY, 12 * HOUR),
        ("own", Role.PATIENT, 90 * DAY, 30 * DAY),
        ("shared", Role.PATIENT, 12 * HOUR, HOUR),
        ("own", Role.THERAPIST, 7 * DAY, 12 * HOUR),
        ("shared", Role.ADMINISTRATOR, 12 * HOUR, HOUR),
    ],
)
def test_how_long_a_session_lasts(
    api: ApiThread,
    stores: Stores,
    computer: str | None,
    role: Role,
    lifetime_ns: int,
    idle_ns: int,
) -> None:
    person = add_account(stores, "ada@example.org", role=role)
    more = {} if computer is None else {"computer": computer}
    post(api, "sign-in", email=person.email, password=PASSWORD, **more)
    (token,) = stores.access.tokens(person.id)
    assert (token.expires_ns - token.created_ns, token.idle_ns) == (lifetime_ns, idle_ns)


def test_of_the_first_run_a_session_is_long_only_without_a_password(
    api: ApiThread, stores: Stores
) -> None:
    def begin(**more: str) -> AccessToken:
        post(api, "first-run", secret=issue_first_run_secret(stores), **ADA, **more)
        (person,) = stores.records.people()
        (token,) = stores.access.tokens(person.id)
        stores.records.erase(person.id)
        return token

    own, shared = begin(), begin(email="ada@example.org", password=PASSWORD)
    assert own.expires_ns - own.created_ns == 90 * DAY
    assert shared.expires_ns - shared.created_ns == 12 * HOUR


def test_an_account_without_a_password_is_erased_without_one(
    api: ApiThread, stores: Stores
) -> None:
    token = post(api, "first-run", secret=issue_first_run_secret(stores), **ADA).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    wrong = httpx.post(f"{api.url}/v1/me/erase", json={"password": DUMMY}, headers=headers)
    assert_problem(wrong, 422, "is not your password")
    done = httpx.post(f"{api.url}/v1/me/erase", json={"password": ""}, headers=headers, timeout=60)
    assert done.status_code == 200
    assert not stores.records.has_people()


@pytest.mark.parametrize(
    ("name", "address"),
    [("Ada", "ada@localhost"), ("Zoë van Dijk", "zoe-van-dijk@localhost"), ("愛", "me@localhost")],
)
def test_an_address_can_be_typed(name: str, address: str) -> None:
    assert local_address(name) == address


def make_ada(api: ApiThread, stores: Stores) -> Person:
    post(api, "first-run", secret=issue_first_run_secret(stores), **ADA)
    person = find_local_owner(stores)
    assert person is not None
    return person


def post(api: ApiThread, path: str, **body: str) -> httpx.Response:
    return httpx.post(f"{api.url}/v1/{path}", json=body, timeout=60)


def get_me(api: ApiThread, answer: httpx.Response) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    found: dict[str, object] = httpx.get(f"{api.url}/v1/me", headers=headers).json()
    return found


def ways(api: ApiThread) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{api.url}/v1/sign-in/ways").json()
    return found
