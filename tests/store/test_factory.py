"""Stores as they are opened: what is left of a damaged disk is never taken for a new store."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebbtide.settings import Settings
from store.errors import DamagedStoreError
from store.factory import open_stores
from tests.support.records import a_person


@pytest.mark.parametrize("emptied", ["beats.sqlite", "records.sqlite"])
def test_a_file_without_bytes_beside_data_is_refused(tmp_path: Path, emptied: str) -> None:
    settings = Settings(data_dir=tmp_path)
    stores = open_stores(settings)
    a_person(stores.records)
    stores.close()
    for file in tmp_path.glob(f"{emptied}*"):
        file.unlink()
    (tmp_path / emptied).touch()

    with pytest.raises(DamagedStoreError, match=rf"{emptied} is empty.*restore FOLDER"):
        open_stores(settings)
    assert (tmp_path / emptied).stat().st_size == 0

    (tmp_path / emptied).unlink()  # as the message says, for who goes on without it
    open_stores(settings).close()


def test_files_that_were_made_and_never_filled_are_a_new_store(tmp_path: Path) -> None:
    for name in ("beats.sqlite", "records.sqlite"):
        (tmp_path / name).touch()
    open_stores(Settings(data_dir=tmp_path)).close()


@pytest.mark.parametrize("broken", ["beats.sqlite", "records.sqlite"])
def test_a_file_whose_pages_are_damaged_is_named(tmp_path: Path, broken: str) -> None:
    settings = Settings(data_dir=tmp_path)
    stores = open_stores(settings)
    a_person(stores.records)
    stores.close()
    path = tmp_path / broken
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes(len(content) - 100))

    with pytest.raises(DamagedStoreError, match=rf"{broken} is damaged.*restore FOLDER"):
        open_stores(settings)
