"""``ebbtide cohort`` on the lake of a clinic says what its API says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cli.analysis.cohort.run import _Here, run_cohort
from cli.main import app
from ebbtide.errors import EbbtideError
from store import Stores
from tests.support.accounts import PASSWORD
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import agree_together, with_movable_clock


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    stores, clock = with_movable_clock(stores)
    with opened_clinic(stores) as opened:
        for seed, name in enumerate(("ada", "eve")):
            fill(stores, opened.people[name], seed=seed)
        clock.until_released(opened)
        agree_together(opened, "ada", "eve", people=5)
        yield opened


def test_a_lake_of_the_api_gives_its_windows_and_words(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, out = str(tmp_path / "lake"), str(tmp_path / "out")
    monkeypatch.setenv("EBBTIDE_API_URL", clinic.url)
    words = ["lake", lake, "--email", "ann@example.org", "--buckets", "4"]
    written = CliRunner().invoke(app, words, input=f"{PASSWORD}\n")
    assert written.exit_code == 0, written.output

    def run(what: str) -> int:
        return run_cohort(what, lake, out, _Here(), 1, lambda *_: None).people

    assert run("hrv") == 2
    both = duckdb.sql(
        "SELECT own.rmssd_ms AS own, api.rmssd_ms AS api, own.beats, own.start IS NULL AS lost, "
        "api.start IS NULL AS more, own.start = api.start AS same FROM "
        f"read_parquet('{out}/hrv/**/*.parquet', hive_partitioning = false) own "
        f"FULL JOIN read_parquet('{lake}/hrv/**/*.parquet', hive_partitioning = false) api "
        "USING (person, start_ns)"
    ).fetchnumpy()
    assert not both["lost"].any()
    # Beats of a lake are rounded down to a millisecond: one may come to lie in the window before.
    assert set(both["beats"][both["more"]].tolist()) <= {1}
    assert len(both["lost"]) > 100
    assert both["same"][~both["more"]].all()
    apart = abs(both["own"] / both["api"] - 1).compressed()
    assert len(apart) > 100 and apart.max() < 0.05 and (apart < 1e-5).mean() > 0.5
    assert run("link") == 2
    row = pq.read_table(f"{out}/link_cohort/rows.parquet").to_pylist()[0]
    theirs = clinic["ann"].get("/v1/research/clinic-link").raise_for_status().json()
    assert (row["verdict"], row["ratings"]) == (theirs["verdict"], theirs["ratings"])
    assert "Not enough yet" in row["verdict"]
    with pytest.raises(EbbtideError, match="no draws"):
        run("practice")
