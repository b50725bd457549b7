"""``ebbtide cohort`` where lake and results are in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cohort_lake import write_lake
from cli.analysis.cohort.command import _beside
from cli.analysis.cohort.run import _Here, run_cohort
from tests.support.lake import object_store


def test_lake_and_results_in_an_object_store(monkeypatch: pytest.MonkeyPatch) -> None:
    with object_store(monkeypatch) as (client, query):
        lake = f"s3://clinic/lake{query}"
        write_lake(lake, 6, 12, buckets=2)
        for _ in range(2):  # the second replaces the first
            done = run_cohort("link", lake, _beside(lake), _Here(), 1, lambda *_: None)
            assert (done.people, done.left_out) == (6, [])
        found = client.list_objects_v2(Bucket="clinic", Prefix="lake-results/")["Contents"]
        names = [item["Key"] for item in found if not item["Key"].endswith("/")]
        assert "lake-results/_link.json" in names
        assert len([name for name in names if name.startswith("lake-results/link/")]) == done.files


def test_results_are_beside_the_lake(tmp_path: Path) -> None:
    assert _beside(f"{tmp_path}/lake/") == f"{tmp_path}/lake-results"
    assert _beside("s3://b/lake?region=x") == "s3://b/lake-results?region=x"
