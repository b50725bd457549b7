"""``ebbtide lake`` where it goes wrong: killed, full, twice at once, what is no lake."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.dataset
import pytest

from cli.analysis.lake_files import _hash, open_lake
from cli.analysis.lake_storage import Storage
from ebbtide.errors import EbbtideError
from tests.conftest import ROOT
from tests.support.lake import (
    PEOPLE,
    batches,
    expected,
    replace,
    require_whole_objects,
    rows,
)

_WRITER = """
import itertools, sys
from tests.support.lake import PEOPLE, batches, replace
for seed in itertools.count(1):
    replace(sys.argv[1], 4, batches(PEOPLE, seed=seed))
    print(seed, flush=True)
"""


def test_a_killed_run_leaves_no_half_file(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    for number in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        if number:  # not the first of all: that one is killed while there is no lake yet
            assert writer.stdout.readline() == "1\n"
        else:
            wait_for(lambda: any(Path(folder, "beats").rglob("*.parquet")))
        time.sleep(0.03 * number)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        found = pyarrow.dataset.dataset(f"{folder}/beats", partitioning="hive").to_table()
        assert found.num_rows == len(rows(folder))
        keys = list(zip(found["person"].to_pylist(), found["time_ns"].to_pylist(), strict=True))
        assert len(set(keys)) == len(keys)
    replace(folder, 4, batches(PEOPLE))
    assert rows(folder) == expected(PEOPLE)
    left = {path.name for path in Path(folder).rglob("*") if path.is_file()}
    assert left == {"rows.parquet", "_lake.json", ".ebbtide-lock"}


def wait_for(is_there: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_there():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come")


def test_two_runs_into_one_folder_do_not_mix(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    with open_lake(folder, "ann", 4) as lake:
        with pytest.raises(EbbtideError, match="Another run writes"):
            replace(folder, 4, batches(PEOPLE))
        lake.replace_table("beats", batches(PEOPLE[:1]), "time_ns")
    replace(folder, 4, batches(PEOPLE))
    assert rows(folder) == expected(PEOPLE)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("{", "not as Ebbtide writes it"),
        ("", "not as Ebbtide writes it"),
        ("[]", "not as Ebbtide writes it"),
        ("\xff", "not as Ebbtide writes it"),
        ("null", "not as Ebbtide writes it"),
        ('{"version": 1}', "not as Ebbtide writes it"),
        ('{"version": 1, "account": "ann", "buckets": 4}', "not as Ebbtide writes it"),
        (
            '{"version": 1, "account": "ann", "buckets": 4, "partitions": {"beats": []}}',
            "not as Ebbtide writes it",
        ),
        ('{"version": 2, "tables": []}', "another version"),
    ],
)
def test_a_state_of_another_shape_is_refused(tmp_path: Path, state: str, words: str) -> None:
    folder = tmp_path / "lake"
    replace(str(folder), 4, batches(PEOPLE[:2]))
    (folder / "_lake.json").write_bytes(state.encode("latin-1"))
    with pytest.raises(EbbtideError, match=words) as caught:
        replace(str(folder), 4, batches(PEOPLE[:2]))
    assert caught.value.remedy


def test_addresses_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "lake"
    file.write_text("a letter")
    with pytest.raises(EbbtideError, match="is a file, and no folder"):
        replace(str(file), 4, ())
    with pytest.raises(EbbtideError, match="cannot be opened"):
        replace(str(file / "below"), 4, ())
    assert file.read_text() == "a letter"
    with pytest.raises(EbbtideError, match="two slashes"):
        replace("s3:/bucket/lake", 4, ())
    assert not (Path.cwd() / "s3:").exists()
    for address in ("s3://", "gs:///"):
        with pytest.raises(EbbtideError, match="names no bucket"):
            replace(address, 4, ())


def test_nothing_is_changed_in_a_folder_of_others(tmp_path: Path) -> None:
    for name in ("letter.txt", ".download.part", ".hidden.ebbtide-part"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(EbbtideError, match="holds other files"):
        replace(str(tmp_path), 4, batches(PEOPLE))
    assert len(list(tmp_path.iterdir())) == 3


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file grows beyond ``size`` bytes: writing fails as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("held", [5_000, 64_000_000])
def test_a_full_disk_is_said_and_nothing_is_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr("cli.analysis.lake_spool._HELD_BYTES", held)
    folder = str(tmp_path / "lake")
    replace(folder, 4, batches(PEOPLE[:10]))
    with small_files(2_500), pytest.raises(EbbtideError, match=r"cannot be (written|held)"):
        replace(folder, 4, batches(PEOPLE, seed=2))
    found = rows(folder)
    assert len({row[:2] for row in found}) == len(found)
    replace(folder, 4, batches(PEOPLE))
    assert rows(folder) == expected(PEOPLE)


def test_a_file_that_was_cut_is_written_again(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    replace(folder, 4, batches(PEOPLE))
    cut = next(Path(folder).rglob("*.parquet"))
    cut.write_bytes(cut.read_bytes()[:-100])
    assert replace(folder, 4, batches(PEOPLE)).written == 1
    assert rows(folder) == expected(PEOPLE)


def test_a_first_run_that_was_stopped_is_a_lake(tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    with small_files(100), pytest.raises(EbbtideError):
        replace(folder, 4, batches(PEOPLE))
    assert not Path(folder, "_lake.json").exists()  # nothing was written: it is nobody's yet
    with open_lake(folder, "ann", 4) as lake:
        lake._forget("beats")
        assert json.loads(Path(folder, "_lake.json").read_text())["account"] == "ann"


def test_a_large_file_is_hashed_in_little_memory(tmp_path: Path) -> None:
    large = tmp_path / "rows"
    with large.open("wb") as out:
        out.truncate(50_000_000)
    tracemalloc.start()
    _hash(large)
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert highest < 2_000_000


def test_a_store_never_shows_half_an_object() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    require_whole_objects(Storage("memory://clinic/lake"))
    assert list(memory.store) == ["/clinic/lake/rows.parquet"]
    memory.store.clear()
