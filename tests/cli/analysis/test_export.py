"""``ebbtide export``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.main import app
from store import Stores
from tests.support.accounts import PASSWORD
from tests.support.clinic import Clinic, fill, opened_clinic


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"])
        yield opened


def test_the_command_writes_a_table(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBBTIDE_API_URL", clinic.url)

    def export(name: str) -> str:
        done = CliRunner().invoke(
            app,
            ["export", "ratings", str(tmp_path / name), "--email", "ada@example.org"],
            input=f"{PASSWORD}\n",
        )
        return done.output + str(done.exception or "")

    assert "6 rows of ratings" in export("ratings.csv")
    assert "6 rows of ratings" in export("ratings.parquet")
    assert "neither .csv nor .parquet" in export("ratings.docx")
    text, table = (
        pd.read_csv(tmp_path / "ratings.csv"),
        pd.read_parquet(tmp_path / "ratings.parquet"),
    )
    assert text["about_ns"].tolist() == table["about_ns"].tolist()
