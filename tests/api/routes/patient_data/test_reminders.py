"""Reminders over HTTP: plan, ways, answers with and without a password, and attacks on each."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from icalendar import Calendar

from analytics.programme.prompt_plan import DayHours, PromptPlan, draw_day
from api.services.mail import Mailer
from api.services.reminders.calendar import calendar_of
from api.services.reminders.mailing import MailWay
from api.services.reminders.plans import change_plan
from api.services.reminders.push import PushServices, PushWay, load_key
from api.services.reminders.scheduler import run_due
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores, open_stores
from store.models import Prompt, PromptState, Purpose, SkipReason
from tests.support.accounts import add_account
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.clock import Clock
from tests.support.mail_server import PASSWORD, USER, MailServer, running_mail_server
from tests.support.ports import free_port
from tests.support.push_service import PlayedBrowser, PushServer, running_push_server

ALL_DAY = [{"start_min": 420, "end_min": 1320}] * 7


@dataclass
class Place:
    clinic: Clinic
    stores: Stores
    push: PushServer
    clock: Clock

    def soon(self, name: str = "ada", **ways: Any) -> dict[str, Any]:
        """A plan whose next prompt is due within the minute."""
        local = to_datetime(self.clock(), "Europe/Berlin") + timedelta(minutes=1)
        body = {"hours": ALL_DAY, "random_a_day": 0, "fixed_min": [local.hour * 60 + local.minute]}
        answer = self.clinic[name].put("/v1/reminders", json={**body, **ways, "enabled": True})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def send(self, *ways: Any) -> Prompt:
        """Have what is due sent, and return it."""
        self.clock.now_ns += 2 * MINUTE
        run_due(self.stores, list(ways))
        (sent,) = [
            prompt
            for prompt in self.stores.prompts.prompts(self.clinic.id("ada"), 0, 2**62)
            if prompt.attempts
        ]
        return sent


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with running_push_server() as push:
        monkeypatch.setenv("EBBTIDE_PUSH_SERVICES", push.origin)
        opened = open_stores(Settings(data_dir=tmp_path))
        clock = Clock(opened)
        # A noon that is near, so that tokens hold; the task of the API has nothing to do then.
        clock.now_ns = clock.now_ns // DAY * DAY + 11 * HOUR
        stores = replace(opened, now=clock)
        with opened_clinic(stores) as clinic:
            assert clinic.app is not None
            clinic.app.state.reminders.ways.clear()
            monkeypatch.setattr(type(clinic.app.state.reminders), "_run_due", lambda _: None)
            yield Place(clinic, stores, push, clock)


def push_way(place: Place) -> PushWay:
    services = PushServices((place.push.origin,))
    return PushWay(place.stores, services, "mailto:it@clinic.example")


def subscribe(place: Place, path: str = "/one") -> PlayedBrowser:
    browser = PlayedBrowser(place.push.origin + path)
    answer = place.clinic["ada"].put("/v1/push/subscription", json=browser.subscription)
    assert answer.status_code == 200, answer.text
    return browser


def test_a_push_is_encrypted_for_the_browser_and_answered_in_the_app(place: Place) -> None:
    ada = place.clinic["ada"]
    place.soon()
    browser = subscribe(place)
    place.stores.access.set_language(place.clinic.id("ada"), "de")
    prompt = place.send(push_way(place))
    assert (prompt.state, prompt.ways) == (PromptState.SENT, "push")
    (posted,) = place.push.posted
    assert posted.headers["Content-Encoding"] == "aes128gcm"
    assert 0 < int(posted.headers["Ttl"]) <= 45 * 60
    assert posted.headers["Topic"] == prompt.id.replace("-", "")
    assert posted.headers["Authorization"].startswith("vapid t=")
    key = ada.get("/v1/reminders").json()["push_key"]
    assert f"k={key}" in posted.headers["Authorization"]
    for word in ("ada", "pain", prompt.id):
        assert word.encode() not in posted.body.lower()
    text = browser.decrypt(posted.body)
    assert text["id"] == prompt.id
    said = (text["title"], text["text"], text["later"], text["letGo"])
    assert said == ("Ebbtide", "Ein Moment für Sie?", "Später", "Diesmal nicht")
    answer = httpx.post(
        f"{place.clinic.url}/v1/prompt-receipts", json={"receipt": text["receipt"]}, timeout=60
    )
    assert answer.json()["is_open"] and answer.json()["can_put_off"]
    assert ada.get("/v1/prompts/waiting").json()["prompt"]["id"] == prompt.id
    rated = ada.post("/v1/ratings", json={"pain": 4, "stress": 5, "prompt_id": prompt.id})
    assert rated.json()["prompt_id"] == prompt.id
    again = ada.post("/v1/ratings", json={"pain": 4, "stress": 5, "prompt_id": prompt.id})
    assert (again.status_code, again.json()["prompt_id"]) == (201, None)
    (listed,) = [p for p in ada.get("/v1/prompts").json() if p["sent"]]
    assert listed["answered"] and listed["delivered"]
    total = ada.get("/v1/reminders").json()["compliance"]["total"]
    assert (total["sent"], total["answered"], total["share"]) == (1, 1, None)


def test_a_push_that_is_gone_ends_its_subscription(place: Place) -> None:
    place.soon()
    subscribe(place)
    place.push.status = 410
    prompt = place.send(push_way(place))
    assert prompt.state is PromptState.PLANNED  # none worked: it is tried again
    assert place.clinic["ada"].get("/v1/reminders").json()["browsers"] == []
    prompt = place.send(push_way(place))
    assert (prompt.state, prompt.ways) == (PromptState.SENT, "page")
    assert len(place.push.posted) == 1


def test_a_push_service_cannot_lead_elsewhere(place: Place) -> None:
    with running_push_server() as other:
        place.soon()
        subscribe(place)
        place.push.status, place.push.location = 307, f"{other.origin}/inside"
        prompt = place.send(push_way(place))
        assert prompt.state is PromptState.PLANNED
        assert other.posted == []


HOSTILE = [
    "http://127.0.0.1:8420/v1/me",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://fcm.googleapis.com@127.0.0.1/",
    "https://fcm.googleapis.com.evil.example/",
    "https://evil.example/?x=fcm.googleapis.com",
    "https://evil.example#.push.services.mozilla.com",
    "https://evil.example\\.push.services.mozilla.com/",
    "https://fcm.googleapis.com:8443/",
    "http://fcm.googleapis.com/",
    "ftp://fcm.googleapis.com/",
    "https://fcm.googleapis.com\u3002evil.example/",
    "https://push.services.mozilla.com/",
    "https://evil.example/\r\nHost: fcm.googleapis.com",
    "file:///etc/passwd",
    "https://fcm.googleapis.com:99999/",
    "",
]


@pytest.mark.parametrize("endpoint", HOSTILE)
def test_only_push_services_are_posted_to(endpoint: str) -> None:
    services = PushServices.from_settings(Settings())
    assert not services.allows(endpoint)
    assert not services.allows_now(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/gAA",
        "https://wns2-by3p.notify.windows.com/w/?token=a%2b",
        "https://web.push.apple.com/QGu",
    ],
)
def test_the_push_services_of_browsers_are_allowed(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = PushServices.from_settings(Settings())
    assert services.allows(endpoint)

    def leads_to(address: str) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    leads_to("142.250.1.1")
    assert services.allows_now(endpoint)
    for private in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"):
        leads_to(private)  # a name that was made to lead inside
        assert not services.allows_now(endpoint)


def test_a_subscription_elsewhere_or_with_other_keys_is_refused(place: Place) -> None:
    ada = place.clinic["ada"]
    good = PlayedBrowser(place.push.origin + "/one").subscription
    elsewhere = ada.put("/v1/push/subscription", json={**good, "endpoint": "https://10.0.0.1/"})
    assert_problem(elsewhere, 422, "push service")
    for keys in (
        {"p256dh": "AAAA", "auth": good["keys"]["auth"]},
        {"p256dh": good["keys"]["p256dh"], "auth": "AAAA"},
        {"p256dh": "B" * 87, "auth": good["keys"]["auth"]},
    ):
        refused = ada.put("/v1/push/subscription", json={**good, "keys": keys})
        assert_problem(refused, 422, "keys of a browser")


def test_the_key_that_signs_pushes_is_made_once_and_in_no_answer(place: Place) -> None:
    key = load_key(place.stores)
    assert load_key(place.stores) == key
    answers = [place.clinic["ada"].get("/v1/reminders").text]
    answers.append(httpx.get(f"{place.clinic.url}/openapi.json", timeout=60).text)
    assert all(key.splitlines()[1] not in answer for answer in answers)


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with running_mail_server(tmp_path) as server:
        yield server


def mail_way(mail: MailServer, port: int | None = None) -> MailWay:
    return MailWay(
        Mailer(
            *("127.0.0.1", port or mail.port, "starttls", "ebbtide@clinic.example"),
            *("https://ebbtide.clinic.example", USER, PASSWORD, mail.certificate),
        )
    )


def test_a_mail_takes_one_answer_without_a_password(place: Place, mail: MailServer) -> None:
    change_plan(place.stores, place.clinic.people["ada"], lambda plan: plan, mail=True)
    place.soon()
    prompt = place.send(mail_way(mail))
    assert prompt.ways == "mail"
    (message,) = mail.received
    content = message.get_content()
    words = f"{message['Subject']} {content}".lower()
    assert "pain" not in words and "stress" not in words and "The name of ada" not in content
    link = next(line for line in content.splitlines() if line.startswith("https://"))
    address, _, receipt = link.partition("#")
    assert address == "https://ebbtide.clinic.example/app/answer.html"
    url = place.clinic.url
    # What scanners of mail do: read the page, which uses nothing up.
    assert httpx.get(f"{url}/app/answer.html", timeout=60).status_code == 200
    body = {"receipt": receipt, "pain": 3, "stress": 2}
    answers: list[int] = []

    def post() -> None:
        answers.append(httpx.post(f"{url}/v1/prompt-answers", json=body, timeout=60).status_code)

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [204, 409, 409, 409, 409]
    assert_problem(
        httpx.post(f"{url}/v1/prompt-answers", json=body, timeout=60), 409, "used already"
    )
    unknown = {**body, "receipt": "x" * 32}
    assert_problem(httpx.post(f"{url}/v1/prompt-answers", json=unknown, timeout=60), 404)
    (rating,) = place.clinic["ada"].get("/v1/ratings").json()["ratings"][-1:]
    assert (rating["pain"], rating["prompt_id"]) == (3, prompt.id)


def test_a_mail_is_worth_nothing_after_its_time_or_without_consent(
    place: Place, mail: MailServer
) -> None:
    change_plan(place.stores, place.clinic.people["ada"], lambda plan: plan, mail=True)
    place.soon()
    place.send(mail_way(mail))
    receipt = _receipt(mail)
    body = {"receipt": receipt, "pain": 3, "stress": 2}
    url = f"{place.clinic.url}/v1/prompt-answers"
    before = place.clock.now_ns
    place.clock.now_ns += 46 * MINUTE
    assert_problem(httpx.post(url, json=body, timeout=60), 409, "its time is over")
    place.clock.now_ns = before
    place.clinic.agree("ada", Purpose.KEEPING, given=False)
    assert httpx.post(url, json=body, timeout=60).status_code == 403


def _receipt(mail: MailServer) -> str:
    content: str = mail.received[-1].get_content()
    return next(line for line in content.splitlines() if "#" in line).partition("#")[2]


def test_mail_that_cannot_be_sent_is_tried_five_times_and_then_said(
    place: Place, mail: MailServer
) -> None:
    change_plan(place.stores, place.clinic.people["ada"], lambda plan: plan, mail=True)
    place.soon()
    way = mail_way(mail, free_port())
    for attempt in range(1, 6):
        assert place.send(way).attempts == attempt
        place.clock.now_ns += 7 * MINUTE
    prompt = place.send(way)
    assert (prompt.attempts, prompt.skip_reason) == (5, str(SkipReason.FAILED))
    assert prompt.sent_ns is None
    not_sent = place.clinic["ada"].get("/v1/reminders").json()["compliance"]["not_sent"]
    assert not_sent[str(SkipReason.FAILED)] == 1


def test_mail_is_refused_where_the_service_has_no_server(place: Place) -> None:
    assert_problem(place.clinic["ada"].put("/v1/reminders", json={"mail": True}), 422, "no mail")


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


@pytest.mark.parametrize("zone", ZONES)
def test_a_calendar_has_each_prompt_of_a_year_with_an_alarm(stores: Stores, zone: str) -> None:
    person = add_account(stores, "ada@example.org", zone=zone)
    clock = Clock(stores)
    clock.now_ns = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()) * SECOND
    stores = replace(stores, now=clock)
    wished = PromptPlan((DayHours(480, 1260),) * 7, random_a_day=3, fixed_min=(540,))
    plan = change_plan(stores, person, lambda _: wished)
    found = Calendar.from_ical(calendar_of(stores, plan, days=366))
    starts = []
    walls = set()
    for event in found.events:
        start = event["DTSTART"].dt
        starts.append(start)
        local = start.astimezone(ZoneInfo(zone))
        if "fixed" in event["UID"]:
            walls.add((local.hour, local.minute))
        assert 8 <= local.hour < 21
        assert "pain" not in str(event["SUMMARY"]).lower()
        (alarm,) = event.walk("VALARM")
        assert alarm["TRIGGER"].dt == timedelta(0)
        assert alarm["ACTION"] == "DISPLAY"
    assert walls == {(9, 0)}  # the clock on the wall, through both changes
    assert len({event["UID"] for event in found.events}) == len(starts)
    drawn = [
        item.at_ns
        for offset in range(366)
        for item in draw_day(
            wished,
            to_datetime(clock(), zone).date() + timedelta(days=offset),
            zone,
            f"{plan.seed}/v{plan.version}",
        )
        if item.at_ns >= clock()
    ]
    assert sorted(int(start.timestamp()) * SECOND for start in starts) == drawn
    assert len(drawn) >= 4 * 365


def test_the_address_of_a_calendar_is_secret_and_ends(place: Place) -> None:
    ada = place.clinic["ada"]
    ada.put("/v1/reminders", json={"enabled": True})
    path = ada.post("/v1/reminders/calendar").json()["path"]
    answer = httpx.get(place.clinic.url + path, timeout=60)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert Calendar.from_ical(answer.content).events
    assert ada.get("/v1/reminders").json()["has_calendar"]
    second = ada.post("/v1/reminders/calendar").json()["path"]
    assert httpx.get(place.clinic.url + path, timeout=60).status_code == 404
    assert httpx.get(place.clinic.url + second, timeout=60).status_code == 200
    assert ada.delete("/v1/reminders/calendar").status_code == 204
    assert httpx.get(place.clinic.url + second, timeout=60).status_code == 404


def test_a_plan_is_read_by_the_therapist_and_changed_by_the_patient(place: Place) -> None:
    ada, tom = place.clinic["ada"], place.clinic["tom"]
    place.clinic.agree("ada", Purpose.CARE)
    path = f"/v1/patients/{place.clinic.id('ada')}/reminders"
    ada.put("/v1/reminders", json={"random_a_day": 3, "enabled": True})
    subscribe(place)
    seen = tom.get(path).json()
    assert (seen["random_a_day"], seen["browsers"]) == (3, [])
    proposed = tom.put(f"{path}/burst", json={"days": 1, "a_day": 5}).json()["burst"]
    assert proposed == {"days": 1, "a_day": 5, "agreed": False}
    agreed = ada.put("/v1/reminders", json={"burst_agreed": True}).json()["burst"]
    assert agreed["agreed"]
    assert tom.put("/v1/reminders", json={"random_a_day": 1}).status_code == 403
    assert ada.put(f"{path}/burst", json={"days": 1}).status_code == 403


def test_what_cannot_be_kept_is_refused_in_words(place: Place) -> None:
    ada = place.clinic["ada"]
    for body, says in (
        ({"hours": [{"start_min": 300, "end_min": 600}] * 7}, "07:00"),
        ({"fixed_min": [540, 560]}, "hour apart"),
        ({"hours": [{"start_min": 540, "end_min": 600}] * 7, "random_a_day": 5}, "do not fit"),
        ({"random_a_day": 9}, "8"),
        ({"pauses": [{"first": "2026-02-03", "last": "2026-02-01"}]}, "before it begins"),
    ):
        assert_problem(ada.put("/v1/reminders", json=body), 422, says)
    assert_problem(ada.put("/v1/reminders/zone", json={"zone": "Europe/Nowhere"}), 422, "zone")
    ada.put("/v1/reminders", json={"enabled": True})
    paused = ada.post("/v1/reminders/pause", json={"days": 1}).json()["pauses"]
    today = to_datetime(place.clock(), "Europe/Berlin").date()
    assert [date.fromisoformat(item["first"]) for item in paused] == [today]
    assert ada.post("/v1/reminders/pause", json={"days": 0}).json()["pauses"] == []


def test_a_prompt_of_another_person_cannot_be_touched(place: Place) -> None:
    place.soon()
    prompt = place.send()
    eve = place.clinic["eve"]
    path = f"/v1/prompts/{prompt.id}"
    assert eve.put(path, json={"action": "let go"}).status_code == 404
    rated = eve.post("/v1/ratings", json={"pain": 1, "stress": 1, "prompt_id": prompt.id})
    assert rated.json()["prompt_id"] is None
    ada = place.clinic["ada"]
    put_off = ada.put(path, json={"action": "put off"}).json()
    assert put_off["put_off"] and put_off["state"] == "planned"
    assert ada.put(path, json={"action": "let go"}).json()["let_go"]


def test_prompts_are_exported_once_their_time_has_come(place: Place) -> None:
    ada = place.clinic["ada"]
    place.soon()
    assert ada.get("/v1/prompts").json() == []  # nobody reads when they will be asked
    assert ada.get("/v1/export/prompts").json()["rows"] == []
    prompt = place.send()
    rated = ada.post("/v1/ratings", json={"pain": 4, "stress": 5, "prompt_id": prompt.id}).json()
    (row,) = ada.get("/v1/export/prompts").json()["rows"]
    assert (row["prompt"], row["state"], row["ways"]) == (prompt.id, "sent", "page")
    assert (row["answered"], row["answered_after_min"], row["reason"]) == (True, 0, "fixed")
    assert row["planned_ns"] == prompt.planned_ns
    ratings = ada.get("/v1/export/ratings").json()["rows"]
    assert {r["rating"]: r["prompt"] for r in ratings}[rated["id"]] == prompt.id
    assert sum(r["prompt"] is not None for r in ratings) == 1


def test_whoever_agrees_is_asked_for_pain_and_stress_apart(place: Place, mail: MailServer) -> None:
    ada = place.clinic["ada"]
    assert ada.get("/v1/reminders").json()["asks_apart"] is False
    refused = ada.put("/v1/reminders", json={"asks_apart": True, "random_a_day": 1})
    assert_problem(refused, 422, "at least two a day")
    local = to_datetime(place.clock(), "Europe/Berlin")
    begin = local.hour * 60 + local.minute + 2
    hours = [{"start_min": begin, "end_min": begin + 250}] * 7
    body = {"hours": hours, "random_a_day": 2, "fixed_min": [], "asks_apart": True}
    person = place.clinic.people["ada"]
    change_plan(place.stores, person, lambda plan: plan, mail=True, shows_words=True)
    answer = ada.put("/v1/reminders", json={**body, "enabled": True})
    assert answer.json()["asks_apart"] is True
    run_due(place.stores, [])
    first, second = place.stores.prompts.prompts(
        place.clinic.id("ada"), place.clock.now_ns, place.clock.now_ns + 6 * HOUR
    )
    assert {first.asks, second.asks} == {"pain", "stress"}
    assert HOUR <= second.planned_ns - first.planned_ns <= 3 * HOUR
    place.clock.now_ns = first.planned_ns
    run_due(place.stores, [mail_way(mail)])
    assert f"How is {first.asks} just now?" in mail.received[-1].get_content()
    waiting = ada.get("/v1/prompts/waiting").json()["prompt"]
    assert (waiting["id"], waiting["asks"]) == (first.id, first.asks)
    receipt = {"receipt": _receipt(mail)}
    opened = httpx.post(f"{place.clinic.url}/v1/prompt-receipts", json=receipt, timeout=60)
    assert opened.json()["asks"] == first.asks
    url = f"{place.clinic.url}/v1/prompt-answers"
    other = {"pain": "stress", "stress": "pain"}[first.asks]
    wrong = httpx.post(url, json={**receipt, other: 3}, timeout=60)
    assert_problem(wrong, 422, "asked for by this prompt")
    assert httpx.post(url, json={**receipt, first.asks: 3}, timeout=60).status_code == 204
    (rating,) = ada.get("/v1/ratings").json()["ratings"]
    assert (rating[first.asks], rating[other], rating["prompted"]) == (3, None, True)
