"""What is revoked ends everything that came from it, at once, in every worker."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.services import passwords
from api.services.access_tokens import issue_token
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, SECOND
from store import Stores, open_stores
from store.models import Consent, Person, Purpose, Role
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.clock import Clock

NEW = "two ducks on a slow river"


@dataclass
class Workers:
    """Two workers of one clinic. ``ask`` sends with somebody's session to one of them."""

    stores: Stores
    urls: tuple[str, str]
    people: dict[str, Person]
    tokens: dict[str, str]

    def ask(
        self, who: str, worker: int, method: str, path: str, body: Any = None
    ) -> httpx.Response:
        return httpx.request(
            method,
            f"{self.urls[worker]}/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.tokens[who]}"} if who else {},
            timeout=60,
        )

    def sign_in(self, who: str) -> None:
        self.tokens[who], _ = issue_token(self.stores, self.people[who])


@pytest.fixture
def workers(settings: Settings) -> Iterator[Workers]:
    opened = [open_stores(settings) for _ in range(2)]
    many = settings.model_copy(
        update={"requests_a_minute": 10**6, "anonymous_requests_a_minute": 10**6}
    )
    with (
        ApiThread(create_app(opened[0], many)) as first,
        ApiThread(create_app(opened[1], many)) as second,
    ):
        found = Workers(opened[0], (first.url, second.url), {}, {})
        for name, role in (
            ("ada", Role.PATIENT),
            ("tom", Role.THERAPIST),
            ("adam", Role.ADMINISTRATOR),
            ("alma", Role.ADMINISTRATOR),
        ):
            found.people[name] = add_account(
                found.stores, f"{name}@example.org", name=name, role=role
            )
            found.sign_in(name)
        yield found


@pytest.mark.parametrize("how", ["shut out", "another role"])
@pytest.mark.parametrize("inviter", ["tom", "alma"])
def test_invitations_end_with_whoever_made_them(workers: Workers, how: str, inviter: str) -> None:
    """They worked for a week after."""
    body = {"email": "new@example.org", "name": "New", "zone": "UTC"}
    tokens = [
        workers.ask(inviter, worker, "POST", "/invitations", body).json()["token"]
        for worker in (0, 1)
    ]
    change = {"active": False} if how == "shut out" else {"active": True, "role": "analyst"}
    path = f"/accounts/{workers.people[inviter].id}"
    assert workers.ask("adam", 0, "PUT", path, change).status_code == 200
    for worker, token in enumerate(tokens):
        accepted = workers.ask(
            "", worker, "POST", "/invitations/accept", {"token": token, "password": PASSWORD}
        )
        assert_problem(accepted, 404, "used already")
    # Let in again: what ended stays ended.
    workers.ask("adam", 1, "PUT", path, {"active": True})
    body = {"token": tokens[0], "password": PASSWORD}
    assert_problem(workers.ask("", 0, "POST", "/invitations/accept", body), 404)


def test_one_link_is_good_and_none_after_a_new_password(workers: Workers) -> None:
    """Several were good at once, and after the password had been changed."""
    path = f"/accounts/{workers.people['ada'].id}/password-link"
    links = [workers.ask("adam", worker, "POST", path).json()["token"] for worker in (0, 1, 0, 1)]
    reset = lambda worker, token: workers.ask(  # noqa: E731
        "", worker, "POST", "/password-reset", {"token": token, "new": NEW}
    )
    for token in links[:3]:
        assert_problem(reset(1, token), 404, "used already")
    change = {"old": PASSWORD, "new": NEW}
    assert workers.ask("ada", 0, "PUT", "/me/password", change).status_code == 204
    assert_problem(reset(1, links[3]), 404, "used already")
    # By somebody who was shut out since.
    last = workers.ask("alma", 0, "POST", path).json()["token"]
    other = f"/accounts/{workers.people['alma'].id}"
    workers.ask("adam", 0, "PUT", other, {"active": False})
    assert_problem(reset(1, last), 404, "used already")
    # An invitation is no link for a password, nor the other way round.
    body = {"email": "new@example.org", "name": "New", "zone": "UTC"}
    invitation = workers.ask("adam", 0, "POST", "/invitations", body).json()["token"]
    assert_problem(reset(0, invitation), 404)
    link = workers.ask("adam", 0, "POST", path).json()["token"]
    accept = {"token": link, "password": NEW}
    assert_problem(workers.ask("", 0, "POST", "/invitations/accept", accept), 404)
    assert reset(1, link).status_code == 204


def test_a_code_is_used_by_one_of_many_at_once(workers: Workers) -> None:
    path = f"/accounts/{workers.people['ada'].id}/password-link"
    token = workers.ask("adam", 0, "POST", path).json()["token"]
    codes: list[int] = []

    def reset(worker: int) -> None:
        body = {"token": token, "new": NEW}
        codes.append(workers.ask("", worker, "POST", "/password-reset", body).status_code)

    threads = [threading.Thread(target=reset, args=(number % 2,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [204] + [404] * 7


def test_whose_password_is_changed_while_the_old_one_is_verified_is_not_signed_in(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = passwords.verify_password
    changed = threading.Event()

    def verify_slowly(password: str, password_hash: str | None) -> bool:
        is_right = verify(password, password_hash)
        if not changed.is_set():
            changed.set()
            workers.stores.access.set_password(
                workers.people["ada"].id, passwords.hash_password(NEW)
            )
        return is_right

    monkeypatch.setattr(passwords, "verify_password", verify_slowly)
    body = {"email": "ada@example.org", "password": PASSWORD}
    assert workers.ask("", 0, "POST", "/sign-in", body).status_code == 401
    assert workers.stores.access.tokens(workers.people["ada"].id) == []


@pytest.mark.parametrize("how", ["shut out", "another role", "role in the database", "care ended"])
def test_a_live_stream_ends_at_once_in_another_worker(workers: Workers, how: str) -> None:
    """Of somebody who was no therapist any more it went on to its end."""
    stores, ada, tom = workers.stores, workers.people["ada"], workers.people["tom"]
    stores.access.put_care(tom.id, ada.id, stores.now())
    stores.records.add_consent(Consent(ada.id, Purpose.CARE, True, "1", stores.now()))
    workers.ask("ada", 0, "PUT", "/live/sharing", {"minutes": 60})
    path = f"/patients/{ada.id}/live?seconds=60"
    with watching(workers, "tom", path) as events:
        assert next(events)[0] == "heart"
        if how == "role in the database":
            with stores.engine.begin() as db:
                db.exec_driver_sql(f"UPDATE people SET role = 'analyst' WHERE id = '{tom.id}'")
        elif how == "care ended":
            workers.ask("ada", 0, "DELETE", f"/therapists/{tom.id}")
        else:
            change = {"active": how != "shut out", "role": "analyst"}
            workers.ask("adam", 0, "PUT", f"/accounts/{tom.id}", change)
        begin = time.monotonic()
        kinds = [kind for kind, _ in events]
        assert kinds[-1] == "ended"
        assert time.monotonic() - begin < 6
        assert len(kinds) <= 3
    assert workers.ask("tom", 1, "GET", f"/patients/{ada.id}/ratings").status_code in (
        401,
        403,
        404,
    )


def test_a_token_that_is_revoked_in_one_worker_is_refused_in_the_other(workers: Workers) -> None:
    made = workers.ask(
        "ada", 0, "POST", "/tokens", {"name": "s", "scopes": ["read"], "days": 1}
    ).json()
    workers.tokens["script"] = made["token"]
    assert workers.ask("script", 1, "GET", "/me").status_code == 200
    workers.ask("ada", 0, "DELETE", f"/tokens/{made['id']}")
    assert workers.ask("script", 1, "GET", "/me").status_code == 401
    assert workers.ask("ada", 1, "GET", "/me").status_code == 200
    workers.ask("ada", 0, "PUT", "/me/password", {"old": PASSWORD, "new": NEW})
    workers.ask("adam", 0, "PUT", f"/accounts/{workers.people['ada'].id}", {"active": False})
    assert workers.ask("ada", 1, "GET", "/me").status_code == 401


def test_links_and_codes_are_short(stores: Stores) -> None:
    clock = Clock(stores)
    with opened_clinic(replace(stores, now=clock)) as clinic:
        path = f"/v1/accounts/{clinic.id('ada')}/password-link"
        for wait_ns, status in ((8 * HOUR - SECOND, 204), (8 * HOUR, 404)):
            token = clinic["adam"].post(path).json()["token"]
            clock.now_ns += wait_ns
            clinic.clients["adam"] = clinic.client(issue_token(stores, clinic.people["adam"])[0])
            body = {"token": token, "new": NEW}
            done = httpx.post(f"{clinic.url}/v1/password-reset", json=body, timeout=60)
            assert done.status_code == status
        clock.now_ns += DAY


def test_the_clinics_own_stream_goes_on(clinic: Clinic) -> None:
    with httpx.stream(
        "GET",
        f"{clinic.url}/v1/live?seconds=3",
        headers=dict(clinic["ada"].headers),
        timeout=30,
    ) as answer:
        kinds = [kind for kind, _ in parse(answer)]
    assert kinds == ["heart"] * 3 + ["ended"]


@contextmanager
def watching(workers: Workers, who: str, path: str) -> Iterator[Iterator[tuple[str, Any]]]:
    headers = {"Authorization": f"Bearer {workers.tokens[who]}"}
    address = f"{workers.urls[1]}/v1{path}"
    with httpx.stream("GET", address, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        yield parse(answer)


def parse(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    kind = ""
    for line in answer.iter_lines():
        if line.startswith("event:"):
            kind = line.partition(":")[2].strip()
        elif line.startswith("data:"):
            yield kind, json.loads(line.partition(":")[2])
