"""``ebbtide export``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import frictionless
import pandas as pd
import pyarrow.parquet as pq
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


def test_the_columns_are_described_beside_the_file(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBBTIDE_API_URL", clinic.url)

    def export(table: str, name: str, *more: str) -> str:
        words = ["export", table, str(tmp_path / name), "--email", "ada@example.org", *more]
        done = CliRunner().invoke(app, words, input=f"{PASSWORD}\n")
        return done.output + str(done.exception or "")

    for table, name in (
        ("ratings", "ratings.csv"),
        ("beats", "My beats.csv"),
        ("beats", "beats.parquet"),
    ):
        assert f"of {table}" in export(table, name)
    before = (tmp_path / "ratings.csv").stat().st_mtime_ns
    assert "is there already" in export("ratings", "ratings.csv")
    assert (tmp_path / "ratings.csv").stat().st_mtime_ns == before
    assert "of ratings" in export("ratings", "ratings.csv", "--force")
    assert (tmp_path / "ratings.csv").stat().st_mtime_ns > before
    package = frictionless.Package(str(tmp_path / "datapackage.json"))
    assert sorted(item.path for item in package.resources) == [
        "My beats.csv",
        "beats.parquet",
        "ratings.csv",
    ]
    for resource in package.resources:
        if resource.path.endswith(".csv"):
            report = resource.validate()
            assert report.valid, report.flatten(["message"])[:3]
    text = (tmp_path / "ratings.csv").read_text()
    assert ",FALSE" in text
    assert "Z" in text.splitlines()[1]
    beats = pq.read_table(tmp_path / "beats.parquet")
    assert beats.schema.field("rr_ms").type == "double"
    assert beats.schema.field("time_ns").metadata[b"unit"] == b"ns"
    (tmp_path / "datapackage.json").write_text("mine")
    assert "is no Data Package" in export("ratings", "again.csv")
    assert not (tmp_path / "again.csv").exists()
