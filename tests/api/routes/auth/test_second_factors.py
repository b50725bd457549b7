"""Codes of an app, recovery codes, what staff need, and the way back after a loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import httpx
import pyotp
import pytest

from api.app import create_app
from api.services import lockout, passwords
from api.services.access_tokens import issue_token
from api.services.accounts import store_account
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE, SECOND
from store import Stores, open_stores
from store.models import Role
from tests.support.accounts import PASSWORD
from tests.support.assertions import assert_problem
from tests.support.authenticator import Authenticator
from tests.support.clock import Clock

ADA, TOM, ADAM = "ada@example.org", "tom@example.org", "adam@example.org"
SECOND_FACTOR = "urn:ebbtide:problem:second-factor"
MANY = {"anonymous_requests_a_minute": 10**6, "requests_a_minute": 10**6}


class Place:
    """An API whose clock the test moves, with a patient, a therapist and an administrator."""

    def __init__(self, stores: Stores, url: str, clock: Clock) -> None:
        self.stores, self.url, self.clock = stores, url, clock
        for email, role in ((ADA, Role.PATIENT), (TOM, Role.THERAPIST), (ADAM, Role.ADMINISTRATOR)):
            more: dict[str, Any] = {"email": email, "name": "N", "zone": "UTC", "role": role}
            store_account(
                stores.records, password_hash=_password_hash(), now_ns=clock.now_ns, **more
            )
        self.clients: list[httpx.Client] = []

    def post_sign_in(
        self, email: str, code: str | None = None, *, network: str = "203.0.113.5", **more: Any
    ) -> httpx.Response:
        body = {"email": email, "password": PASSWORD, "code": code, **more}
        headers = {"X-Forwarded-For": network}
        return httpx.post(f"{self.url}/v1/sign-in", json=body, headers=headers, timeout=60)

    def sign_in(self, email: str) -> httpx.Client:
        """A session as the password alone begins it."""
        person = self.stores.records.person_by_email(email)
        assert person is not None
        return self.client(issue_token(replace(self.stores, now=self.clock), person)[0])

    def sign_in_with(self, email: str, code: str | None) -> httpx.Client:
        answer = self.post_sign_in(email, code)
        assert answer.status_code == 200, answer.text
        return self.client(answer.json()["token"])

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def client(self, token: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        made = httpx.Client(base_url=f"{self.url}/v1", timeout=60, headers=headers)
        self.clients.append(made)
        return made

    def set_up(self, http: httpx.Client) -> tuple[pyotp.TOTP, list[str]]:
        """Set an app up; the code of the next half minute is the first that can be used."""
        made = http.post("/me/app").json()
        totp = pyotp.TOTP(made["secret"])
        assert made["uri"] == totp.provisioning_uri(
            name=http.get("/me").json()["email"], issuer_name="Ebbtide"
        )
        body = {"token": made["token"], "code": self.code(totp)}
        answer = http.put("/me/app", json=body)
        assert answer.status_code == 200, answer.text
        self.clock.now_ns += 30 * SECOND
        return totp, answer.json()["recovery_codes"]

    def code(self, totp: pyotp.TOTP, steps: int = 0) -> str:
        return totp.at(self.clock.now_ns // SECOND, counter_offset=steps)

    def log(self, http: httpx.Client) -> list[str]:
        return [entry["what"] for entry in http.get("/me/looks").json()["looks"]]


@cache
def _password_hash() -> str:
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def clock(stores: Stores) -> Clock:
    return Clock(stores)


def opened(stores: Stores, settings: Settings, clock: Clock, **more: Any) -> ApiThread:
    more = {**MANY, "trusted_proxies": "127.0.0.1", **more}
    return ApiThread(create_app(replace(stores, now=clock), settings.model_copy(update=more)))


@pytest.fixture
def place(stores: Stores, settings: Settings, clock: Clock) -> Iterator[Place]:
    with opened(stores, settings, clock) as api:
        made = Place(stores, api.url, clock)
        yield made
        made.close()


@pytest.fixture
def strict(stores: Stores, settings: Settings, clock: Clock) -> Iterator[Place]:
    """Where staff need a second factor."""
    with opened(stores, settings, clock, staff_second_factor="required") as api:
        made = Place(stores, api.url, clock)
        yield made
        made.close()


def test_a_code_is_asked_for_after_the_password_and_good_once(place: Place) -> None:
    totp, codes = place.set_up(place.sign_in(ADA))
    assert len(set(codes)) == 10
    asked = place.post_sign_in(ADA)
    assert_problem(asked, 401, "six digits")
    assert asked.json()["type"] == SECOND_FACTOR
    wrong = place.post_sign_in(ADA, password="wrong", code=place.code(totp))
    assert_problem(wrong, 401, "address or the password")
    code = place.code(totp)
    http = place.sign_in_with(ADA, code)
    assert_problem(place.post_sign_in(ADA, code), 401, "used already")
    # One step off to either side, of a phone's clock; not the one of before, nor two steps off.
    assert_problem(place.post_sign_in(ADA, place.code(totp, -1)), 401, "used already")
    assert_problem(place.post_sign_in(ADA, place.code(totp, 2)), 401, "not right")
    place.sign_in_with(ADA, place.code(totp, 1))
    state = http.get("/me/second-factors").json()
    assert (state["app"], state["recovery_codes"], state["required"]) == (True, 10, False)
    assert http.delete("/me/app").status_code == 204
    place.sign_in_with(ADA, None)
    assert place.log(http) == ["removed codes of an app", "set up codes of an app"]


def test_the_first_code_is_used_up_with_the_setup(place: Place) -> None:
    http = place.sign_in(ADA)
    made = http.post("/me/app").json()
    totp = pyotp.TOTP(made["secret"])
    wrong = {"token": made["token"], "code": place.code(totp, 5)}
    assert_problem(http.put("/me/app", json=wrong), 422, "code that the app shows")
    place.sign_in_with(ADA, None)  # nothing has changed yet
    right = {"token": made["token"], "code": place.code(totp)}
    tom = place.sign_in(TOM)
    assert_problem(tom.put("/me/app", json=right), 422, "code that the app shows")
    answer = http.put("/me/app", json=right)
    assert answer.status_code == 200
    assert_problem(http.put("/me/app", json=right), 422, "code that the app shows")
    assert_problem(place.post_sign_in(ADA, right["code"]), 401, "used already")


def test_recovery_codes_are_good_once_and_end_with_new_ones(place: Place) -> None:
    http = place.sign_in(ADA)
    _, codes = place.set_up(http)
    place.sign_in_with(ADA, codes[0].upper().replace("-", " "))
    assert_problem(place.post_sign_in(ADA, codes[0]), 401, "used already")
    assert http.get("/me/second-factors").json()["recovery_codes"] == 9
    again = http.post("/me/recovery-codes", headers={"Idempotency-Key": "a"})
    renewed = again.json()["recovery_codes"]
    # They are told once, and stored nowhere as they are.
    repeated = http.post("/me/recovery-codes", headers={"Idempotency-Key": "a"})
    assert_problem(repeated, 409, "a secret")
    assert_problem(place.post_sign_in(ADA, codes[1]), 401, "not right")
    place.sign_in_with(ADA, renewed[1])
    assert "signed in with a recovery code" in place.log(http)


def test_codes_are_stored_as_hashes(place: Place, settings: Settings) -> None:
    _, codes = place.set_up(place.sign_in(ADA))
    stored = b"".join(path.read_bytes() for path in settings.data_dir.glob("records.sqlite*"))
    for code in codes:
        assert code.encode() not in stored
        assert code.replace("-", "").encode() not in stored


def test_guesses_of_codes_are_slow_and_slow_down_no_known_device(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockout, "MAX_ACCOUNT_CODES", 14)
    known = place.post_sign_in(ADA).json()["known_device"]
    totp, _ = place.set_up(place.sign_in(ADA))
    answers = [place.post_sign_in(ADA, "000000").status_code for _ in range(12)]
    assert answers == [401] * lockout.MAX_FAILURES + [429] * 2
    code = place.code(totp)
    assert_problem(place.post_sign_in(ADA, code), 429, "Too many wrong codes")
    # From many networks, with the password: soon the account alone counts.
    statuses = [
        place.post_sign_in(ADA, "000000", network=f"198.51.100.{k}").status_code
        for k in range(lockout.MAX_ACCOUNT_CODES)
    ]
    assert statuses.count(401) == lockout.MAX_ACCOUNT_CODES - lockout.MAX_FAILURES
    assert_problem(place.post_sign_in(ADA, code, network="192.0.2.1"), 429, "Too many")
    assert place.post_sign_in(ADA, code, known_device=known).status_code == 200


def test_who_lacks_the_password_guesses_no_code(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockout, "MAX_ACCOUNT_CODES", 3)
    totp, _ = place.set_up(place.sign_in(ADA))
    for k in range(lockout.MAX_ACCOUNT_CODES + 5):
        network = f"198.51.100.{k}"
        place.post_sign_in(ADA, "000000", password="wrong", network=network)
    place.sign_in_with(ADA, place.code(totp))


def test_two_workers_take_a_code_once(settings: Settings) -> None:
    both = [open_stores(settings) for _ in range(2)]
    clock = Clock(both[0])
    apps = [opened(stores, settings, clock) for stores in both]
    with apps[0] as first, apps[1] as second:
        place = Place(both[0], first.url, clock)
        totp, codes = place.set_up(place.sign_in(ADA))
        for code in (place.code(totp), codes[0]):
            place.url = first.url
            place.sign_in_with(ADA, code)
            place.url = second.url
            assert_problem(place.post_sign_in(ADA, code), 401, "used already")
        place.close()


def test_staff_without_one_reach_only_what_sets_one_up(strict: Place) -> None:
    strict.sign_in(ADA).get("/ratings")
    tom = strict.sign_in_with(TOM, None)
    assert tom.get("/me").json()["second_factor_missing"] is True
    for method, path in (
        ("GET", "/patients"),
        ("GET", "/tokens"),
        ("POST", "/tokens"),
        ("GET", "/me/looks"),
        ("PUT", "/me/password"),
        ("POST", "/invitations"),
    ):
        refused = tom.request(method, path, json={})
        assert_problem(refused, 403, "First set up")
        assert refused.json()["type"] == SECOND_FACTOR
    adam = strict.sign_in(ADAM)
    assert_problem(adam.get("/accounts"), 403, "First set up")
    totp, _ = strict.set_up(tom)
    assert tom.get("/patients").status_code == 200
    assert tom.get("/me").json()["second_factor_missing"] is False
    assert_problem(tom.delete("/me/app"), 409, "the last one")
    assert_problem(strict.post_sign_in(TOM), 401, "six digits")
    again = strict.sign_in_with(TOM, strict.code(totp))
    assert again.get("/patients").status_code == 200


def test_a_session_of_before_gains_nothing_when_another_sets_one_up(strict: Place) -> None:
    first, other = strict.sign_in(TOM), strict.sign_in(TOM)
    totp, _ = strict.set_up(first)
    assert_problem(other.get("/patients"), 403, "Sign in again")
    assert_problem(other.post("/me/app"), 403, "Sign in again")
    here = {"origin": "http://localhost:8421"}
    assert_problem(other.post("/me/passkeys/options", json=here), 403, "Sign in again")
    assert_problem(other.delete("/me/app"), 403, "Sign in again")
    wrong = other.post("/me/verify", json={"password": PASSWORD})
    assert_problem(wrong, 403, "six digits")
    body = {"password": PASSWORD, "code": strict.code(totp)}
    assert other.post("/me/verify", json=body).status_code == 204
    assert other.get("/patients").status_code == 200


def test_a_passkey_is_a_second_factor_and_the_password_alone_then_none(strict: Place) -> None:
    tom = strict.sign_in(TOM)
    made = Authenticator("http://localhost:8421")
    here = {"origin": made.origin}
    options = tom.post("/me/passkeys/options", json=here).json()["public_key"]
    body = {"name": "n", "credential": made.create(options)}
    added = tom.post("/me/passkeys", json=body)
    assert added.status_code == 201
    assert tom.get("/patients").status_code == 200
    assert_problem(strict.post_sign_in(TOM), 401, "with your passkey")
    assert_problem(strict.post_sign_in(TOM, "123456"), 401, "not right")
    assert_problem(tom.delete(f"/me/passkeys/{added.json()['id']}"), 409, "the last one")
    codes = tom.post("/me/recovery-codes").json()["recovery_codes"]
    strict.sign_in_with(TOM, codes[0])
    options = tom.post("/sign-in/passkey/options", json=here).json()["public_key"]
    signed = tom.post("/sign-in/passkey", json={"credential": made.get(options)})
    assert strict.client(signed.json()["token"]).get("/patients").status_code == 200


def test_scripts_of_before_end_with_the_setting(
    stores: Stores, settings: Settings, clock: Clock
) -> None:
    with opened(stores, settings, clock) as api:
        place = Place(stores, api.url, clock)
        tom = place.sign_in(TOM)
        body = {"name": "nightly", "scopes": ["read"], "days": 9}
        script = tom.post("/tokens", json=body).json()["token"]
        assert place.client(script).get("/patients").status_code == 200
    others = open_stores(settings)
    with opened(others, settings, clock, staff_second_factor="required") as api:
        place.url = api.url
        assert_problem(place.client(script).get("/patients"), 403, "First set up")
        tom = place.sign_in(TOM)
        place.set_up(tom)
        script = tom.post("/tokens", json=body).json()["token"]
        assert place.client(script).get("/patients").status_code == 200
        place.close()


def test_patients_are_asked_for_nothing_more(strict: Place) -> None:
    ada = strict.sign_in(ADA)
    assert ada.get("/me").json()["second_factor_missing"] is False
    assert ada.get("/me/second-factors").json()["required"] is False


def test_an_administrator_sends_a_way_back_and_signs_nobody_in(strict: Place) -> None:
    tom, adam = strict.sign_in(TOM), strict.sign_in(ADAM)
    strict.set_up(tom)
    strict.set_up(adam)
    path = f"/accounts/{tom.get('/me').json()['id']}/second-factor-link"
    ended = adam.post(path).json()["token"]
    token = adam.post(path).json()["token"]
    assert tom.get("/patients").status_code == 200  # nothing has changed yet
    for body, status, words in (
        ({"token": ended, "password": PASSWORD}, 404, "used already"),
        ({"token": token, "password": "wrong"}, 422, "not your password"),
    ):
        answer = httpx.post(f"{strict.url}/v1/second-factor-reset", json=body, timeout=60)
        assert_problem(answer, status, words)
    reset = {"token": token, "new": "two ducks on a slow river"}
    answer = httpx.post(f"{strict.url}/v1/password-reset", json=reset, timeout=60)
    assert_problem(answer, 404, "used already")  # it is no link for a password
    body = {"token": token, "password": PASSWORD}
    answer = httpx.post(f"{strict.url}/v1/second-factor-reset", json=body, timeout=60)
    assert answer.status_code == 204
    assert answer.content == b""
    assert tom.get("/me").status_code == 401
    answer = httpx.post(f"{strict.url}/v1/second-factor-reset", json=body, timeout=60)
    assert_problem(answer, 404, "used already")
    again = strict.sign_in_with(TOM, None)
    assert again.get("/me").json()["second_factor_missing"] is True
    strict.set_up(again)
    assert strict.log(again)[1:5] == [
        "removed their second factors with a link or code",
        "made a code that removes a lost second factor",
        "made a code that removes a lost second factor",
        "set up codes of an app",
    ]


def test_a_way_back_ends_with_the_rights_of_who_made_it(strict: Place) -> None:
    tom, adam = strict.sign_in(TOM), strict.sign_in(ADAM)
    strict.set_up(tom)
    strict.set_up(adam)
    ids = {name: http.get("/me").json()["id"] for name, http in (("tom", tom), ("adam", adam))}
    token = adam.post(f"/accounts/{ids['tom']}/second-factor-link").json()["token"]
    strict.stores.access.set_role(ids["adam"], Role.ANALYST)
    body = {"token": token, "password": PASSWORD}
    answer = httpx.post(f"{strict.url}/v1/second-factor-reset", json=body, timeout=60)
    assert_problem(answer, 404, "used already")


def test_a_new_password_passes_no_second_factor(place: Place) -> None:
    ada, adam = place.sign_in(ADA), place.sign_in(ADAM)
    totp, _ = place.set_up(ada)
    path = f"/accounts/{ada.get('/me').json()['id']}/password-link"
    body = {"token": adam.post(path).json()["token"], "new": "two ducks on a slow river"}
    done = httpx.post(f"{place.url}/v1/password-reset", json=body, timeout=60)
    assert done.status_code == 204
    answer = place.post_sign_in(ADA, password=body["new"])
    assert_problem(answer, 401, "six digits")
    assert place.post_sign_in(ADA, place.code(totp), password=body["new"]).status_code == 200


def test_changes_need_a_sign_in_of_just_now(place: Place) -> None:
    http = place.sign_in(ADA)
    place.set_up(http)
    assert http.get("/me/second-factors").json()["fresh"] is True
    place.clock.now_ns += 16 * MINUTE
    assert http.get("/me/second-factors").json()["fresh"] is False
    for method, path in (
        ("POST", "/me/app"),
        ("DELETE", "/me/app"),
        ("POST", "/me/recovery-codes"),
    ):
        assert_problem(http.request(method, path), 403, "password once more")


def test_a_device_that_records_needs_a_code_too(place: Place) -> None:
    totp, _ = place.set_up(place.sign_in(ADA))
    assert_problem(place.post_sign_in(ADA, device="laptop"), 401, "six digits")
    assert place.post_sign_in(ADA, place.code(totp), device="laptop").status_code == 200
