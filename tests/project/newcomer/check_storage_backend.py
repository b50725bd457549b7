"""Check that the new engine of beats opens by its setting, and serves the API."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store import open_stores
from store.factory import ENGINES
from tests.support.clinic import fill, opened_clinic


def test_engine_is_opened_by_its_setting_and_serves_the_api(tmp_path: Path) -> None:
    assert "memory" in ENGINES
    settings = Settings(data_dir=tmp_path, beats_in_memory=True)
    stores = open_stores(settings)
    with opened_clinic(stores) as clinic:
        stream = fill(stores, clinic.people["ada"], days=1)
        (shown,) = clinic["ada"].get("/v1/streams").json()["streams"]
        assert shown["id"] == stream.id
        assert shown["beats"] > 5000
    assert not settings.beats_file.exists()


def test_engine_refuses_several_processes(tmp_path: Path) -> None:
    with pytest.raises(EbbtideError, match="several processes"):
        open_stores(Settings(data_dir=tmp_path, beats_in_memory=True, api_workers=2))
