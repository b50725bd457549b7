"""Who may do what, over HTTP."""

from __future__ import annotations

from dataclasses import replace

import httpx

from api.app import create_app
from api.services import access_tokens, lockout
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models.records import Purpose, Role
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.clock import Clock
from tests.support.cohort_clinic import agree_together


def sign_in(url: str, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return httpx.post(
        f"{url}/v1/sign-in", json={"email": email, "password": password, **more}, timeout=60
    )


def test_a_session_ends_when_it_is_not_used_and_in_any_case_after_a_week(stores: Stores) -> None:
    clock = Clock(stores)
    moved = replace(stores, now=clock)
    with opened_clinic(moved) as clinic:
        me = lambda: clinic["ada"].get("/v1/me").status_code  # noqa: E731
        for _ in range(13):
            clock.now_ns += 11 * HOUR
            assert me() == 200
        clock.now_ns += 12 * HOUR
        assert me() == 401
        answer = sign_in(clinic.url, "ada@example.org")
        client = clinic.client(answer.json()["token"])
        for _ in range(15):
            clock.now_ns += 11 * HOUR
            assert client.get("/v1/me").status_code == 200
        clock.now_ns += 11 * HOUR  # 176 hours
        assert client.get("/v1/me").status_code == 401
        client.close()


def test_a_device_uploads_for_a_year_and_does_nothing_else(stores: Stores) -> None:
    clock = Clock(stores)
    with opened_clinic(replace(stores, now=clock)) as clinic:
        stream = fill(stores, clinic.people["ada"], days=1)
        answer = sign_in(clinic.url, "ada@example.org", device="laptop")
        with clinic.client(answer.json()["token"]) as device:
            clock.now_ns += 364 * DAY
            assert device.get("/v1/me").status_code == 200
            assert device.get("/v1/streams").status_code == 200
            body = {
                "origin": "strap",
                "source": stream.source,
                "created_ns": stream.created_ns,
            }
            assert device.put(f"/v1/streams/{stream.id}", json=body).status_code == 204
            for path in ("ratings", "link", "consents", "tokens", "export/beats", "gaps"):
                assert_problem(device.get(f"/v1/{path}"), 403, "scope")
            refused = device.post("/v1/ratings", json={"pain": 1, "stress": 1})
            assert_problem(refused, 403, "write")
            assert refused.json()["type"] == "urn:ebbtide:problem:scope"
            clock.now_ns += 2 * DAY
            assert device.get("/v1/me").status_code == 401
        refused = sign_in(clinic.url, "tom@example.org", device="laptop")
        assert_problem(refused, 422, "body.device")


def test_guessing_is_slowed_whether_the_address_exists_or_not(stores: Stores) -> None:
    clock = Clock(stores)
    with opened_clinic(replace(stores, now=clock)) as clinic:
        for email in ("ada@example.org", "nobody@example.org"):
            for _ in range(lockout.MAX_FAILURES):
                assert_problem(sign_in(clinic.url, email, "wrong"), 401, "not right")
            refused = sign_in(clinic.url, email.upper(), PASSWORD)
            assert_problem(refused, 429, "Try again in 30 s")
            assert refused.json()["type"] == "urn:ebbtide:problem:locked"
            assert int(refused.headers["retry-after"]) == 30
            for wait_s in (60, 120, 240, 480, 900, 900):
                clock.now_ns += int(refused.headers["retry-after"]) * SECOND
                assert_problem(sign_in(clinic.url, email, "wrong"), 401, "not right")
                refused = sign_in(clinic.url, email, PASSWORD)
                assert int(refused.headers["retry-after"]) == wait_s
        assert clinic["ada"].get("/v1/me").status_code == 200  # who is signed in stays so
        clock.now_ns += 15 * MINUTE
        assert sign_in(clinic.url, "ada@example.org").status_code == 200
        # A right password: the wrong ones before it are forgotten.
        for _ in range(lockout.MAX_FAILURES):
            assert sign_in(clinic.url, "ada@example.org", "wrong").status_code == 401


def test_scripts_have_scopes_and_an_end_and_can_be_revoked(clinic: Clinic) -> None:
    ada = clinic["ada"]
    body = {"name": "nightly", "scopes": ["read"], "days": 1}
    made = ada.post("/v1/tokens", json=body)
    assert made.status_code == 201
    with clinic.client(made.json()["token"]) as script:
        assert script.get("/v1/ratings").status_code == 200
        assert_problem(script.post("/v1/ratings", json={"pain": 1, "stress": 1}), 403, "write")
        assert_problem(script.get("/v1/tokens"), 403, "account")
        assert_problem(script.post("/v1/tokens", json=body), 403, "account")
        listed = ada.get("/v1/tokens").json()
        assert [
            (token["kind"], token["name"], token["scopes"], token["this"]) for token in listed
        ] == [
            ("session", "", ["account", "read", "upload", "write"], True),
            ("script", "nightly", ["read"], False),
        ]
        assert "token" not in listed[1]
        assert_problem(clinic["eve"].delete(f"/v1/tokens/{listed[1]['id']}"), 404)
        assert ada.delete(f"/v1/tokens/{listed[1]['id']}").status_code == 204
        assert script.get("/v1/ratings").status_code == 401
    refused = ada.post("/v1/tokens", json={**body, "scopes": ["account"]})
    assert_problem(refused, 422, "body.scopes")


def test_a_changed_password_ends_everything_else_that_is_signed_in(clinic: Clinic) -> None:
    ada = clinic["ada"]
    with clinic.client(sign_in(clinic.url, "ada@example.org").json()["token"]) as other:
        change = {"old": "not this one", "new": "two ducks on a slow river"}
        assert_problem(ada.put("/v1/me/password", json=change), 422, "body.old")
        weak_password = {"old": PASSWORD, "new": "password1234"}
        assert_problem(ada.put("/v1/me/password", json=weak_password), 422, "body.new", "guessed")
        own = {"old": PASSWORD, "new": "ada@example.org"}
        assert_problem(ada.put("/v1/me/password", json=own), 422, "body.new")
        assert ada.put("/v1/me/password", json={**change, "old": PASSWORD}).status_code == 204
        assert ada.get("/v1/me").status_code == 200
        assert other.get("/v1/me").status_code == 401
    assert sign_in(clinic.url, "ada@example.org").status_code == 401
    assert sign_in(clinic.url, "ada@example.org", change["new"]).status_code == 200


def test_people_are_invited_once_each(clinic: Clinic) -> None:
    body = {
        "email": "New@Example.org",
        "name": "New",
        "zone": "Europe/Berlin",
        "role": "therapist",
    }
    assert_problem(clinic["ada"].post("/v1/invitations", json=body), 403)
    assert_problem(clinic["tom"].post("/v1/invitations", json=body), 403, "invite patients")
    for change in ({"zone": "Mars/Base"}, {"email": "nobody"}):
        (field,) = change
        refused = clinic["adam"].post("/v1/invitations", json={**body, **change})
        assert_problem(refused, 422, f"body.{field}")
    taken = clinic["adam"].post("/v1/invitations", json={**body, "email": "ada@example.org"})
    assert_problem(taken, 409)
    token = clinic["adam"].post("/v1/invitations", json=body).json()["token"]
    accept = f"{clinic.url}/v1/invitations/accept"
    assert_problem(httpx.post(accept, json={"token": token, "password": "short"}), 422, "password")
    done = httpx.post(accept, json={"token": token, "password": PASSWORD}, timeout=60)
    assert (done.status_code, done.json()["role"]) == (201, "therapist")
    assert_problem(httpx.post(accept, json={"token": token, "password": PASSWORD}), 404, "used")
    assert sign_in(clinic.url, "new@example.org").status_code == 200


def test_whom_a_therapist_invites_is_in_their_care(clinic: Clinic) -> None:
    body = {"email": "pat@example.org", "name": "Pat", "zone": "Europe/Berlin"}
    token = clinic["tess"].post("/v1/invitations", json=body).json()["token"]
    httpx.post(
        f"{clinic.url}/v1/invitations/accept",
        json={"token": token, "password": PASSWORD},
        timeout=60,
    ).raise_for_status()
    (pat,) = clinic["tess"].get("/v1/patients").json()
    assert (pat["name"], pat["agreed"], pat["zone"]) == ("Pat", False, None)
    assert_problem(clinic["tess"].get(f"/v1/patients/{pat['id']}/ratings"), 403, "not agreed")
    # A therapist does not learn whether an address has an account.
    again = clinic["tom"].post("/v1/invitations", json={**body, "email": "ada@example.org"})
    assert again.status_code == 201
    refused = httpx.post(
        f"{clinic.url}/v1/invitations/accept",
        json={"token": again.json()["token"], "password": PASSWORD},
        timeout=60,
    )
    assert_problem(refused, 409)


def test_a_new_password_by_an_administrators_link(stores: Stores) -> None:
    clock = Clock(stores)
    with opened_clinic(replace(stores, now=clock)) as clinic:
        path = f"/v1/accounts/{clinic.id('ada')}/password-link"
        for name in ("ada", "tom", "ann"):
            assert_problem(clinic[name].post(path), 403, "administrators")
        token = clinic["adam"].post(path).json()["token"]
        reset = f"{clinic.url}/v1/password-reset"
        new = "two ducks on a slow river"
        weak_password = httpx.post(reset, json={"token": token, "new": "aaaaaaaaaaaa"}, timeout=60)
        assert_problem(weak_password, 422, "body.new")
        answer = httpx.post(reset, json={"token": token, "new": new}, timeout=60)
        assert answer.status_code == 204
        assert_problem(httpx.post(reset, json={"token": token, "new": new}, timeout=60), 404)
        assert clinic["ada"].get("/v1/me").status_code == 401
        assert sign_in(clinic.url, "ada@example.org", new).status_code == 200
        late = clinic["adam"].post(path).json()["token"]
        clock.now_ns += DAY + SECOND
        assert_problem(httpx.post(reset, json={"token": late, "new": new}, timeout=60), 404)


def test_an_administrator_runs_the_place_and_sees_no_health_data(clinic: Clinic) -> None:
    adam = clinic["adam"]
    listed = {account["name"]: account for account in adam.get("/v1/accounts").json()}
    assert listed["The name of ada"]["therapists"] == [clinic.id("tom")]
    assert adam.put(f"/v1/accounts/{clinic.id('tess')}/care/{clinic.id('ada')}").status_code == 204
    assert clinic["tess"].get("/v1/patients").json() == []  # before the patient agrees
    (asked,) = clinic["ada"].get("/v1/care-proposals").json()
    assert (asked["name"], asked["by"]) == ("The name of tess", "The name of adam")
    agree = f"/v1/therapists/{clinic.id('tess')}"
    assert_problem(clinic["eve"].put(agree), 404, "not asked")
    assert clinic["ada"].put(agree).status_code == 204
    assert_problem(clinic["ada"].put(agree), 404, "not asked")
    assert adam.delete(f"/v1/accounts/{clinic.id('tom')}/care/{clinic.id('ada')}").is_success
    assert [p["id"] for p in clinic["tess"].get("/v1/patients").json()] == [clinic.id("ada")]
    assert [p["id"] for p in clinic["tom"].get("/v1/patients").json()] == [clinic.id("eve")]
    wrong = adam.put(f"/v1/accounts/{clinic.id('ada')}/care/{clinic.id('eve')}")
    assert_problem(wrong, 404, "therapist")
    shut = adam.put(f"/v1/accounts/{clinic.id('eve')}", json={"active": False})
    assert shut.json()["active"] is False
    assert clinic["eve"].get("/v1/me").status_code == 401
    assert sign_in(clinic.url, "eve@example.org").status_code == 401
    assert adam.put(f"/v1/accounts/{clinic.id('eve')}", json={"active": True}).is_success
    assert sign_in(clinic.url, "eve@example.org").status_code == 200
    own = adam.put(f"/v1/accounts/{clinic.id('adam')}", json={"active": False})
    assert_problem(own, 422, "yourself")


def test_a_therapist_sees_who_is_in_their_care_and_has_agreed(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"])
    path = f"/v1/patients/{clinic.id('ada')}"
    assert_problem(clinic["tom"].get(f"{path}/ratings"), 403, "not agreed")
    clinic.agree("ada", Purpose.CARE)
    seen = clinic["tom"].get(f"{path}/ratings").json()["ratings"]
    assert seen == clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert len(seen) == 6
    assert clinic["tom"].get(f"{path}/streams").json()["beats"] > 10_000
    moved = clinic["tom"].put(
        f"{path}/sessions/2", json={"held": "2026-11-20T10:00:00Z", "version": 0}
    )
    assert moved.json()["version"] == 1
    again = clinic["tom"].put(
        f"{path}/sessions/2", json={"held": "2026-11-20T11:00:00Z", "version": 0}
    )
    assert_problem(again, 409, "version 1")
    assert_problem(clinic["tess"].get(f"{path}/ratings"), 404, "in your care")
    assert_problem(clinic["eve"].get(f"{path}/ratings"), 403)
    # What the patient takes back holds at once; leaving care, too.
    clinic.agree("ada", Purpose.CARE, given=False)
    assert_problem(clinic["tom"].get(f"{path}/ratings"), 403, "taken it back")
    clinic.agree("ada", Purpose.CARE)
    assert clinic["ada"].get("/v1/therapists").json() == [
        {"id": clinic.id("tom"), "name": "The name of tom"}
    ]
    assert clinic["ada"].delete(f"/v1/therapists/{clinic.id('tom')}").status_code == 204
    assert_problem(clinic["tom"].get(f"{path}/ratings"), 404)
    assert_problem(clinic["ada"].delete(f"/v1/therapists/{clinic.id('tom')}"), 404)


def test_a_patient_sees_the_access_log(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    clinic.agree("ada", Purpose.CARE)
    agree_together(clinic, "ada")
    clinic["tom"].get(f"/v1/patients/{clinic.id('ada')}/link").raise_for_status()
    clinic["ann"].get("/v1/research/ratings").raise_for_status()
    clinic["tess"].get(f"/v1/patients/{clinic.id('ada')}/link")  # saw nothing
    clinic["ada"].get("/v1/link")  # access to one's own data is not logged
    entries = clinic["ada"].get("/v1/me/looks").json()["looks"]
    assert [(entry["who"], entry["role"], entry["what"]) for entry in entries] == [
        ("The name of ann", "analyst", "GET /v1/research/{table} (ratings)"),
        ("The name of tom", "therapist", "GET /v1/patients/{patient}/link"),
    ]
    assert clinic["eve"].get("/v1/me/looks").json()["looks"] == []
    first = clinic["ada"].get("/v1/me/looks", params={"limit": 1}).json()
    rest = clinic["ada"].get("/v1/me/looks", params={"before": first["next"]}).json()
    assert [*first["looks"], *rest["looks"]] == entries


def test_too_many_requests_get_retry_after(stores: Stores, settings: Settings) -> None:
    few = settings.model_copy(update={"requests_a_minute": 10, "anonymous_requests_a_minute": 10})
    with ApiThread(create_app(stores, few)) as api:
        answers = [httpx.get(f"{api.url}/v1/me") for _ in range(12)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
        assert_problem(answers[-1], 429, "10 requests in a minute")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert answers[-1].headers["x-content-type-options"] == "nosniff"
        assert httpx.get(f"{api.url}/v1/ready").status_code == 200
        # A made-up token or address counts as none; a valid token counts by its account.
        for other in (
            {"Authorization": "Bearer something"},
            {"Authorization": "Basic something"},
            {"X-Forwarded-For": "198.51.100.7"},
            {"Forwarded": "for=198.51.100.7"},
        ):
            assert httpx.get(f"{api.url}/v1/me", headers=other).status_code == 429
        person = add_account(stores, "ada@example.org")
        answers = []
        for _ in range(4):
            valid = {"Authorization": f"Bearer {access_tokens.issue_token(stores, person)[0]}"}
            answers += [httpx.get(f"{api.url}/v1/me", headers=valid) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2


def test_every_role_is_distinct() -> None:
    assert {str(role) for role in Role} == {"patient", "therapist", "analyst", "administrator"}
    assert access_tokens.SESSION_IDLE_NS < access_tokens.SESSION_LIFETIME_NS
