"""Withdrawals of consent to keeping: nobody uses the data from then on, and they are erased."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.services.erasure import expired_people
from api.services.nightly import run_nightly
from api.services.snapshots import Snapshots
from api.services.withdrawal import (
    LEASE_NS,
    adopt_withdrawals,
    carry_out_withdrawals,
    store_answer,
)
from cli.server.thread import ApiThread
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, FOREVER, HOUR, MINUTE
from store import Stores
from store.models import (
    Consent,
    Note,
    NoteKind,
    Person,
    Practice,
    PracticeKind,
    Purpose,
    Role,
    StoredReport,
    Withdrawal,
)
from store.models.withdrawals import OF_ACCOUNT
from store.sql.tables.records import Base
from tests.support.accounts import add_account
from tests.support.assertions import wait_for
from tests.support.clinic import Clinic, fill
from tests.support.records import a_rating


@pytest.fixture
def snapshots(settings: Settings, stores: Stores) -> Snapshots:
    return Snapshots.from_settings(settings, stores)


@pytest.fixture
def ada(stores: Stores) -> Person:
    """With something of each kind."""
    person = add_account(stores, "ada@example.org", zone="Europe/Berlin")
    fill(stores, person, days=1)
    now = stores.now()
    stores.programme.put_note(Note(new_id(), person.id, NoteKind.FEAR, "canary", now, now))
    stores.programme.put_practice(
        Practice(new_id(), person.id, PracticeKind.TRACKING, now - 9 * MINUTE, now)
    )
    stores.records.put_report(StoredReport(person.id, "30 min", "f", '{"canary": 1}'))
    stores.access.begin_idempotent(person.id, "k", "h", now, 0)
    stores.access.finish_idempotent(person.id, "k", 201, '{"note": "canary"}')
    stores.access.update_cohort([person.id], 1, stores.now())
    return person


def withdraw(stores: Stores, person: Person, hours: float = 24.0, given: bool = False) -> None:
    answer = Consent(person.id, Purpose.KEEPING, given, "keeping, 1", stores.now())
    store_answer(stores, answer, hours)


def rows_of(stores: Stores, person: Person) -> dict[str, int]:
    """How many rows each table has of a person."""
    from sqlalchemy import func, select

    with stores.engine.connect() as db:
        return {
            mapper.class_.__tablename__: db.scalar(
                select(func.count()).where(mapper.class_.person_id == person.id)
            )
            or 0
            for mapper in Base.registry.mappers
            if hasattr(mapper.class_, "person_id")
        }


def test_nothing_is_erased_before_its_time(stores: Stores, ada: Person) -> None:
    withdraw(stores, ada)
    assert carry_out_withdrawals(stores, None) == []
    assert stores.records.person(ada.id) == ada
    assert stores.beats.coverage(ada.subject_id)
    # Thought better of: nothing is due any more.
    withdraw(stores, ada, given=True)
    later = replace(stores, now=lambda: stores.now() + 2 * DAY)
    assert carry_out_withdrawals(later, None) == []
    assert stores.records.withdrawal(ada.id) is None
    assert len(stores.records.ratings(ada.id, *FOREVER)) == 2


def test_all_but_the_account_is_erased(
    stores: Stores, ada: Person, snapshots: Snapshots, settings: Settings
) -> None:
    ratings = len(stores.records.ratings(ada.id, *FOREVER))
    beats = sum(item.beats for item in stores.beats.coverage(ada.subject_id))
    tom = add_account(stores, "tom@example.org", role=Role.THERAPIST)
    stores.access.begin_idempotent(tom.id, "about ada", "h", stores.now(), 0, ada.id)
    stores.access.finish_idempotent(tom.id, "about ada", 201, '{"note": "canary"}')
    withdraw(stores, ada)
    part = snapshots.new_part("reader")
    part.write_text("canary")
    later = replace(stores, now=lambda: stores.now() + DAY + MINUTE)
    (done,) = carry_out_withdrawals(later, snapshots)
    found = stores.records.withdrawal(ada.id)
    assert found is not None
    assert found.done_ns is not None
    assert (found.beats, found.ratings, found.notes, found.practices, found.sessions) == (
        *(beats, ratings, 1, 1, 1),
    )
    assert beats > 0
    assert ratings == 2
    assert done.subject_id == ada.subject_id
    now = stores.records.person(ada.id)
    assert now is not None
    assert now == replace(ada, subject_id=now.subject_id)
    assert now.subject_id != ada.subject_id
    assert stores.beats.coverage(ada.subject_id) == []
    assert ada.subject_id in stores.beats.erased()
    left = {name for name, count in rows_of(stores, ada).items() if count}
    assert left == {"consents", "storage_keys", "withdrawals"}
    assert b"canary" not in settings.records_file.read_bytes()
    assert not list(snapshots.folder.glob("*.part"))
    assert [line.action for line in stores.records.audit()] == [
        "withdrawal begun",
        "withdrawal carried out",
    ]
    assert carry_out_withdrawals(later, snapshots) == []


def test_each_table_of_a_person_is_of_the_account_or_erased() -> None:
    """A new table is erased unless it is named; each name is of a table with people."""
    classes = [m.class_ for m in Base.registry.mappers]
    tables = {table.__tablename__ for table in classes if hasattr(table, "person_id")}
    assert tables > OF_ACCOUNT
    assert {
        *("looks", "sign_ins", "care", "care_proposals", "consents", "fhir_exports"),
        *("known_devices", "one_time", "withdrawals", "passkeys", "recovery_codes", "totp"),
        "storage_keys",
    } == OF_ACCOUNT


@pytest.mark.parametrize("where", ["after the records", "after the beats"])
def test_another_worker_goes_on_where_one_was_killed(
    stores: Stores, ada: Person, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object) -> Any:
        raise Killed

    withdraw(stores, ada, hours=0)
    with monkeypatch.context() as patched:
        if where == "after the records":
            patched.setattr(type(stores.beats), "erase", kill)
        else:
            patched.setattr(type(stores.records), "finish_withdrawal", kill)
        with pytest.raises(Killed):
            carry_out_withdrawals(stores, None)
    # The lease of the one that was killed.
    assert carry_out_withdrawals(stores, None) == []
    later = replace(stores, now=lambda: stores.now() + LEASE_NS + MINUTE)
    (done,) = carry_out_withdrawals(later, None)
    assert (done.person_id, done.ratings) == (ada.id, 2)
    assert done.beats > 0
    assert stores.beats.coverage(ada.subject_id) == []


def test_of_several_workers_one_carries_it_out(stores: Stores, ada: Person) -> None:
    withdraw(stores, ada, hours=0)
    done: list[Withdrawal] = []
    threads = [
        threading.Thread(target=lambda: done.extend(carry_out_withdrawals(stores, None)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [item.person_id for item in done] == [ada.id]


def test_one_that_fails_does_not_hold_up_the_others(
    stores: Stores, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = add_account(stores, "eve@example.org")
    withdraw(stores, ada, hours=0)
    withdraw(stores, eve, hours=0)
    erase = type(stores.beats).erase

    def fail(self: Any, subject_id: str) -> int:
        if subject_id == ada.subject_id:
            raise OSError
        return erase(self, subject_id)

    monkeypatch.setattr(type(stores.beats), "erase", fail)
    assert [item.person_id for item in carry_out_withdrawals(stores, None)] == [eve.id]


def test_a_withdrawal_of_an_earlier_version_is_due_from_now_on(stores: Stores, ada: Person) -> None:
    """Its person was told that their data would be erased, and nothing did it."""
    long_ago = stores.now() - 90 * DAY
    stores.records.add_consent(Consent(ada.id, Purpose.KEEPING, False, "w", long_ago))
    eve = add_account(stores, "eve@example.org")
    stores.records.add_consent(Consent(eve.id, Purpose.KEEPING, False, "w", long_ago))
    stores.records.add_consent(Consent(eve.id, Purpose.KEEPING, True, "w", long_ago + DAY))
    assert adopt_withdrawals(stores, 24) == 1
    assert adopt_withdrawals(stores, 24) == 0
    assert carry_out_withdrawals(stores, None) == []
    found = stores.records.withdrawal(ada.id)
    assert found is not None
    assert found.withdrawn_ns == long_ago
    assert stores.now() < found.due_ns <= stores.now() + 24 * HOUR
    later = replace(stores, now=lambda: stores.now() + 25 * HOUR)
    assert [item.person_id for item in carry_out_withdrawals(later, None)] == [ada.id]
    assert stores.records.withdrawal(eve.id) is None


def test_consent_that_runs_out_is_a_withdrawal(stores: Stores, ada: Person) -> None:
    def agree(until_ns: int | None, at: Stores) -> None:
        answer = Consent(ada.id, Purpose.KEEPING, True, "keeping, 1", at.now(), until_ns)
        store_answer(at, answer, 24)

    def at_hour(hour: float) -> Stores:
        return replace(stores, now=lambda: begin_ns + round(hour * HOUR))

    begin_ns = stores.now()
    until_ns = begin_ns + HOUR
    agree(until_ns, stores)
    assert adopt_withdrawals(stores, 24) == 0
    assert adopt_withdrawals(at_hour(2), 24) == 1
    assert adopt_withdrawals(at_hour(3), 24) == 0
    found = stores.records.withdrawal(ada.id)
    assert found is not None
    assert (found.withdrawn_ns, found.due_ns) == (until_ns, begin_ns + 26 * HOUR)
    assert carry_out_withdrawals(at_hour(25), None) == []
    # Agreed again in time: nothing is due any more, until that runs out too.
    agree(begin_ns + 30 * HOUR, at_hour(25))
    assert stores.records.withdrawal(ada.id) is None
    assert carry_out_withdrawals(at_hour(27), None) == []
    assert adopt_withdrawals(at_hour(30), 24) == 1
    (done,) = carry_out_withdrawals(at_hour(55), None)
    assert (done.person_id, done.ratings, done.withdrawn_ns) == (ada.id, 2, begin_ns + 30 * HOUR)
    assert stores.records.ratings(ada.id, *FOREVER) == []
    assert stores.records.person(ada.id) is not None
    assert adopt_withdrawals(at_hour(60), 24) == 0
    assert expired_people(at_hour(60), None) == []


def test_the_task_of_the_service_adopts_what_ran_out(
    stores: Stores, ada: Person, settings: Settings
) -> None:
    now = stores.now()
    stores.records.add_consent(Consent(ada.id, Purpose.KEEPING, True, "w", now - DAY, now - HOUR))
    at_once = settings.model_copy(update={"withdrawal_hours": 0.0})
    with ApiThread(create_app(stores, at_once)):
        wait_for(lambda: stores.beats.coverage(ada.subject_id) == [], 30)


def test_many_are_overwritten_once(
    stores: Stores, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = add_account(stores, "eve@example.org")
    stores.records.add_rating(a_rating(eve))
    calls = []
    purge = type(stores.beats).purge
    monkeypatch.setattr(type(stores.beats), "purge", lambda self: calls.append(1) or purge(self))
    withdraw(stores, ada, hours=0)
    withdraw(stores, eve, hours=0)
    assert {item.person_id for item in carry_out_withdrawals(stores, None)} == {ada.id, eve.id}
    assert len(calls) == 1
    assert stores.ledger is not None
    assert stores.ledger.read().unfinished == []


def test_where_nothing_was_stored_nothing_is_overwritten(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first answer no, which anybody can give over and over."""
    eve = add_account(stores, "eve@example.org", agrees=False)

    def fail(_: object) -> list[str]:
        raise AssertionError

    monkeypatch.setattr(type(stores.beats), "purge", fail)
    withdraw(stores, eve, hours=0)
    (done,) = carry_out_withdrawals(stores, None)
    assert done.done_ns is not None
    found = stores.records.withdrawal(eve.id)
    assert found is not None
    assert found.done_ns is not None
    (line,) = stores.records.audit()
    assert line.action == "withdrawal carried out, nothing was stored"
    assert stores.ledger is not None
    assert stores.ledger.read().erasures == {}


def test_taking_it_back_twice_is_one_withdrawal(stores: Stores, ada: Person) -> None:
    withdraw(stores, ada)
    first = stores.records.withdrawal(ada.id)
    withdraw(stores, ada)
    assert carry_out_withdrawals(stores, None) == []
    assert stores.records.withdrawal(ada.id) == first
    later = replace(stores, now=lambda: stores.now() + 25 * HOUR)
    (done,) = carry_out_withdrawals(later, None)
    assert done.ratings == 2
    withdraw(later, ada)
    much_later = replace(stores, now=lambda: stores.now() + 90 * HOUR)
    assert carry_out_withdrawals(much_later, None) == []
    found = stores.records.withdrawal(ada.id)
    assert found is not None
    assert found.ratings == 2


def test_agreeing_again_begins_anew(stores: Stores, ada: Person) -> None:
    withdraw(stores, ada, hours=0)
    carry_out_withdrawals(stores, None)
    withdraw(stores, ada, given=True)
    stores.requiring_consent().records.add_rating(a_rating(ada))
    assert carry_out_withdrawals(stores, None) == []
    assert len(stores.records.ratings(ada.id, *FOREVER)) == 1
    # The page can still show the withdrawal, and a second one has its own.
    withdraw(stores, ada, hours=0)
    (done,) = carry_out_withdrawals(stores, None)
    assert done.ratings == 1


def test_a_report_that_was_being_computed_is_not_stored(stores: Stores, ada: Person) -> None:
    withdraw(stores, ada, hours=0)
    carry_out_withdrawals(stores, None)
    stores.records.put_report(StoredReport(ada.id, "30 min", "f", '{"canary": 1}'))
    assert stores.records.report(ada.id, "30 min") is None
    # Nor after the time that was agreed to.
    now = stores.now()
    for until_ns, is_stored in ((now - HOUR, False), (now + HOUR, True)):
        answer = Consent(ada.id, Purpose.KEEPING, True, "w", now - DAY, until_ns)
        stores.records.add_consent(answer)
        stores.records.put_report(StoredReport(ada.id, "30 min", "f", '{"canary": 1}'))
        assert (stores.records.report(ada.id, "30 min") is not None) == is_stored


def test_the_page_sees_when_and_what(signed_in: Callable[..., httpx.Client]) -> None:
    client = signed_in()
    client.post("/v1/ratings", json={"pain": 4, "stress": 6})
    body = {"purpose": "keeping", "given": False, "wording": "keeping, 1"}
    assert client.post("/v1/consents", json=body).status_code == 201
    found = client.get("/v1/consents").json()
    assert found["keeping"] == "withdrawn"
    assert found["withdrawal"]["erased"] is None
    assert found["withdrawal"]["erase_at"] > found["withdrawal"]["withdrawn"]
    assert client.post("/v1/consents", json={**body, "given": True}).status_code == 201
    found = client.get("/v1/consents").json()
    assert (found["keeping"], found["withdrawal"]) == ("agreed", None)
    assert client.get("/v1/ratings").json()["ratings"]


def test_a_patient_downloads_until_it_is_erased_and_nobody_computes(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    clinic.agree("ada", Purpose.CARE)
    ada, tom = clinic["ada"], clinic["tom"]
    patient = f"/v1/patients/{clinic.id('ada')}"
    span = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    computed = {
        "/v1/hrv": span,
        "/v1/hrv/trend": span,
        "/v1/link": {},
        "/v1/therapy": {},
        "/v1/live/now": {},
        "/v1/notes/patterns": {},
        "/v1/practices/around": {},
        "/v1/export/hrv": {},
        "/v1/export/link.csv": {},
    }
    for path, params in computed.items():
        assert ada.get(path, params=params).status_code == 200, path
    assert tom.get(f"{patient}/ratings").status_code == 200
    body = {"purpose": "keeping", "given": False, "wording": "keeping, 1"}
    assert ada.post("/v1/consents", json=body).status_code == 201
    for path, params in computed.items():
        answer = ada.get(path, params=params)
        assert answer.status_code == 403, path
        assert answer.json()["type"] == "urn:ebbtide:problem:consent"
    for path in ("/v1/ratings", "/v1/export/beats", "/v1/export/ratings.csv", "/v1/sessions"):
        assert ada.get(path).status_code == 200, path
        assert tom.get(path.replace("/v1", patient)).status_code == 403, path
    (row,) = [item for item in tom.get("/v1/patients").json() if item["id"] == clinic.id("ada")]
    assert (row["agreed"], row["keeping"], row["last_rating"]) == (False, "withdrawn", None)


def test_the_nightly_analysis_leaves_them_out(stores: Stores, ada: Person) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert run_nightly(stores, executor, 1).people == 1
        withdraw(stores, ada)
        assert run_nightly(stores, executor, 1).people == 0
    assert stores.records.report(ada.id, "30 minutes") is None
