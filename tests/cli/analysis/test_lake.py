"""``ebbtide lake``: partitions, what a stopped run leaves, erasure, an object store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pytest
from typer.testing import CliRunner

from cli.analysis.lake_storage import Storage
from cli.main import app
from ebbtide.errors import EbbtideError
from store import Stores
from store.models import Purpose
from tests.support.accounts import PASSWORD
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import agree_together, with_movable_clock
from tests.support.lake import (
    PEOPLE,
    batches,
    expected,
    object_store,
    replace,
    require_whole_objects,
    rows,
)


def test_each_row_is_there_once_whatever_changes(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    first = replace(folder, 4, batches(PEOPLE))
    assert (first.rows, first.written, first.unchanged, first.deleted) == (3600, 4 * 3, 0, 0)
    assert rows(folder) == expected(PEOPLE)
    again = replace(folder, 4, batches(PEOPLE))
    assert (again.written, again.unchanged, again.deleted) == (0, 12, 0)
    grown = replace(folder, 4, batches(PEOPLE, 95))
    assert (grown.written, grown.unchanged) == (4, 12)  # only April is new
    left = PEOPLE[1:]
    replace(folder, 4, batches(left))
    assert rows(folder) == expected(left)
    assert not list(Path(folder).rglob("month=1970-04"))
    assert Path(folder).stat().st_mode & 0o077 == 0


def test_memory_is_bounded_and_the_order_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.analysis.lake_spool._HELD_BYTES", 5_000)
    folder = str(tmp_path / "lake")
    replace(folder, 3, batches(PEOPLE))
    assert rows(folder) == expected(PEOPLE)


def test_what_breaks_off_while_it_arrives_changes_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    replace(folder, 4, batches(PEOPLE))

    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(PEOPLE[:3], seed=2)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        replace(folder, 4, broken())
    assert rows(folder) == expected(PEOPLE)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_run_that_was_stopped_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    folder = str(tmp_path / "lake")
    replace(folder, 4, batches(PEOPLE))
    put, count = Storage.put, 0

    def stopped(self: Storage, file: Path, name: str) -> None:
        nonlocal count
        count += 1
        if count > after:
            raise KeyboardInterrupt
        put(self, file, name)

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "put", stopped)
        with pytest.raises(KeyboardInterrupt):
            replace(folder, 4, batches(PEOPLE[5:], seed=2))
    # The content before: a state of the stopped run must not claim that it is there.
    replace(folder, 4, batches(PEOPLE))
    assert rows(folder) == expected(PEOPLE)
    # And files that only the stopped run wrote go.
    replace(folder, 4, batches(PEOPLE[:1]))
    assert rows(folder) == expected(PEOPLE[:1])


def test_folders_of_others_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    replace(str(folder), 4, batches(PEOPLE[:2]))
    with pytest.raises(EbbtideError, match="another account"):
        replace(str(folder), 4, (), "ben")
    with pytest.raises(EbbtideError, match="has 4 buckets"):
        replace(str(folder), 8, (), "ann")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother.txt").write_text("dear")
    with pytest.raises(EbbtideError, match="holds other files"):
        replace(str(tmp_path / "letters"), 4, (), "ann")
    with pytest.raises(EbbtideError, match="cannot be opened"):
        replace("nothing://bucket/lake", 4, (), "ann")


def test_a_lake_in_an_object_store(monkeypatch: pytest.MonkeyPatch) -> None:
    with object_store(monkeypatch) as (client, query):
        address = f"s3://clinic/lake{query}"
        replace(address, 4, batches(PEOPLE[:6]))
        again = replace(address, 4, batches(PEOPLE[:6]))
        assert (again.written, again.deleted) == (0, 0)
        replace(address, 4, batches(PEOPLE[:1]))
        found = client.list_objects_v2(Bucket="clinic")["Contents"]
        files = sorted(item["Key"] for item in found)
        assert len([name for name in files if name.endswith(".parquet")]) == 3
        with pytest.raises(EbbtideError, match="cannot be opened"):
            replace(address.replace("clinic", "nobodys"), 4, (), "ann")
        require_whole_objects(Storage(address.replace("lake", "other")))
        stored = client.list_objects_v2(Bucket="clinic", Prefix="other")["Contents"]
        assert [item["Key"] for item in stored if item["Size"]] == ["other/rows.parquet"]
        replace(address, 4, batches(PEOPLE))  # more than one object a partition would be seen here
        everything = pyarrow.dataset.dataset(address, exclude_invalid_files=True)
        assert everything.count_rows() == 3600


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

    monkeypatch.setenv("EBBTIDE_TOKEN", "stale")
    said = run()
    assert "does not take the token" in said
    assert "Make another on the page Research" in said
    patients = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
    monkeypatch.setenv("EBBTIDE_TOKEN", patients)
    assert "signed in as an analyst" in run()
    monkeypatch.delenv("EBBTIDE_TOKEN")
    words = ["lake", folder, "--email", "ann@example.org"]
    done = CliRunner().invoke(app, words, input="wrong\n")
    assert "Check the address and the password" in str(done.exception)
    said = run()
    assert "beats: " in said
    theirs = clinic["ann"].get("/v1/research/ratings").raise_for_status().json()["rows"]
    query = f"SELECT person, rating FROM read_parquet('{folder}/ratings/**/*.parquet') ORDER BY ALL"
    found = duckdb.sql(query).fetchall()
    assert found == sorted((row["person"], row["rating"]) for row in theirs)
    assert len({person for person, _ in found}) == 2
    assert "ratings: 12 rows; 0 files written" in run("--table", "ratings")
    everybody = f"SELECT DISTINCT person FROM read_parquet('{folder}/{{}}/**/*.parquet')"
    before = {row["person"] for row in theirs}
    tables = ("ratings", "beats", "hrv", "sessions")
    for table in tables:
        assert len({*duckdb.sql(everybody.format(table)).fetchall()}) == 2
    clinic.agree("eve", Purpose.RESEARCH, False)
    agree_together(clinic, "ada", people=12)  # newcomers enter five at a time
    run("--table", "ratings")
    (ada,) = {row["person"] for row in clinic["ann"].get("/v1/research/ratings").json()["rows"]}
    assert ada in before
    for table in tables:  # the other is gone from what was not asked for, too
        assert {*duckdb.sql(everybody.format(table)).fetchall()} == {(ada,)}
    for name in ("ada", *(f"other{number}" for number in range(8))):
        clinic.agree(name, Purpose.RESEARCH, False)
    said = run()
    assert "were deleted" in said
    assert not list(Path(folder).rglob("*.parquet"))
