"""The embedded store of records: its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from store.sql.engine import sqlite_engine
from store.sql.records import SqlRecordStore
from tests.support.records import a_person


def _open(path: Path) -> SqlRecordStore:
    return SqlRecordStore(sqlite_engine(path))


def test_it_opens_again(tmp_path: Path) -> None:
    first = _open(tmp_path / "records.sqlite")
    person = a_person(first)
    first.close()
    second = _open(tmp_path / "records.sqlite")
    assert second.person(person.id) is not None
    second.check()
    second.close()


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    path.write_text("only words " * 200)
    with pytest.raises(EbbtideError, match=r"records\.sqlite is damaged.*ebbtide restore"):
        _open(path)
