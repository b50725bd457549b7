"""``ebbtide sample``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from cli.analysis.interval_file import read_intervals
from cli.demo.sample import sample
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import to_datetime
from ingest.files.registry import open_recording


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("here") / "sample"
    sample(target)
    return target


def test_it_is_the_same_each_time_and_overwrites_nothing(folder: Path, tmp_path: Path) -> None:
    sample(tmp_path / "again")
    first, second = (
        {file.name: file.read_bytes() for file in where.iterdir()}
        for where in (folder, tmp_path / "again")
    )
    assert first == second
    (folder / "trial.csv").write_text("mine")
    with pytest.raises(EbbtideError, match=r"night\.txt is there already"):
        sample(folder)
    assert (folder / "trial.csv").read_text() == "mine"
    sample(folder, force=True)
    assert (folder / "trial.csv").read_bytes() == first["trial.csv"]


def test_each_file_says_that_it_is_simulated(folder: Path) -> None:
    names = {file.name for file in folder.iterdir()}
    assert names == {
        *("night.txt", "walk.hrm", "ratings.csv", "trial.csv", "bundle.json", "README.txt")
    }
    for name in ("night.txt", "walk.hrm", "README.txt"):
        assert "Simulated by ebbtide sample" in (folder / name).read_text()
    for name in ("ratings.csv", "trial.csv"):
        with (folder / name).open() as file:
            assert {row["simulated"] for row in csv.DictReader(file)} == {"yes"}
    for entry in json.loads((folder / "bundle.json").read_text())["entry"]:
        assert entry["resource"]["meta"]["security"][0]["code"] == "HTEST"


def test_recordings_are_read_whole(folder: Path) -> None:
    night = read_intervals(folder / "night.txt")
    assert not night.problems and not night.notes
    assert 115 * 60 < night.time_s[-1] < 121 * 60
    walk = open_recording(folder / "walk.hrm", zone="Europe/Berlin")
    (recording,) = walk.recordings
    assert not walk.problems
    assert f"{to_datetime(recording.start_ns):%Y-%m-%dT%H:%M:%S}" == "2025-03-03T07:00:00"
    assert recording.beats > 2500
