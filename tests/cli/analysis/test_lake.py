"""``ebbtide lake``: partitions, what a stopped run leaves, erasure, an object store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from cli.analysis.lake_files import Lake
from cli.main import app
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY
from store import Stores
from store.models import Purpose
from tests.support.accounts import PASSWORD
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import agree_together, with_movable_clock

PEOPLE = [f"person {number}" for number in range(40)]


def batches(people: list[str], days: int = 90, seed: int = 1) -> Iterator[pa.RecordBatch]:
    """A batch a person: one row a day, the person as a dictionary as the API sends it."""
    for number, name in enumerate(people):
        values = np.random.default_rng([seed, number]).normal(size=days)
        yield pa.record_batch(
            {
                "person": pa.array([name] * days).dictionary_encode(),
                "time_ns": np.arange(days, dtype=np.int64) * DAY + number,
                "value": values,
            }
        )


def rows(folder: str, table: str = "beats") -> list[tuple[Any, ...]]:
    found = duckdb.sql(
        f"SELECT person, time_ns, value FROM read_parquet('{folder}/{table}/**/*.parquet', "
        "hive_partitioning = true) ORDER BY person, time_ns"
    )
    return found.fetchall()


def expected(people: list[str], **more: int) -> list[tuple[Any, ...]]:
    found = []
    for batch in batches(people, **more):
        columns = [batch.column(name).to_pylist() for name in ("person", "time_ns", "value")]
        found += list(zip(*columns, strict=True))
    return sorted(found)


def test_each_row_is_there_once_whatever_changes(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    lake = Lake(folder, "ann", 4)
    first = lake.replace_table("beats", batches(PEOPLE), "time_ns")
    assert (first.rows, first.written, first.unchanged, first.deleted) == (3600, 4 * 3, 0, 0)
    assert rows(folder) == expected(PEOPLE)
    again = Lake(folder, "ann", 4).replace_table("beats", batches(PEOPLE), "time_ns")
    assert (again.written, again.unchanged, again.deleted) == (0, 12, 0)
    grown = Lake(folder, "ann", 4).replace_table("beats", batches(PEOPLE, 95), "time_ns")
    assert (grown.written, grown.unchanged) == (4, 12)  # only April is new
    left = PEOPLE[1:]
    Lake(folder, "ann", 4).replace_table("beats", batches(left), "time_ns")
    assert rows(folder) == expected(left)
    assert not list(Path(folder).rglob("month=1970-04"))
    assert Path(folder).stat().st_mode & 0o077 == 0


def test_memory_is_bounded_and_the_order_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.analysis.lake_files._HELD_BYTES", 5_000)
    folder = str(tmp_path / "lake")
    Lake(folder, "ann", 3).replace_table("beats", batches(PEOPLE), "time_ns")
    assert rows(folder) == expected(PEOPLE)


def test_what_breaks_off_while_it_arrives_changes_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    Lake(folder, "ann", 4).replace_table("beats", batches(PEOPLE), "time_ns")

    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(PEOPLE[:3], seed=2)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        Lake(folder, "ann", 4).replace_table("beats", broken(), "time_ns")
    assert rows(folder) == expected(PEOPLE)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_run_that_was_stopped_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    folder = str(tmp_path / "lake")
    Lake(folder, "ann", 4).replace_table("beats", batches(PEOPLE), "time_ns")
    put, count = Lake._put, 0

    def stopped(self: Lake, file: Path, name: str) -> None:
        nonlocal count
        count += 1
        if count > after:
            raise KeyboardInterrupt
        put(self, file, name)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "_put", stopped)
        with pytest.raises(KeyboardInterrupt):
            Lake(folder, "ann", 4).replace_table("beats", batches(PEOPLE[5:], seed=2), "time_ns")
    # The content before: a state of the stopped run must not claim that it is there.
    Lake(folder, "ann", 4).replace_table("beats", batches(PEOPLE), "time_ns")
    assert rows(folder) == expected(PEOPLE)
    # And files that only the stopped run wrote go.
    Lake(folder, "ann", 4).replace_table("beats", batches(PEOPLE[:1]), "time_ns")
    assert rows(folder) == expected(PEOPLE[:1])


def test_folders_of_others_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    Lake(str(folder), "ann", 4).replace_table("beats", batches(PEOPLE[:2]), "time_ns")
    with pytest.raises(EbbtideError, match="another account"):
        Lake(str(folder), "ben", 4)
    with pytest.raises(EbbtideError, match="has 4 buckets"):
        Lake(str(folder), "ann", 8)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother.txt").write_text("dear")
    with pytest.raises(EbbtideError, match="holds other files"):
        Lake(str(tmp_path / "letters"), "ann", 4)
    with pytest.raises(EbbtideError, match="cannot be opened"):
        Lake("nothing://bucket/lake", "ann", 4)


def test_a_lake_in_an_object_store(monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        import boto3

        client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1"
        )
        client.create_bucket(Bucket="clinic")
        address = (
            f"s3://clinic/lake?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
        )
        Lake(address, "ann", 4).replace_table("beats", batches(PEOPLE[:6]), "time_ns")
        again = Lake(address, "ann", 4).replace_table("beats", batches(PEOPLE[:6]), "time_ns")
        assert (again.written, again.deleted) == (0, 0)
        Lake(address, "ann", 4).replace_table("beats", batches(PEOPLE[:1]), "time_ns")
        found = client.list_objects_v2(Bucket="clinic")["Contents"]
        files = sorted(item["Key"] for item in found)
        assert len([name for name in files if name.endswith(".parquet")]) == 3
        with pytest.raises(EbbtideError, match="cannot be opened"):
            Lake(address.replace("clinic", "nobodys"), "ann", 4)
        client.close()
    finally:
        server.stop()


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    stores, clock = with_movable_clock(stores)
    with opened_clinic(stores) as opened:
        for name in ("ada", "eve"):
            fill(stores, opened.people[name])
        clock.until_released(opened)
        agree_together(opened, "ada", "eve", people=5)
        yield opened


def test_the_command_renews_a_lake_and_forgets_who_took_consent_back(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBBTIDE_API_URL", clinic.url)
    folder = str(tmp_path / "lake")

    def run(*more: str) -> str:
        words = ["lake", folder, "--email", "ann@example.org", *more]
        done = CliRunner().invoke(app, words, input=f"{PASSWORD}\n")
        return done.output + str(done.exception or "")

    said = run()
    assert "beats: " in said
    theirs = clinic["ann"].get("/v1/research/ratings").raise_for_status().json()["rows"]
    query = f"SELECT person, rating FROM read_parquet('{folder}/ratings/**/*.parquet') ORDER BY ALL"
    found = duckdb.sql(query).fetchall()
    assert found == sorted((row["person"], row["rating"]) for row in theirs)
    assert len({person for person, _ in found}) == 2
    assert "0 files written" in run("--table", "ratings")
    clinic.agree("eve", Purpose.RESEARCH, False)
    agree_together(clinic, "ada", people=12)  # newcomers enter five at a time
    run("--table", "ratings")
    assert len({person for person, _ in duckdb.sql(query).fetchall()}) == 1
    for name in ("ada", *(f"other{number}" for number in range(8))):
        clinic.agree(name, Purpose.RESEARCH, False)
    said = run()
    assert "were deleted" in said
    assert not list(Path(folder).rglob("*.parquet"))
