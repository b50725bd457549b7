"""Passkeys, with a software authenticator: what is accepted, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.services.passkeys import CHALLENGE_NS, MAX_PASSKEYS, find_rp_id, known_origins
from cli.server.thread import ApiThread
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE
from store import Stores, open_stores
from store.models import Passkey, Person, Role
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import assert_problem
from tests.support.authenticator import Authenticator, encode
from tests.support.clock import Clock

ADA, EVE = "ada@example.org", "eve@example.org"
HERE = "http://localhost:8421"
NOT_ACCEPTED = "was not accepted"


class Visitor:
    """Somebody at a page, signed in with their password."""

    def __init__(self, url: str, email: str) -> None:
        self.url = url
        self.authenticator = Authenticator(HERE, credential_id=f"key of {email}".encode())
        self.http = httpx.Client(base_url=f"{url}/v1", timeout=60)
        body = {"email": email, "password": PASSWORD}
        self.authorize(self.http.post("/sign-in", json=body).json()["token"])

    def authorize(self, token: str) -> None:
        self.http.headers["Authorization"] = f"Bearer {token}"

    def options(self, path: str, origin: str = HERE) -> dict[str, Any]:
        answer = self.http.post(f"{path}/options", json={"origin": origin})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["public_key"])

    def add(self, name: str = "My laptop", **changes: Any) -> httpx.Response:
        created = self.authenticator.create(self.options("/me/passkeys"), **changes)
        return self.http.post("/me/passkeys", json={"name": name, "credential": created})

    def sign_in(self, **changes: Any) -> httpx.Response:
        return self.send(self.authenticator.get(self.options("/sign-in/passkey"), **changes))

    def send(self, credential: dict[str, Any], **more: Any) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v1/sign-in/passkey", json={"credential": credential, **more}, timeout=60
        )

    def names(self) -> list[str]:
        return [item["name"] for item in self.http.get("/me/passkeys").json()]

    def log(self) -> list[str]:
        return [entry["what"] for entry in self.http.get("/me/looks").json()["looks"]]


@pytest.fixture
def clock(stores: Stores) -> Clock:
    return Clock(stores)


@pytest.fixture
def api(stores: Stores, settings: Settings, clock: Clock) -> Iterator[ApiThread]:
    with ApiThread(create_app(replace(stores, now=clock), settings)) as running:
        yield running


@pytest.fixture
def ada(stores: Stores, api: ApiThread) -> Iterator[Visitor]:
    add_account(stores, ADA)
    made = Visitor(api.url, ADA)
    yield made
    made.http.close()


def test_a_passkey_is_added_signs_in_alone_and_is_removed(ada: Visitor) -> None:
    options = ada.options("/me/passkeys")
    assert options["rp"]["id"] == "localhost"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert ada.add(" My laptop ").status_code == 201
    (passkey,) = ada.http.get("/me/passkeys").json()
    assert (passkey["name"], passkey["rp_id"]) == ("My laptop", "localhost")
    excluded = ada.options("/me/passkeys")["excludeCredentials"]
    assert [item["id"] for item in excluded] == [encode(ada.authenticator.credential_id)]
    answer = ada.sign_in()
    assert answer.status_code == 200, answer.text
    ada.authorize(answer.json()["token"])
    assert ada.http.get("/me").json()["email"] == ADA
    assert ada.http.delete(f"/me/passkeys/{passkey['id']}").status_code == 204
    assert_problem(ada.http.delete(f"/me/passkeys/{passkey['id']}"), 404, "no such passkey")
    assert ada.names() == []
    assert_problem(ada.sign_in(), 401, NOT_ACCEPTED)
    assert ada.log() == ["removed a passkey", "added a passkey"]


def test_the_computer_says_how_long_it_lasts(ada: Visitor) -> None:
    ada.add()
    signed = [
        ada.send(ada.authenticator.get(ada.options("/sign-in/passkey")), computer=computer)
        for computer in ("own", "shared")
    ]
    own, shared = (answer.json()["expires"] for answer in signed)
    assert own > shared


ELSEWHERE: tuple[dict[str, str], ...] = (
    {"origin": "http://localhost:9999"},
    {"origin": "https://localhost:8421"},
    {"origin": "http://evil.example"},
    {"rp_id": "evil.example"},
)


def test_a_passkey_made_elsewhere_is_not_added(ada: Visitor) -> None:
    for changes in (*ELSEWHERE, {"type": "webauthn.get"}):
        assert_problem(ada.add(**changes), 422, NOT_ACCEPTED)
    assert ada.names() == []


def test_what_was_signed_elsewhere_signs_nobody_in(ada: Visitor) -> None:
    ada.add()
    for changes in (*ELSEWHERE, {"type": "webauthn.create"}):
        assert_problem(ada.sign_in(**changes), 401, NOT_ACCEPTED)
    assert ada.sign_in().status_code == 200


def test_without_finger_face_or_pin_it_is_not_enough(ada: Visitor) -> None:
    ada.authenticator.is_verified = False
    assert_problem(ada.add(), 422, NOT_ACCEPTED)
    ada.authenticator.is_verified = True
    ada.add()
    ada.authenticator.is_verified = False
    assert_problem(ada.sign_in(), 401, NOT_ACCEPTED)


def test_a_challenge_is_good_once(ada: Visitor) -> None:
    options = ada.options("/me/passkeys")
    body = {"name": "n", "credential": ada.authenticator.create(options)}
    assert ada.http.post("/me/passkeys", json=body).status_code == 201
    assert_problem(ada.http.post("/me/passkeys", json=body), 422, "used already")
    signed = ada.authenticator.get(ada.options("/sign-in/passkey"))
    assert ada.send(signed).status_code == 200
    assert_problem(ada.send(signed), 401, "used already")


def test_a_challenge_ends_after_a_refusal_and_after_five_minutes(
    ada: Visitor, stores: Stores, clock: Clock
) -> None:
    ada.add()
    options = ada.options("/sign-in/passkey")
    assert_problem(ada.send(ada.authenticator.get(options, origin="http://x")), 401, NOT_ACCEPTED)
    assert_problem(ada.send(ada.authenticator.get(options)), 401, "used already")
    signed = ada.authenticator.get(ada.options("/sign-in/passkey"))
    clock.now_ns += CHALLENGE_NS
    assert_problem(ada.send(signed), 401, "took too long")


def test_a_challenge_of_another_purpose_or_of_ones_own_making_is_none(ada: Visitor) -> None:
    use, add = ada.options("/sign-in/passkey"), ada.options("/me/passkeys")
    made = ada.authenticator.create({**add, "challenge": use["challenge"]})
    body = {"name": "n", "credential": made}
    assert_problem(ada.http.post("/me/passkeys", json=body), 422, "used already")
    assert ada.add().status_code == 201
    signed = ada.authenticator.get({**use, "challenge": ada.options("/me/passkeys")["challenge"]})
    assert_problem(ada.send(signed), 401, "used already")
    signed = ada.authenticator.get({**use, "challenge": encode(bytes(32))})
    assert_problem(ada.send(signed), 401, "used already")


def test_the_challenge_and_the_passkey_of_another_person_are_not_taken(
    ada: Visitor, stores: Stores
) -> None:
    add_account(stores, EVE)
    eve = Visitor(ada.url, EVE)
    hers = eve.authenticator.create(ada.options("/me/passkeys"))
    answer = eve.http.post("/me/passkeys", json={"name": "n", "credential": hers})
    assert_problem(answer, 422, NOT_ACCEPTED)
    ada.add()
    eve.add()
    (passkey,) = ada.http.get("/me/passkeys").json()
    assert_problem(eve.http.delete(f"/me/passkeys/{passkey['id']}"), 404, "no such passkey")
    # Eve's signature under the name of Ada's passkey, and with Ada as the user.
    forged = eve.authenticator.get(ada.options("/sign-in/passkey"))
    name = encode(ada.authenticator.credential_id)
    assert_problem(ada.send({**forged, "id": name, "rawId": name}), 401, NOT_ACCEPTED)
    eve.authenticator.user_handle = ada.authenticator.user_handle
    assert_problem(eve.sign_in(), 401, NOT_ACCEPTED)
    # A credential that is stored already is not stored again, by whoever.
    eve.authenticator.credential_id = ada.authenticator.credential_id
    assert_problem(eve.add(), 422, "here already")
    eve.http.close()


def test_a_counter_that_goes_back_is_refused_and_logged(ada: Visitor) -> None:
    ada.authenticator.count = 5
    ada.add()
    assert ada.sign_in().status_code == 200  # 6
    for count in (6, 5, 0):
        ada.authenticator.count = count
        assert_problem(ada.sign_in(), 401, NOT_ACCEPTED)
    assert ada.log().count("a passkey was refused: its counter went back") == 3
    ada.authenticator.count = 7
    assert ada.sign_in().status_code == 200


def test_a_passkey_that_several_devices_share_does_not_count(ada: Visitor) -> None:
    ada.authenticator.count = 0
    ada.add()
    for _ in range(2):
        ada.authenticator.count = 0
        assert ada.sign_in().status_code == 200


def test_two_workers_share_challenges_and_counters(settings: Settings) -> None:
    opened = [open_stores(settings) for _ in range(2)]
    add_account(opened[0], ADA)
    apps = [ApiThread(create_app(each, settings)) for each in opened]
    with apps[0] as first, apps[1] as second:
        here, there = Visitor(first.url, ADA), Visitor(second.url, ADA)
        there.authenticator = here.authenticator
        made = here.authenticator.create(here.options("/me/passkeys"))
        body = {"name": "n", "credential": made}
        assert there.http.post("/me/passkeys", json=body).status_code == 201
        assert_problem(here.http.post("/me/passkeys", json=body), 422, "used already")
        here.authenticator.count = 9
        signed = here.authenticator.get(here.options("/sign-in/passkey"))
        assert there.send(signed).status_code == 200
        assert_problem(here.send(signed), 401, "used already")
        here.authenticator.count = 9  # a copy of it, in the other worker
        assert_problem(here.sign_in(), 401, NOT_ACCEPTED)
        for one in (here, there):
            one.http.close()


def test_to_add_or_remove_one_signs_in_afresh(ada: Visitor, clock: Clock) -> None:
    ada.add()
    (passkey,) = ada.http.get("/me/passkeys").json()
    clock.now_ns += 16 * MINUTE
    path = f"/me/passkeys/{passkey['id']}"
    assert_problem(ada.http.delete(path), 403, "password once more")
    body = {"origin": HERE}
    assert_problem(ada.http.post("/me/passkeys/options", json=body), 403, "password once more")
    wrong = ada.http.post("/me/verify", json={"password": "wrong"})
    assert_problem(wrong, 422, "not your password")
    assert_problem(ada.http.delete(path), 403, "password once more")
    assert ada.http.post("/me/verify", json={"password": PASSWORD}).status_code == 204
    assert ada.http.delete(path).status_code == 204


def test_pages_elsewhere_get_no_challenge(ada: Visitor) -> None:
    origins = {
        "http://127.0.0.1:8421": "a name in the address",
        "http://[::1]:8421": "a name in the address",
        "http://localhost:9999": "EBBTIDE_DASHBOARD_URL",
        "https://evil.example": "EBBTIDE_DASHBOARD_URL",
        "http://[": "EBBTIDE_DASHBOARD_URL",
        "": "EBBTIDE_DASHBOARD_URL",
    }
    for path in ("/sign-in/passkey/options", "/me/passkeys/options"):
        for origin, words in origins.items():
            assert_problem(ada.http.post(path, json={"origin": origin}), 422, words)


def test_where_people_find_the_pages() -> None:
    assert known_origins("http://127.0.0.1:8421") == {HERE, "http://127.0.0.1:8421"}
    assert known_origins("https://pages.example.org:443/") == {"https://pages.example.org"}
    assert find_rp_id("https://a.example", "https://a.example") == "a.example"
    with pytest.raises(Exception, match="EBBTIDE_DASHBOARD_URL"):
        find_rp_id(HERE, "https://a.example")


def test_who_is_shut_out_is_not_let_in(ada: Visitor, stores: Stores) -> None:
    ada.add()
    person = stores.records.person_by_email(ADA)
    assert person is not None
    stores.access.set_active(person.id, False)
    assert_problem(ada.sign_in(), 401, "may not sign in")


def test_where_the_provider_is_the_only_way_passkeys_are_none(
    stores: Stores, settings: Settings
) -> None:
    person = add_account(stores, "tom@example.org", role=Role.THERAPIST)
    more = {"passwords": "patients", "oidc_issuer": "https://provider.example"}
    with ApiThread(create_app(stores, settings.model_copy(update=more))) as api:
        add_account(stores, ADA)
        tom = Visitor(api.url, ADA)
        stored = a_passkey(stores, person, tom.authenticator)
        tom.authenticator.user_handle = person.id.encode()
        assert_problem(tom.sign_in(), 403, "clinic's sign-in")
        assert stored.sign_count == 0
        tom.http.close()


def a_passkey(stores: Stores, person: Person, authenticator: Authenticator) -> Passkey:
    """A passkey of this person, that the authenticator has."""
    import cbor2

    numbers = authenticator.key.public_key().public_numbers()
    key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
    made = Passkey(
        *(new_id(), person.id, encode(authenticator.credential_id), encode(cbor2.dumps(key))),
        *(0, "n", "localhost", stores.now(), stores.now()),
    )
    assert stores.access.add_passkey(made, MAX_PASSKEYS)
    return made


def test_what_is_cut_or_made_up_is_not_accepted(ada: Visitor) -> None:
    ada.add()
    for part in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        for change in ("", "AAAA", None):
            signed = ada.authenticator.get(ada.options("/sign-in/passkey"))
            whole = signed["response"][part]
            signed["response"][part] = whole[:-4] if change is None else change
            assert ada.send(signed).status_code == 401, (part, change)


def test_erasing_an_account_leaves_no_passkey(
    ada: Visitor, stores: Stores, settings: Settings
) -> None:
    ada.add("canary-of-a-passkey")
    assert b"canary-of-a-passkey" in everything(settings)
    assert ada.http.post("/me/erase", json={"password": PASSWORD}).status_code == 200
    assert b"canary-of-a-passkey" not in everything(settings)
    assert encode(ada.authenticator.credential_id).encode() not in everything(settings)


def everything(settings: Settings) -> bytes:
    return b"".join(path.read_bytes() for path in _files(settings.data_dir))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("records.sqlite*") if path.is_file()]
