"""Who may do what, in the store: the same contract on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY
from store.models import (
    AccessLogEntry,
    AccessToken,
    OneTimePurpose,
    OneTimeToken,
    Person,
    Role,
    Scope,
    TokenKind,
)
from store.sql.access import SqlAccessStore
from store.sql.engine import server_engine, sqlite_engine
from store.sql.records import SqlRecordStore
from tests.contracts.test_record_store import NOW, a_person
from tests.support.postgres import PostgresServer

Stores = tuple[SqlRecordStore, SqlAccessStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    if request.param == "sqlite":
        engine = sqlite_engine(tmp_path / "records.sqlite")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        engine = server_engine(server.fresh_database())
    yield SqlRecordStore(engine), SqlAccessStore(engine)
    engine.dispose()


def a_sign_in(person: Person, name: str = "a", **changes: object) -> AccessToken:
    made = AccessToken(
        name,
        person.id,
        NOW,
        NOW + 100,
        new_id(),
        TokenKind.SESSION,
        "here",
        frozenset({Scope.READ, Scope.WRITE}),
        NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_sign_ins_end_expire_and_go_idle(stores: Stores) -> None:
    records, access = stores
    person = a_person(records)
    kept = a_sign_in(person, idle_ns=20)
    access.add_token(kept)
    found = access.signed_in("a", NOW + 19)
    assert found is not None
    assert found[0].id == person.id
    assert found[1] == kept
    assert access.signed_in("a", NOW + 20) is None
    access.used("a", NOW + 90)
    assert access.signed_in("a", NOW + 99) is not None
    assert access.signed_in("a", NOW + 100) is None
    access.end_token("a")
    assert access.signed_in("a", NOW + 91) is None


def test_tokens_are_listed_and_revoked(stores: Stores) -> None:
    records, access = stores
    ada, eve = a_person(records), a_person(records, "eve@example.org")
    first, second = a_sign_in(ada), a_sign_in(ada, "b", created_ns=NOW + 1)
    theirs = a_sign_in(eve, "c")
    for kept in (first, second, theirs):
        access.add_token(kept)
    assert access.sign_ins(ada.id) == [first, second]
    assert not access.revoke(ada.id, theirs.id)
    assert access.revoke(ada.id, first.id)
    assert access.sign_ins(ada.id) == [second]
    access.end_tokens(ada.id, but="b")
    assert access.sign_ins(ada.id) == [second]
    access.end_tokens(ada.id)
    assert access.sign_ins(ada.id) == []
    assert access.sign_ins(eve.id) == [theirs]


def test_who_is_shut_out_is_not_signed_in(stores: Stores) -> None:
    records, access = stores
    person = a_person(records)
    access.add_token(a_sign_in(person))
    access.set_active(person.id, False)
    assert not access.active(person.id)
    access.add_token(a_sign_in(person, "b"))  # however it came about
    assert access.signed_in("a", NOW) is None
    assert access.signed_in("b", NOW) is None
    access.set_active(person.id, True)
    assert access.active(person.id)
    assert access.signed_in("a", NOW) is None
    assert not access.active("nobody")


def test_a_one_time_token_is_used_once_by_one(stores: Stores) -> None:
    _, access = stores
    kept = OneTimeToken("h", OneTimePurpose.INVITATION, None, "{}", NOW, NOW + 10)
    access.put_one_time_token(kept)
    assert access.take_one_time_token("h", OneTimePurpose.PASSWORD, NOW) is None
    assert access.take_one_time_token("h", OneTimePurpose.INVITATION, NOW + 10) is None
    with ThreadPoolExecutor(8) as many:
        found = list(
            many.map(
                lambda _: access.take_one_time_token("h", OneTimePurpose.INVITATION, NOW + 1),
                range(8),
            )
        )
    assert [one for one in found if one is not None] == [kept]


def test_care_begins_and_ends(stores: Stores) -> None:
    records, access = stores
    ada = a_person(records)
    therapist = replace(ada, id=new_id(), subject_id=new_id(), email="t@x.org", role=Role.THERAPIST)
    records.add_person(therapist)
    access.put_care(therapist.id, ada.id, NOW)
    access.put_care(therapist.id, ada.id, NOW + 5)
    assert access.in_care_of(therapist.id) == [ada.id]
    assert access.carers_of(ada.id) == [therapist.id]
    assert access.in_care_of(ada.id) == []
    access.end_care(therapist.id, ada.id)
    assert access.in_care_of(therapist.id) == []


def test_looks_are_told_newest_first_page_by_page(stores: Stores) -> None:
    records, access = stores
    ada = a_person(records)
    made = [AccessLogEntry(ada.id, "t", "therapist", NOW + k, f"GET {k}") for k in range(7)]
    access.add_access_log(made[:3])
    access.add_access_log(made[3:])
    seen: list[AccessLogEntry] = []
    before = None
    while page := access.looks(ada.id, 3, before):
        seen += [look for _, look in page]
        before = page[-1][0]
    assert seen == made[::-1]
    assert access.looks("somebody else", 9) == []


def test_failures_are_counted_and_forgotten(stores: Stores) -> None:
    _, access = stores
    assert access.attempts("k").failures == 0
    with ThreadPoolExecutor(4) as many:
        list(many.map(lambda _: access.add_failure("k", NOW, 100), range(12)))
    assert access.attempts("k").failures == 12
    assert access.attempts("k").since_ns == NOW
    access.add_failure("k", NOW + 101, 100)
    assert access.attempts("k").failures == 1
    access.clear_failures("k")
    assert access.attempts("k").failures == 0


def test_of_requests_with_the_same_key_one_is_done(stores: Stores) -> None:
    records, access = stores
    ada = a_person(records)
    with ThreadPoolExecutor(8) as many:
        found = list(
            many.map(lambda _: access.begin_idempotent(ada.id, "k", "r", NOW, 0), range(8))
        )
    assert [kept for kept in found if kept is None] == [None]
    assert all(kept.status is None for kept in found if kept is not None)
    access.finish_idempotent(ada.id, "k", 201, "{}")
    kept = access.begin_idempotent(ada.id, "k", "r", NOW, 0)
    assert kept is not None
    assert (kept.request_hash, kept.status, kept.body) == ("r", 201, "{}")
    assert access.begin_idempotent(ada.id, "k", "r", NOW + 9, NOW + 5) is None  # forgotten
    access.drop_idempotent(ada.id, "k")
    assert access.begin_idempotent(ada.id, "k", "other", NOW, 0) is None


def test_a_pseudonym_stays_and_moves_dates_by_whole_weeks(stores: Stores) -> None:
    records, access = stores
    people = [a_person(records, f"p{k}@example.org") for k in range(20)]
    with ThreadPoolExecutor(4) as many:
        first = list(many.map(lambda person: access.pseudonym(person.id), people))
    assert [access.pseudonym(person.id) for person in people] == first
    assert len({found.pseudonym for found in first}) == 20
    assert len({found.shift_ns for found in first}) > 10
    for found, person in zip(first, people, strict=True):
        assert found.shift_ns % (7 * DAY) == 0
        assert 26 * 7 * DAY <= found.shift_ns < 260 * 7 * DAY
        assert found.pseudonym not in (person.id, person.subject_id)


def test_live_is_shared_until_it_is_not(stores: Stores) -> None:
    records, access = stores
    ada = a_person(records)
    assert access.live_until(ada.id) == 0
    access.share_live(ada.id, NOW + 5)
    access.share_live(ada.id, NOW + 2)
    assert access.live_until(ada.id) == NOW + 2


def test_erasing_a_person_leaves_no_right_behind(stores: Stores) -> None:
    records, access = stores
    ada = a_person(records)
    access.add_token(a_sign_in(ada))
    access.put_one_time_token(
        OneTimeToken("h", OneTimePurpose.PASSWORD, ada.id, "{}", NOW, NOW + 10)
    )
    access.put_care(ada.id, ada.id, NOW)
    access.add_access_log([AccessLogEntry(ada.id, "t", "therapist", NOW, "GET")])
    access.begin_idempotent(ada.id, "k", "r", NOW, 0)
    access.pseudonym(ada.id)
    access.share_live(ada.id, NOW)
    records.erase(ada.id)
    assert access.sign_ins(ada.id) == []
    assert access.take_one_time_token("h", OneTimePurpose.PASSWORD, NOW) is None
    assert access.carers_of(ada.id) == []
    assert access.looks(ada.id, 9) == []
    assert access.live_until(ada.id) == 0
