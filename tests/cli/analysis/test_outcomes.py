"""``ebbtide outcomes`` on an analyst's tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.support.command_line import run_ebbtide, run_ebbtide_json

OUTCOMES = ["--subject", "who", "--time", "t", "--pain", "pain"]


def test_the_trials_outcomes() -> None:
    path = SHARED / "trial" / "Ashar2022_outcomes_demographics.csv"
    if not path.is_file():
        pytest.skip("../shared/data/trial is not here")
    columns = ["--subject", "id", "--time", "time", "--pain", "pain_avg", "--group", "group"]
    groups = run_ebbtide_json("outcomes", str(path), *columns)["groups"]
    assert {name: row["n_baseline"] for name, row in groups.items()} == {"1": 50, "2": 51, "3": 50}
    assert round(groups["1"]["hedges_g"]["2"], 2) == -1.15
    assert round(groups["1"]["hedges_g"]["3"], 2) == -1.78
    assert round(groups["1"]["responders_30_percent"], 1) == 84.1
    assert groups["1"]["pain_free_or_nearly"] == 66
    assert groups["2"]["detail"]["pain_free_or_nearly"]["count"] == 10
    words = run_ebbtide("outcomes", str(path), *columns).stdout
    assert "33 of 50, 66.0%" in words


def test_semicolons_and_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who;t;pain\nA;1;4\nA;2;\nB;1;5\nB;2;1\n")
    row = run_ebbtide_json("outcomes", str(path), *OUTCOMES)["groups"]["all"]
    assert (row["n_baseline"], row["n_after"], row["pain_free_or_nearly"]) == (2, 1, 50)
    assert (row["sd_after"], row["hedges_g"]) == (None, {})
