"""No route stores data of a person who does not agree to that: each route that writes is either
tried here, or exempt for a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.http import deps
from api.services.access_tokens import Caller, find_caller
from api.services.consent import KeepingState
from api.services.reminders.plans import change_plan
from api.services.withdrawal import carry_out_withdrawals, store_answer
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, MINUTE, to_datetime
from store import Stores, open_stores
from store.models import Consent, Programme, Purpose
from store.models.withdrawals import OF_ACCOUNT
from store.sql.tables.records import Base
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.push_service import PlayedBrowser
from tests.support.uploads import START, batch, stream_body

PATIENT = "/v1/patients/{patient}"
# Routes that change something and store no data of a person.
EXEMPT = {
    "post /v1/sign-in": "an account's own: signing in",
    "post /v1/sign-out": "an account's own: signing out",
    "put /v1/me/password": "an account's own: the password",
    "post /v1/me/erase": "removes everything",
    "post /v1/password-reset": "an account's own: the password",
    "post /v1/password-reset/mail": "an account's own: the password",
    "post /v1/first-run": "an account's own: its beginning, before any data",
    "post /v1/first-run/check": "reads whether the secret is valid",
    "post /v1/sign-in/link": "an account's own: signing in",
    "post /v1/sign-in/phone": "an account's own: signing in",
    "post /v1/operation/jobs/{job_id}/retry": "runs a job again, which reads consent itself",
    "post /v1/computer/check": "reads the computer",
    "post /v1/computer/report": "reads the computer",
    "put /v1/computer/home": "the computer's own: its network",
    "post /v1/computer/phone": "an account's own: signing in",
    "post /v1/computer/end": "ends the program",
    "post /v1/sign-in/passkey/options": "an account's own: signing in",
    "post /v1/sign-in/passkey": "an account's own: signing in",
    "post /v1/me/passkeys/options": "an account's own: with what it signs in",
    "post /v1/me/passkeys": "an account's own: with what it signs in",
    "delete /v1/me/passkeys/{passkey_id}": "removes a passkey",
    "delete /v1/stress/baseline/{day}": "removes a day",
    "delete /v1/nights": "removes nights of a source",
    "post /v1/me/app": "an account's own: with what it signs in",
    "put /v1/me/app": "an account's own: with what it signs in",
    "delete /v1/me/app": "removes codes of an app",
    "post /v1/me/recovery-codes": "an account's own: with what it signs in",
    "post /v1/me/verify": "an account's own: the password once more",
    "post /v1/second-factor-reset": "removes second factors",
    "post /v1/accounts/{person_id}/erase": "removes everything",
    "post /v1/accounts/{person_id}/second-factor-link": "an administrator's: accounts",
    "post /v1/oidc/exchange": "an account's own: signing in",
    "post /v1/tokens": "an account's own: tokens of devices and programs",
    "delete /v1/tokens": "removes tokens",
    "delete /v1/tokens/{token_id}": "removes a token",
    "post /v1/device-codes": "an account's own: signing a phone in",
    "post /v1/devices/sign-in": "an account's own: signing a phone in",
    "delete /v1/devices/current": "an account's own: signing a phone out",
    "delete /v1/devices/{device_id}": "an account's own: signing a phone out",
    "post /v1/recorder/scan": "listens for straps, and stores nothing",
    "post /v1/recorder/straps": "this computer's list of straps: beats wait there for consent",
    "patch /v1/recorder/straps/{address}": "this computer's list of straps",
    "delete /v1/recorder/straps/{address}": "this computer's list of straps",
    "post /v1/recorder/straps/{address}/off-said": "in memory: what the page has said",
    "post /v1/consents": "the answer itself",
    "put /v1/therapists/{therapist_id}": "an answer: in whose care one is",
    "delete /v1/therapists/{therapist_id}": "ends care",
    "put /v1/live/sharing": "an answer: whether a therapist may watch, which needs care too",
    "post /v1/invitations": "an administrator's: accounts",
    "post /v1/invitations/accept": "an account's own: its beginning, before any data",
    "put /v1/accounts/{person_id}": "an administrator's: accounts",
    "post /v1/accounts/{person_id}/password-link": "an administrator's: accounts",
    "put /v1/accounts/{therapist_id}/care/{patient_id}": "proposes a therapist",
    "delete /v1/accounts/{therapist_id}/care/{patient_id}": "ends care",
    f"post {PATIENT}/password-link": "an account's own: the password",
    "delete /v1/fhir/exports/{export_id}": "an analyst's own: an export",
    "delete /v1/ratings/{rating_id}": "takes back what is there; the same values, withdrawn",
    "delete /v1/questionnaires/responses/{response_id}": "takes back what is there",
    "delete /v1/notes/{note_id}": "removes a note",
    "delete /v1/streams/{stream_id}": "removes a recording",
    "delete /v1/reminders/calendar": "ends the address of a calendar",
    "delete /v1/push/subscriptions/{subscription_id}": "ends notifications in a browser",
    "delete /v1/offers": "ends offers by lot",
    "post /v1/offers/not-now": "keeps offers away",
    "put /v1/offers/points/{point_id}": "what became of an offer that was made with consent",
    "put /v1/prompts/{prompt_id}": "what became of a prompt that was sent with consent",
    "post /v1/stress/new-values/seen": "notes on a row that is there that its words were read",
    "put /v1/messages/{message_id}/seen": "notes on a row that is there that it was read",
    f"delete {PATIENT}/messages/{{message_id}}": "removes a message",
    "post /v1/prompt-answers": "without a token: tests/api/routes/patient_data/test_reminders.py",
    "post /v1/prompt-receipts": "what became of a prompt that was sent with consent",
}


@dataclass
class Eve:
    """A patient in Tom's care, with data from before, and what is sent of her."""

    clinic: Clinic
    rating_id: str
    response_id: str

    def requests(self) -> dict[str, tuple[str, str, Any]]:
        """(who sends, path, body) of each route that stores data of a person."""
        now = self.clinic.stores.now()
        patient = f"/v1/patients/{self.clinic.id('eve')}"
        stream = f"/v1/streams/{new_id()}"
        practice = {
            "kind": "somatic tracking",
            "start": to_datetime(now - 9 * MINUTE).isoformat(),
            "end": to_datetime(now - 2 * MINUTE).isoformat(),
        }
        night = {
            "day": to_datetime(now - DAY).date().isoformat(),
            "source": "Oura",
            "start": to_datetime(now - DAY - 8 * HOUR).isoformat(),
            "end": to_datetime(now - DAY).isoformat(),
            "basis": "five-minute values",
            "rmssd_ms": 41.5,
        }
        point = {
            "header": {"schema_id": {"namespace": "omh", "name": "heart-rate"}},
            "body": {
                "heart_rate": {"value": 61, "unit": "beats/min"},
                "effective_time_frame": {"date_time": to_datetime(now - 2 * DAY).isoformat()},
            },
        }
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "effectiveDateTime": to_datetime(now - DAY).isoformat(),
            "valueQuantity": {
                "value": 62,
                "unit": "beats/minute",
                "system": "http://unitsofmeasure.org",
                "code": "/min",
            },
        }
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": observation}],
        }
        held = {"held": to_datetime(now).isoformat()}
        beats = {**batch(1, 5), "stream": stream_body()}
        spans = {"spans": [{"start_ns": START, "mad_mg": 5.0}]}
        return {
            "put /v1/streams/{stream_id}": ("device", stream, stream_body()),
            "post /v1/streams/{stream_id}/notifications": (
                *("device", f"/v1/streams/{new_id()}/notifications", beats),
            ),
            "post /v1/streams/{stream_id}/activity": (
                *("device", f"/v1/streams/{self.stream_id}/activity", spans),
            ),
            "post /v1/ratings": ("eve", "/v1/ratings", {"pain": 4, "stress": 6}),
            "put /v1/ratings/{rating_id}": (
                *("eve", f"/v1/ratings/{self.rating_id}"),
                {"pain": 1, "stress": 1, "version": 1},
            ),
            "post /v1/notes": ("eve", "/v1/notes", {"kind": "fear", "words": "canary"}),
            "put /v1/practices/{practice_id}": ("eve", f"/v1/practices/{new_id()}", practice),
            "put /v1/nights": ("eve", "/v1/nights", {"nights": [night]}),
            "put /v1/stress/baseline/{day}": (
                *("eve", "/v1/stress/baseline/2026-01-01"),
                {"reason": "illness"},
            ),
            "post /v1/questionnaires/responses": (
                *("eve", "/v1/questionnaires/responses"),
                {"questionnaire": "gad7", "answers": {"1": 1}},
            ),
            "put /v1/questionnaires/responses/{response_id}": (
                *("eve", f"/v1/questionnaires/responses/{self.response_id}"),
                {"answers": {"1": 2}, "version": 1},
            ),
            "post /v1/questionnaires/csv": (
                *("eve", "/v1/questionnaires/csv"),
                {"form": "redcap", "csv": "pgic_timestamp,pgic_1\n2026-01-02 08:00,2\n"},
            ),
            "post /v1/prompts/csv": (
                *("eve", "/v1/prompts/csv"),
                {"form": "redcap", "csv": "rating_timestamp,pain,stress\n2026-01-02 08:00,3,5\n"},
            ),
            "put /v1/programme": ("eve", "/v1/programme", {"ratings_a_day": 3}),
            "put /v1/programme/readings/{reading}": (
                *("eve", "/v1/programme/readings/setbacks", None),
            ),
            "put /v1/sessions/{number}": ("eve", "/v1/sessions/7", held),
            f"put {PATIENT}/sessions/{{number}}": ("tom", f"{patient}/sessions/8", held),
            f"put {PATIENT}/sessions/{{number}}/notes": (
                *("tom", f"{patient}/sessions/8/notes", {"notes": "canary"}),
            ),
            f"post {PATIENT}/messages": ("tom", f"{patient}/messages", {"words": "canary"}),
            "put /v1/reminders": ("eve", "/v1/reminders", {"random_a_day": 3}),
            "put /v1/reminders/zone": ("eve", "/v1/reminders/zone", {"zone": "Europe/Oslo"}),
            "post /v1/reminders/pause": ("eve", "/v1/reminders/pause", {"days": 2}),
            "post /v1/reminders/calendar": ("eve", "/v1/reminders/calendar", None),
            "put /v1/push/subscription": ("eve", "/v1/push/subscription", self.subscription),
            "post /v1/offers": ("eve", "/v1/offers", {"wording": "offers-1"}),
            f"put {PATIENT}/offers/proposal": ("tom", f"{patient}/offers/proposal", {}),
            f"put {PATIENT}/reminders/burst": ("tom", f"{patient}/reminders/burst", {"days": 1}),
            "post /v1/fhir": ("eve", "/v1/fhir", bundle),
            "post /v1/open-mhealth/heart-rate": ("eve", "/v1/open-mhealth/heart-rate", [point]),
        }

    subscription = PlayedBrowser("https://fcm.googleapis.com/eve").subscription

    @property
    def stream_id(self) -> str:
        """A stream of hers, as long as there is one; else one that is not."""
        person = self.clinic.people["eve"]
        covered = self.clinic.stores.beats.coverage(person.subject_id)
        return covered[0].stream.id if covered else new_id()

    def send(self, request: str, what: tuple[str, str, Any]) -> httpx.Response:
        """Send one of the requests."""
        who, path, body = what
        return self.clinic[who].request(request.partition(" ")[0], path, json=body)

    def data(self) -> object:
        """All that is stored of her, and not of her account."""
        stores, person = self.clinic.stores, self.clinic.people["eve"]
        tables = [
            mapper.class_
            for mapper in Base.registry.mappers
            if hasattr(mapper.class_, "person_id") and mapper.class_.__tablename__ not in OF_ACCOUNT
        ]
        with stores.engine.connect() as db:
            rows = {
                table.__tablename__: sorted(
                    map(str, db.execute(select(table).where(table.person_id == person.id)))
                )
                for table in tables
            }
        now = stores.records.person(person.id)
        assert now is not None
        subjects = {person.subject_id, now.subject_id}
        rows["beats"] = [
            *(str(item) for one in subjects for item in stores.beats.coverage(one)),
            *(str(item) for one in subjects for item in stores.beats.activity(one, 0, 2**62)),
        ]
        return {name: found for name, found in rows.items() if found}


@pytest.fixture
def eve(tmp_path: Path) -> Iterator[Eve]:
    stores = open_stores(Settings(data_dir=tmp_path))
    with opened_clinic(stores) as clinic:
        fill(stores, clinic.people["eve"], days=1)
        change_plan(stores, clinic.people["eve"], lambda plan: plan, enabled=False)
        assert clinic.app is not None
        clinic.app.state.reminders._run_due = lambda: None  # it would change plans meanwhile
        change_plan(stores, clinic.people["eve"], lambda plan: plan, enabled=True)
        stores.programme.put_programme(Programme(clinic.id("eve"), stores.now(), stores.now()))
        clinic.agree("eve", Purpose.CARE)
        answer = httpx.post(
            f"{clinic.url}/v1/sign-in",
            json={
                "email": "eve@example.org",
                "password": "correct horse battery",
                "device": "a recorder",
            },
            timeout=60,
        )
        clinic.clients["device"] = clinic.client(answer.json()["token"])
        ratings = stores.records.ratings(clinic.id("eve"), 0, 2**62)
        answers = clinic["eve"].post(
            "/v1/questionnaires/responses", json={"questionnaire": "gad7", "answers": {"1": 3}}
        )
        yield Eve(clinic, ratings[0].id, answers.json()["id"])


def answer_keeping(eve: Eve, state: KeepingState) -> None:
    """Make it hers. Not through the API, which would have it carried out."""
    stores, person_id = eve.clinic.stores, eve.clinic.id("eve")
    now = stores.now()
    if state is KeepingState.UNANSWERED:
        with stores.engine.begin() as db:
            db.exec_driver_sql("DELETE FROM consents WHERE purpose = 'keeping'")
    else:
        until = now - 1 if state is KeepingState.OVER else None
        given = state is not KeepingState.WITHDRAWN
        stores.records.add_consent(Consent(person_id, Purpose.KEEPING, given, "1", now, until))


def test_every_route_that_writes_is_tried_or_exempt_for_a_reason(eve: Eve) -> None:
    document = httpx.get(f"{eve.clinic.url}/openapi.json", timeout=60).json()
    writing = {
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("post", "put", "patch", "delete")
    }
    tried = set(eve.requests())
    assert not tried & EXEMPT.keys()
    assert writing == tried | EXEMPT.keys()


def test_with_consent_each_of_them_stores_something(eve: Eve) -> None:
    """Or the tests below could not fail."""
    for request, what in eve.requests().items():
        before = eve.data()
        answer = eve.send(request, what)
        assert answer.is_success, (request, answer.text)
        assert eve.data() != before, request


@pytest.mark.parametrize(
    "state", [KeepingState.UNANSWERED, KeepingState.WITHDRAWN, KeepingState.OVER]
)
def test_without_consent_none_of_them_stores_anything(eve: Eve, state: KeepingState) -> None:
    before = eve.data()
    answer_keeping(eve, state)
    words = {
        KeepingState.UNANSWERED: "before you agree",
        KeepingState.WITHDRAWN: "taken back",
        KeepingState.OVER: "is over",
    }[state]
    for request, what in eve.requests().items():
        answer = eve.send(request, what)
        assert answer.status_code == 403, (request, answer.text)
        if "/fhir" in request:
            assert "consents" in answer.text.lower(), answer.text
        elif what[0] == "tom":
            assert_problem(answer, 403, "agree")
        else:
            assert_problem(answer, 403, words, "/v1/consents")
            assert answer.json()["type"] == "urn:ebbtide:problem:consent"
        assert eve.data() == before, request
    # Data from before anybody was asked can be read on.
    if state is not KeepingState.UNANSWERED:
        return
    assert eve.clinic["eve"].get("/v1/ratings").json()["ratings"], "reading goes on"
    assert eve.clinic["tom"].get(f"/v1/patients/{eve.clinic.id('eve')}/ratings").is_success


def test_what_was_checked_before_a_withdrawal_and_stored_after_it_leaves_nothing(
    eve: Eve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request passed the check, and then consent was taken back and its data were erased."""
    stores, person = eve.clinic.stores, eve.clinic.people["eve"]
    requests = eve.requests()
    taken_back = Consent(person.id, Purpose.KEEPING, False, "1", stores.now())
    store_answer(stores, taken_back, 0)
    assert len(carry_out_withdrawals(stores, None)) == 1
    assert eve.data() == {}

    def find_earlier(stores: Stores, token: str) -> Caller | None:
        found = find_caller(stores, token)
        if found is None or found.person.id != person.id:
            return found
        return replace(found, person=person)  # with the subject of before

    checks = 0

    def agreed_at_first(answers: list[Consent], at_ns: int) -> KeepingState:
        nonlocal checks
        checks += 1
        return KeepingState.AGREED if checks == 1 else KeepingState.WITHDRAWN

    monkeypatch.setattr(deps, "find_caller", find_earlier)
    monkeypatch.setattr(deps, "keeping_state", agreed_at_first)
    monkeypatch.setattr(deps, "is_consented_to_care", lambda answers, at_ns: True)
    for request, what in requests.items():
        checks = 0
        answer = eve.send(request, what)
        assert checks >= 1, request
        assert answer.status_code in (403, 404), (request, answer.text)
        assert eve.data() == {}, request
    # A recorder deletes what it holds from before.
    checks = 0
    refused = eve.send("post", requests["post /v1/streams/{stream_id}/notifications"])
    assert int(refused.headers["Ebbtide-Withdrawn-Ns"]) == taken_back.at_ns


def test_beats_under_way_at_a_withdrawal_are_not_acknowledged(
    eve: Eve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are stored when the consent of before was read, and erased with the rest."""
    stores, person = eve.clinic.stores, eve.clinic.people["eve"]
    append = type(stores.beats).append

    def withdraw_then_append(self: Any, *arguments: Any) -> int:
        taken_back = Consent(person.id, Purpose.KEEPING, False, "1", stores.now())
        store_answer(stores, taken_back, 24)
        return append(self, *arguments)

    monkeypatch.setattr(type(stores.beats), "append", withdraw_then_append)
    route = "post /v1/streams/{stream_id}/notifications"
    answer = eve.send(route, eve.requests()[route])
    assert_problem(answer, 403, "taken back")
    later = replace(stores, now=lambda: stores.now() + 2 * DAY)
    assert len(carry_out_withdrawals(later, None)) == 1
    assert eve.data() == {}
