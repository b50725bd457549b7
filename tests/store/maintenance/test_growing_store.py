"""Copies and checks of a store end, however fast somebody records meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ebbtide.beats import Notification, Origin, Stream, new_id
from store import Stores
from store.maintenance.copy import copy_beats
from store.maintenance.server_check import check_stores
from store.sqlite.beats import SqliteBeatStore
from tests.support.beats import FOREVER, START, made


@pytest.fixture
def growing(
    stores: Stores, patient: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> tuple[Stores, str]:
    """A store to which five beats come whenever somebody reads from it, behind a hole; and whose
    beats they are. A thousand such readings are one without an end.
    """
    patient("ada@example.org")
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    stream = Stream(new_id(), Origin.STRAP, "a strap", START)
    stores.beats.put_stream(person.subject_id, stream)
    stores.beats.append(person.subject_id, stream.id, made(1, 100))
    stores.beats.append(person.subject_id, stream.id, made(200, 300))
    inner, last = stores.beats.notifications, [300]

    def notifications(subject: str, stream_id: str, after: int) -> list[Notification]:
        assert last[0] < 5_000
        stores.beats.append(subject, stream_id, made(last[0] + 1, last[0] + 5))
        last[0] += 5
        return inner(subject, stream_id, after)[:4]

    monkeypatch.setattr(stores.beats, "notifications", notifications)
    return stores, person.subject_id


def test_a_copy_ends_and_has_what_was_there(growing: tuple[Stores, str], tmp_path: Path) -> None:
    stores, subject = growing
    with closing(SqliteBeatStore(tmp_path / "copy.sqlite")) as target:
        copy_beats(stores.beats, target)
        copied = len(target.read(subject, *FOREVER))
        assert 201 <= copied < len(stores.beats.read(subject, *FOREVER))


def test_a_check_ends_and_finds_no_fault(growing: tuple[Stores, str]) -> None:
    stores, _ = growing
    found = check_stores(stores.beats, stores.records)
    assert found.problems == []
    assert 201 <= found.beats < 300
    assert "101 to 199 are not here yet" in found.waiting[0]
