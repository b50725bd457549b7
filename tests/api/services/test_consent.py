"""Consent with its dates, and data past their retention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from typer.testing import CliRunner

from api.services.erasure import expired_people
from cli.main import app
from ebbtide import timestamps
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, to_datetime
from store import Stores
from store.models import Consent, Purpose, Rating

SignedIn = Callable[..., httpx.Client]


def answer(client: httpx.Client, purpose: str, given: bool, **more: str) -> httpx.Response:
    body = {"purpose": purpose, "given": given, "wording": f"{purpose}, 1", **more}
    return client.post("/v1/consents", json=body)


def test_the_newest_answer_counts_and_all_are_stored(signed_in: SignedIn) -> None:
    client = signed_in(agrees=False)
    assert client.get("/v1/consents").json() == {
        "holds": {"keeping": False, "care": False, "research": False},
        "keeping": "unanswered",
        "withdrawal_hours": 24.0,
        "withdrawal": None,
        "answers": [],
    }
    assert answer(client, "research", True).status_code == 201
    assert answer(client, "care", True, until="2040-01-01T00:00:00+01:00").status_code == 201
    assert answer(client, "research", False).status_code == 201
    found = client.get("/v1/consents").json()
    assert found["holds"] == {"keeping": False, "care": True, "research": False}
    assert [(a["purpose"], a["given"]) for a in found["answers"]] == [
        ("research", True),
        ("care", True),
        ("research", False),
    ]
    assert found["answers"][1]["until"] == "2040-01-01T00:00:00+01:00"


def test_consent_ends_at_its_date(signed_in: SignedIn, stores: Stores) -> None:
    client = signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    past = timestamps.now_ns() - DAY
    stores.records.add_consent(Consent(person.id, Purpose.CARE, True, "w", past - DAY, past))
    assert client.get("/v1/consents").json()["holds"]["care"] is False


@pytest.mark.parametrize(
    ("given", "until", "words"),
    [
        (True, "2020-01-01T00:00:00Z", "over already"),
        (False, "2040-01-01T00:00:00Z", "only what is given"),
        (True, "2040-01-01T00:00:00", "zone"),
    ],
)
def test_an_invalid_consent_is_refused(
    signed_in: SignedIn, given: bool, until: str, words: str
) -> None:
    refused = answer(signed_in(), "care", given, until=until)
    assert refused.status_code == 422
    assert words in refused.json()["detail"]


def test_expired_people(stores: Stores, patient: Callable[..., str]) -> None:
    people = {}
    for name in ("back", "ended", "silent", "rates", "agrees"):
        patient(f"{name}@example.org", agrees=False)
        person = stores.records.person_by_email(f"{name}@example.org")
        assert person is not None
        people[name] = person
    now = timestamps.now_ns()
    yes = Consent("", Purpose.KEEPING, True, "w", now - 9 * DAY)
    for name, answers in {
        "back": [yes, replace(yes, given=False, at_ns=now - 1)],
        "ended": [replace(yes, until_ns=now - DAY)],
        "agrees": [replace(yes, until_ns=now + 99 * DAY, at_ns=now + 35 * DAY)],
    }.items():
        for one in answers:
            stores.records.add_consent(replace(one, person_id=people[name].id))
    later = replace(stores, now=lambda: now + 40 * DAY)
    rated = Rating("r", 1, people["rates"].id, now, now + 30 * DAY, "UTC", 1, 1, None, False)
    stores.records.add_rating(rated)
    assert {item.person.email: item.reason for item in expired_people(later, None)} == {
        "back@example.org": "consent to keeping was taken back",
        "ended@example.org": "the time they agreed to is over",
    }
    assert {item.person.email.split("@")[0] for item in expired_people(later, 30)} == {
        "back",
        "ended",
        "silent",
    }


def test_the_command_lists_first_and_erases_with_the_option(
    settings: Settings,
    stores: Stores,
    patient: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patient()
    patient("eve@example.org")
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    stores.records.add_consent(Consent(person.id, Purpose.KEEPING, False, "w", timestamps.now_ns()))
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(settings.data_dir))
    runner = CliRunner()
    listed = runner.invoke(app, ["retention"])
    today = f"{to_datetime(timestamps.now_ns()):%Y-%m-%d}"
    assert f"ada@example.org: consent to keeping was taken back (since {today})" in listed.output
    assert "Nothing was done" in listed.output
    assert len(stores.records.people()) == 2
    done = runner.invoke(app, ["retention", "--apply"])
    assert "1 person was erased" in done.output
    assert [p.email for p in stores.records.people()] == ["eve@example.org"]
    assert "may be kept" in runner.invoke(app, ["retention"]).output
