"""Erasures of several machines, after a restore to an older state, and when disks fail."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

import api.app
from api.services.cache.analysis import AnalysisCache
from api.services.erasure import begin_erasure, erase_people, erase_person
from api.services.erasure_again import carry_out_erasures
from api.services.erasure_watch import ErasureWatch
from api.services.withdrawal import carry_out_withdrawals, store_answer
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, FOREVER
from store import ErasureLedger, ErasureScope, LedgerContent, Stores, open_stores
from store.maintenance import create_backup, restore
from store.models import Consent, OneTimePurpose, OneTimeToken, Person, Purpose
from tests.support.accounts import add_account
from tests.support.clinic import fill


@contextmanager
def opened(settings: Settings, ledger: ErasureLedger | None = None) -> Iterator[Stores]:
    stores = open_stores(settings)
    try:
        yield stores if ledger is None else replace(stores, ledger=ledger)
    finally:
        stores.close()


def add_filled(stores: Stores, email: str) -> Person:
    person = add_account(stores, email, zone="Europe/Berlin")
    fill(stores, person, days=1)
    return person


def withdraw(stores: Stores, person: Person) -> None:
    store_answer(stores, Consent(person.id, Purpose.KEEPING, False, "w", stores.now()), 0)
    assert len(carry_out_withdrawals(stores, None)) == 1


def forget_audit(stores: Stores) -> None:
    with stores.engine.begin() as db:
        db.execute(text("DELETE FROM audit"))


@pytest.mark.parametrize("knows", ["the ledger of another machine", "the store alone"])
def test_after_a_restore_the_account_of_who_withdrew_stays_and_of_who_was_erased_does_not(
    settings: Settings, tmp_path: Path, knows: str
) -> None:
    other = ErasureLedger(tmp_path / "other machine.jsonl")
    with opened(settings) as stores:
        ada, eve, tim = (
            add_filled(stores, f"{name}@example.org") for name in ("ada", "eve", "tim")
        )
    files = [settings.beats_file, settings.records_file]
    backup = create_backup(files, tmp_path / "backup", "now").folder
    with opened(settings) as stores:
        withdraw(stores, ada)
        erase_person(stores, eve.email)
    content = LedgerContent()
    if knows != "the store alone":
        with opened(settings, other) as stores:
            carry_out_erasures(stores)
        content = other.read()
        assert {
            subject: found.scope
            for subject in (ada.subject_id, eve.subject_id)
            if (found := content.find(subject)) is not None
        } == {ada.subject_id: ErasureScope.DATA, eve.subject_id: ErasureScope.EVERYTHING}
    assert restore(backup, files, "old", replace=True, content=content).erased_again == 2
    with opened(settings, other) as stores:
        carry_out_erasures(stores)
        there = {person.id: person for person in stores.records.people()}
        assert set(there) == {ada.id, tim.id}
        assert stores.records.ratings(ada.id, *FOREVER) == []
        assert stores.beats.coverage(there[ada.id].subject_id) == []
        assert len(stores.records.ratings(tim.id, *FOREVER)) == 2


def test_of_a_backup_only_what_is_about_the_person_goes(settings: Settings, tmp_path: Path) -> None:
    with opened(settings) as stores:
        ann, joann = (add_filled(stores, f"{name}@example.org") for name in ("ann", "joann"))
        for number, person in enumerate((ann, joann)):
            body = json.dumps({"email": person.email})
            end_ns = stores.now() + DAY
            stores.access.put_one_time_token(
                OneTimeToken(f"{number}", OneTimePurpose.INVITATION, None, body, 1, end_ns)
            )
            key = f"{number}"
            stores.access.begin_idempotent(joann.id, key, "h", stores.now(), 0, person.id)
            stores.access.finish_idempotent(joann.id, key, 201, "{}")
    files = [settings.beats_file, settings.records_file]
    backup = create_backup(files, tmp_path / "backup", "now").folder
    with opened(settings) as stores:
        erase_person(stores, ann.email)
    restore(backup, files, "old", replace=True)
    with opened(settings) as stores:
        now = stores.now()
        for number, is_gone in ((0, True), (1, False)):
            token = stores.access.find_one_time_token(f"{number}", OneTimePurpose.INVITATION, now)
            response = stores.access.begin_idempotent(joann.id, f"{number}", "h", now, 0)
            assert ((token is None), (response is None)) == (is_gone, is_gone)


def test_a_line_that_an_earlier_version_adopted_as_an_account_is_mended(
    stores: Stores, tmp_path: Path
) -> None:
    ada = add_filled(stores, "ada@example.org")
    withdraw(stores, ada)
    other = ErasureLedger(tmp_path / "other machine.jsonl")
    other.begin(1)
    other.finish_erasure(other.begin_erasure(ada.subject_id), 1)
    for _ in range(2):
        carry_out_erasures(replace(stores, ledger=other))
        found = other.read().find(ada.subject_id, ada.id)
        assert found is not None
        assert found.scope is ErasureScope.DATA
        assert len(other.read().erasures) == 2
    assert stores.records.person(ada.id) is not None


def test_where_it_is_not_known_only_data_are_noted_and_a_warning_is_logged(
    stores: Stores, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ada = add_filled(stores, "ada@example.org")
    erase_person(stores, ada.email)
    forget_audit(stores)
    other = ErasureLedger(tmp_path / "other machine.jsonl")
    with caplog.at_level(logging.WARNING, "ebbtide.erasure"):
        carry_out_erasures(replace(stores, ledger=other))
        carry_out_erasures(replace(stores, ledger=other))
    (line,) = other.read().erasures.values()
    assert line.scope is ErasureScope.DATA
    (warning,) = [record.getMessage() for record in caplog.records]
    assert ada.subject_id in warning


def test_where_there_is_nothing_to_do_the_ledger_is_only_read(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_filled(stores, "eve@example.org")
    erase_person(stores, add_filled(stores, "ada@example.org").email)

    def fail(_: object) -> None:
        raise AssertionError("locked")

    monkeypatch.setattr(ErasureLedger, "locked", fail)
    assert carry_out_erasures(stores).people == 0


def test_several_are_overwritten_once(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [add_filled(stores, f"p{number}@example.org") for number in range(3)]
    calls, local = [], []
    purge = type(stores.records).purge
    monkeypatch.setattr(type(stores.records), "purge", lambda self: calls.append(1) or purge(self))
    found = erase_people(stores, people, erase_local=local.append)
    assert (len(calls), found.ratings, found.sessions, found.remaining) == (1, 6, 3, ())
    assert local == [person.id for person in people]
    assert stores.records.people() == []
    assert stores.ledger is not None
    assert len(stores.ledger.read().erasures) == 3
    assert stores.ledger.read().unfinished == []


def test_erasures_are_seen_after_the_database_was_restored(stores: Stores) -> None:
    """Numbers of the audit come a second time then."""
    for number in range(3):
        erase_person(stores, add_account(stores, f"p{number}@example.org").email)
    forgotten: list[int] = []
    watch = ErasureWatch(stores, AnalysisCache(), lambda: forgotten.append(1))
    watch.poll()
    assert forgotten == []
    forget_audit(stores)
    watch.poll()
    ada = add_account(stores, "ada@example.org")
    watch._cache.responses.put(("link", ada.subject_id, "beats"), b"a response")
    erase_person(stores, ada.email)
    watch.poll()
    assert watch._cache.responses.get(("link", ada.subject_id, "beats")) is None
    assert forgotten


def test_an_erasure_of_another_machine_reaches_the_ledger_and_exports_of_this_one(
    stores: Stores, tmp_path: Path
) -> None:
    here = replace(stores, ledger=ErasureLedger(tmp_path / "here.jsonl"))
    elsewhere = replace(stores, ledger=ErasureLedger(tmp_path / "elsewhere.jsonl"))
    people = [add_filled(stores, f"p{number}@example.org") for number in range(3)]
    export = tmp_path / "exports" / "a.b.c.snapshot"
    export.parent.mkdir()
    watch = ErasureWatch(here, AnalysisCache(), lambda: None, export.parent)
    export.write_text("beats of several people")
    watch.poll()
    assert export.exists()
    assert here.ledger is not None
    # One that is under way is adopted when it is done: before, the audit does not say whether the
    # account goes, too.
    begin_erasure(elsewhere, people[0].subject_id, people[0].id)
    stores.beats.erase(people[0].subject_id)
    watch.poll()
    assert not export.exists()
    assert here.ledger.read().find(people[0].subject_id) is None
    erase_person(elsewhere, people[0].email)
    withdraw(elsewhere, people[1])
    watch.poll()
    noted = [here.ledger.read().find(person.subject_id) for person in people]
    assert [None if item is None else item.scope for item in noted] == [
        *(ErasureScope.EVERYTHING, ErasureScope.DATA),
        None,
    ]
    assert here.ledger.read().unfinished == []


def test_the_watch_goes_on_after_any_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class FailingWatch:
        def __init__(self, errors: list[Exception]) -> None:
            self.errors = errors

        def poll(self) -> None:
            raise self.errors.pop(0)

    async def run(watch: FailingWatch) -> None:
        with suppress(TimeoutError, IndexError):
            await asyncio.wait_for(api.app._watch_erasures(watch), 5)  # type: ignore[arg-type]

    monkeypatch.setattr(api.app, "WATCH_EVERY_S", 0.01)
    watch = FailingWatch([OSError("no disk"), RecursionError(), ValueError()])
    stopping = asyncio.CancelledError
    poll: Callable[[], None] = watch.poll

    def poll_or_stop() -> None:
        if not watch.errors:
            raise stopping
        poll()

    watch.poll = poll_or_stop  # type: ignore[method-assign]
    with suppress(stopping), caplog.at_level(logging.WARNING, "ebbtide.api"):
        asyncio.run(run(watch))
    words = [record.getMessage() for record in caplog.records]
    assert [line.rpartition(" ")[2] for line in words] == [
        "OSError",
        "RecursionError",
        "ValueError",
    ]
