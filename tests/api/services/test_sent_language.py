"""What is sent to a person is in the language of the browser that they use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analytics.programme.prompt_plan import PromptReason
from api.services.mail import Mailer
from api.services.password_links import (
    mail_changed_password,
    mail_forgotten_password,
    send_password_link,
    send_second_factor_link,
)
from api.services.reminders.calendar import calendar_of
from api.services.reminders.mailing import MailWay
from api.services.reminders.ways import Message
from ebbtide.beats import new_id
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import Person, Prompt
from tests.support.clinic import Clinic
from tests.support.mail_server import PASSWORD, USER, MailServer, running_mail_server

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with running_mail_server(tmp_path) as server:
        yield server


@pytest.fixture
def mailer(mail: MailServer) -> Mailer:
    return Mailer(
        *("127.0.0.1", mail.port, "starttls", "ebbtide@clinic.example"),
        *("https://ebbtide.clinic.example", USER, PASSWORD, mail.certificate),
    )


def _person(stores: Stores, clinic: Clinic, name: str = "ada") -> Person:
    found = stores.records.person(clinic.id(name))
    assert found is not None
    return found


def test_a_browser_says_the_language_and_a_script_does_not(stores: Stores, clinic: Clinic) -> None:
    ada = clinic["ada"]
    ada.get("/v1/me")
    assert _person(stores, clinic).language == ""  # httpx sends no Accept-Language
    ada.get("/v1/me", headers=GERMAN)
    assert _person(stores, clinic).language == "de"
    # Another browser within the minute does not write again; later it does.
    ada.get("/v1/me", headers={"Accept-Language": "en-GB"})
    assert _person(stores, clinic).language == "de"
    token = replace(stores.access.tokens(clinic.id("ada"))[0])
    stores.access.mark_token_used(token.token_hash, stores.now() - 2 * MINUTE)
    ada.get("/v1/me", headers={"Accept-Language": "en-GB"})
    assert _person(stores, clinic).language == "en"
    made = ada.post("/v1/tokens", json={"name": "a script", "scopes": ["read"], "days": 1})
    script = clinic.client(made.json()["token"])
    script.get("/v1/me", headers=GERMAN)
    stores.access.mark_token_used(token.token_hash, stores.now())
    assert _person(stores, clinic).language == "en"


def test_mails_of_the_account_are_written_in_it(
    stores: Stores, clinic: Clinic, mailer: Mailer, mail: MailServer
) -> None:
    stores.access.set_language(clinic.id("ada"), "de")
    ada, eve, tom = (_person(stores, clinic, name) for name in ("ada", "eve", "tom"))
    for person in (ada, eve):
        send_password_link(stores, mailer, person, tom)
        send_second_factor_link(stores, mailer, person, tom)
        mail_forgotten_password(stores, mailer, person.email)
        mail_changed_password(mailer, person)
    german, english = mail.received[:4], mail.received[4:]
    assert [str(message["Subject"]) for message in german] == [
        *("Ein neues Passwort", "Ein verlorener Passkey oder eine verlorene App"),
        *("Ein neues Passwort", "Ihr Passwort wurde geändert"),
    ]
    for message in german:
        words = message.get_content()
        assert words.startswith("Guten Tag The name of ada,")
        assert " your " not in words and " you " not in words
    assert all(m.get_content().startswith("Hello The name of eve,") for m in english)
    for one, other in zip(german, english, strict=True):  # a link each, or none in both
        links = [m.get_content().count("https://ebbtide.clinic.example/?") for m in (one, other)]
        assert links[0] == links[1]


@pytest.mark.parametrize("shows_words", [False, True])
@pytest.mark.parametrize("language", ["de", "en", ""])
def test_prompts_are_written_in_it(
    stores: Stores,
    clinic: Clinic,
    mailer: Mailer,
    mail: MailServer,
    language: str,
    shows_words: bool,
) -> None:
    stores.access.set_language(clinic.id("ada"), language)
    plan = {"random_a_day": 3, "enabled": True, "shows_words": shows_words}
    assert clinic["ada"].put("/v1/reminders", json=plan).status_code == 200
    stored = stores.prompts.plan(clinic.id("ada"))
    assert stored is not None
    now = stores.now()
    prompt = Prompt(
        *(new_id(), clinic.id("ada"), "2026-11-28/1", PromptReason.RANDOM, now, "UTC", 0.1, 1),
        *(now, now + 45 * MINUTE),
    )
    message = Message(_person(stores, clinic), stored, prompt, "x" * 32)
    german = language == "de"
    text = {
        (False, False): "A moment for yourself?",
        (False, True): "How are pain and stress just now?",
        (True, False): "Ein Moment für Sie?",
        (True, True): "Wie sind Schmerz und Stress gerade?",
    }[german, shows_words]
    assert (message.title, message.text) == ("Ebbtide", text)
    assert MailWay(mailer).send(message)
    (received,) = mail.received
    assert received["Subject"] == text
    assert ("Der Link nimmt eine Antwort an, bis" in received.get_content()) == german
    assert ("The link takes one answer, until" in received.get_content()) != german
    assert f"SUMMARY:{text}" in calendar_of(stores, stored).decode()
