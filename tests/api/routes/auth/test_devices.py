"""Phones: signed in by code or password, with a second factor, revoked, erased."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import httpx
import pyotp
import pytest

from api.app import create_app
from api.services import phones as service
from api.services.access_tokens import PHONE_IDLE_NS, PHONE_LIFETIME_NS, issue_token
from api.services.erasure import erase_people
from api.services.erasure_again import carry_out_erasures
from api.services.lockout import MAX_FAILURES
from api.services.phones import CODE_LIFETIME_NS, MAX_PHONES, phones
from cli.server.thread import ApiThread
from ebbtide.beats import new_id
from ebbtide.client import ApiError, Client, SignedOutError
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, SECOND
from store import Stores, open_stores
from store.maintenance import create_backup, restore
from store.models import Person, Role
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import assert_problem
from tests.support.clock import Clock

ADA, TOM = "ada@example.org", "tom@example.org"
PROBLEM = "urn:ebbtide:problem:"


class Place:
    """An API whose clock the test moves, with a patient and a therapist."""

    def __init__(self, stores: Stores, url: str, clock: Clock) -> None:
        self.stores, self.url, self.clock = replace(stores, now=clock), url, clock
        self.ada = add_account(self.stores, ADA)
        self.tom = add_account(self.stores, TOM, role=Role.THERAPIST)
        self.pages = self.session(self.ada)

    def session(self, person: Person) -> Client:
        """The pages, signed in."""
        return Client(self.url, issue_token(self.stores, person)[0])

    def post(self, network: str = "203.0.113.5", **body: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v1/devices/sign-in",
            json={"device_name": "Ada's phone", **body},
            headers={"X-Forwarded-For": network},
            timeout=60,
        )

    def phone(self) -> Client:
        """A phone that was signed in with a code."""
        code = self.pages.new_device_code()["code"]
        answer = self.post(code=code)
        assert answer.status_code == 201, answer.text
        return Client(self.url, answer.json()["token"])


@pytest.fixture
def place(stores: Stores, settings: Settings) -> Iterator[Place]:
    clock = Clock(stores)
    more = {"anonymous_requests_a_minute": 10**6, "trusted_proxies": "127.0.0.1"}
    app = create_app(replace(stores, now=clock), settings.model_copy(update=more))
    with ApiThread(app) as api:
        yield Place(stores, api.url, clock)


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix(PROBLEM)


def test_a_code_signs_one_phone_in(place: Place) -> None:
    made = place.pages.new_device_code()
    assert len(made["code"]) == 11
    answer = place.post(code=f" {made['code'].lower().replace('-', ' ')} ")
    assert answer.status_code == 201, answer.text
    signed_in = answer.json()
    assert signed_in["device"]["name"] == "Ada's phone"
    assert (signed_in["person"]["id"], signed_in["person"]["zone"]) == (place.ada.id, "UTC")
    assert len(base64.urlsafe_b64decode(signed_in["storage_key"] + "=")) == 32
    again = place.post(code=made["code"])
    assert_problem(again, 401, "used already")
    assert kind(again) == "wrong-code"
    phone = Client(place.url, signed_in["token"])
    assert phone.me()["id"] == place.ada.id
    (listed,) = place.pages.devices()
    assert listed["id"] == signed_in["device"]["id"] == phone.current_device()["id"]
    assert (listed["this"], phone.current_device()["this"]) == (False, True)
    # Whoever finds the phone makes no further way in, and sees no list.
    for refused in (phone.new_device_code, phone.devices, lambda: phone.revoke_device(new_id())):
        with pytest.raises(ApiError) as caught:
            refused()
        assert (caught.value.status, caught.value.kind) == (403, "not-for-devices")
    with pytest.raises(ApiError, match="not come from the app"):
        place.pages.current_device()


def test_of_two_phones_with_one_code_one_is_signed_in(place: Place) -> None:
    code = place.pages.new_device_code()["code"]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: place.post(code=code).status_code, range(6)))
    assert sorted(answers) == [201, *[401] * 5]
    assert len(phones(place.stores, place.ada)) == 1


def test_a_code_ends_with_time_another_code_the_session_and_the_password(place: Place) -> None:
    late = place.pages.new_device_code()["code"]
    place.clock.now_ns += CODE_LIFETIME_NS
    assert place.post(code=late).status_code == 401
    earlier = place.pages.new_device_code()["code"]
    place.pages.new_device_code()
    assert place.post(code=earlier).status_code == 401
    other = place.session(place.ada)
    of_other = other.new_device_code()["code"]
    other.sign_out()
    assert place.post(code=of_other).status_code == 401
    before = place.pages.new_device_code()["code"]
    place.stores.access.set_password(place.ada.id, place.ada.password_hash or "")
    assert place.post(code=before).status_code == 401


def test_guessed_codes_wait_by_network(place: Place) -> None:
    for _ in range(MAX_FAILURES):
        assert place.post(code="AAAAA-AAAAA").status_code == 401
    good = place.pages.new_device_code()["code"]
    waiting = place.post(code=good)
    assert_problem(waiting, 429, "Too many codes")
    assert int(waiting.headers["Retry-After"]) == 30
    # A right code of one's own forgets none of the guesses at others'.
    assert place.post("198.51.100.7", code=good).status_code == 201
    for _ in range(MAX_FAILURES - 1):
        place.post("198.51.100.8", code="AAAAA-AAAAA")
    own = place.pages.new_device_code()["code"]
    assert place.post("198.51.100.8", code=own).status_code == 201
    assert place.post("198.51.100.8", code="AAAAA-AAAAA").status_code == 401
    assert place.post("198.51.100.8", code="AAAAA-AAAAA").status_code == 429


def test_a_password_signs_in_with_the_second_factor_there_is(place: Place) -> None:
    assert kind(place.post(email=ADA, password="wrong")) == "wrong-password"
    assert place.post(email=ADA, password=PASSWORD).status_code == 201
    setup = place.pages.begin_app()
    totp = pyotp.TOTP(setup["secret"])
    place.pages.set_app(setup["token"], totp.at(place.clock.now_ns // SECOND))
    place.clock.now_ns += 30 * SECOND
    assert kind(place.post(email=ADA, password=PASSWORD)) == "second-factor"
    wrong = place.post(email=ADA, password=PASSWORD, second_factor_code="000000")
    assert kind(wrong) == "wrong-code"
    code = totp.at(place.clock.now_ns // SECOND)
    answer = place.post(email=ADA, password=PASSWORD, second_factor_code=code)
    assert answer.status_code == 201, answer.text
    stored = [t for t in phones(place.stores, place.ada) if t.second_factor]
    assert [token.id for token in stored] == [answer.json()["device"]["id"]]
    again = place.post(email=ADA, password=PASSWORD, second_factor_code=code)
    assert_problem(again, 401, "used already")


def test_the_app_is_for_patients(place: Place) -> None:
    assert_problem(place.post(email=TOM, password=PASSWORD), 403, "for patients")
    assert kind(place.post(email=TOM, password="wrong")) == "wrong-password"
    with pytest.raises(ApiError) as caught:
        place.session(place.tom).new_device_code()
    assert caught.value.status == 403
    for body in ({}, {"email": ADA}, {"email": ADA, "password": PASSWORD, "code": "x"}):
        assert place.post(**body).status_code == 422


def test_a_revoked_phone_is_told_so_and_gets_the_same_key_again(place: Place) -> None:
    first = place.post(code=place.pages.new_device_code()["code"]).json()
    phone = Client(place.url, first["token"])
    with pytest.raises(ApiError):
        place.session(add_account(place.stores, "eve@example.org")).revoke_device(
            first["device"]["id"]
        )
    assert phone.me()
    place.pages.revoke_device(first["device"]["id"])
    with pytest.raises(SignedOutError) as caught:
        phone.me()
    assert caught.value.kind == "device-revoked"
    with pytest.raises(ApiError) as missing:
        place.pages.revoke_device(first["device"]["id"])
    assert missing.value.status == 404
    again = place.post(email=ADA, password=PASSWORD).json()
    assert again["storage_key"] == first["storage_key"]
    # A session that ended is no phone.
    with pytest.raises(SignedOutError) as other:
        Client(place.url, "made up").me()
    assert other.value.kind == "sign-in"


def test_a_person_is_signed_in_on_so_many_phones_and_no_more(place: Place) -> None:
    first = place.phone()
    for _ in range(MAX_PHONES - 1):
        place.phone()
    answer = place.post(code=place.pages.new_device_code()["code"])
    assert_problem(answer, 409, "My devices")
    assert kind(answer) == "too-many-phones"
    refused = place.post(email=ADA, password=PASSWORD)
    assert (refused.status_code, kind(refused)) == (409, "too-many-phones")
    assert first.me(), "none of them was signed out for it"
    assert len(phones(place.stores, place.ada)) == MAX_PHONES
    place.pages.revoke_device(place.pages.devices()[0]["id"])
    assert place.post(email=ADA, password=PASSWORD).status_code == 201
    # Those that are not used any more count no longer.
    place.clock.now_ns += PHONE_IDLE_NS
    assert place.post(email=ADA, password=PASSWORD).status_code == 201


def test_of_phones_that_sign_in_at_once_none_is_one_too_many(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(MAX_PHONES - 1):
        place.phone()
    meanwhile = Barrier(2)
    issue = service.issue_signed_in_token

    def wait_and_issue(*arguments: object, **more: object) -> object:
        meanwhile.wait(20)  # both have counted by now
        return issue(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "issue_signed_in_token", wait_and_issue)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: place.post(email=ADA, password=PASSWORD), range(2)))
    assert "too-many-phones" in {kind(answer) for answer in answers if answer.status_code == 409}
    assert len(phones(place.stores, place.ada)) <= MAX_PHONES


@pytest.mark.parametrize("how", ["itself", "sign-out", "password", "idle", "year", "shut out"])
def test_a_phone_ends_in_each_way(place: Place, how: str) -> None:
    phone = place.phone()
    if how == "itself":
        phone.sign_out_device()
    elif how == "sign-out":
        phone.sign_out()
    elif how == "password":
        place.stores.access.set_password(place.ada.id, place.ada.password_hash or "")
    elif how == "idle":
        place.clock.now_ns += PHONE_IDLE_NS - DAY
        assert phone.me()
        place.clock.now_ns += PHONE_IDLE_NS
    elif how == "year":
        for _ in range(PHONE_LIFETIME_NS // PHONE_IDLE_NS + 1):
            assert phone.me()
            place.clock.now_ns += PHONE_IDLE_NS - DAY
        place.clock.now_ns += 30 * DAY
    else:
        place.stores.access.set_active(place.ada.id, False)
    with pytest.raises(SignedOutError) as caught:
        phone.me()
    assert caught.value.kind == "device-revoked"
    assert phones(place.stores, place.ada) == []


def test_after_an_erasure_the_phone_is_told_so(place: Place) -> None:
    phone = place.phone()
    erase_people(place.stores, [place.ada])
    with pytest.raises(ApiError) as caught:
        phone.me()
    assert (caught.value.status, caught.value.kind) == (410, "account-erased")
    with pytest.raises(ApiError) as upload:
        phone.streams()
    assert (upload.value.status, upload.value.kind) == (410, "account-erased")
    assert place.stores.access.storage_key(place.ada.id, 0) is None


def test_a_restore_brings_the_key_back_and_an_erasure_takes_it(tmp_path: Path) -> None:
    """The key is in the backup, as what a phone holds is worth nothing without it; and not for
    somebody who was erased since.
    """
    settings = Settings(data_dir=tmp_path / "data")
    stores = open_stores(settings)
    ada, eve = add_account(stores, ADA), add_account(stores, "eve@example.org")
    stores.close()
    files = [settings.beats_file, settings.records_file]
    # From before the first sign-in on a phone: the key was made with the account.
    backup = create_backup(files, tmp_path / "backup", "now").folder
    stores = open_stores(settings)
    keys = [stores.access.storage_key(person.id, 1) for person in (ada, eve)]
    assert keys[0] != keys[1]
    erase_people(stores, [eve])
    stores.close()
    restore(backup, files, "old", replace=True)
    stores = open_stores(settings)
    carry_out_erasures(stores)
    assert stores.access.storage_key(ada.id, 2) == keys[0]
    assert stores.access.storage_key(eve.id, 2) is None
    stores.close()
