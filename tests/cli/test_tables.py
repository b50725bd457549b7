"""``ebbtide link`` and ``ebbtide outcomes`` on an analyst's own tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import SHARED
from tests.support.signals import clinic

LINK = ["--subject", "who", "--x", "stress", "--y", "pain"]
OUTCOMES = ["--subject", "who", "--time", "t", "--pain", "pain"]


def ebbtide(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ebbtide", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def answer(*arguments: str) -> dict[str, Any]:
    done = ebbtide(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def table(path: Path, slope: float, people: int = 12, when: str = "moments") -> Path:
    who, day, x, y, _ = clinic(np.random.default_rng(7), people, 40, slope)
    frame = pd.DataFrame({"who": [f"P{k}" for k in who], "stress": x, "pain": y})
    if when == "moments":
        at = pd.Timestamp("2026-01-05T07:30:00") + pd.to_timedelta(day, unit="D")
        frame["t"] = at.strftime("%Y-%m-%dT%H:%M")
    else:
        frame["t"] = day
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("time", [["--time", "t"], []])
def test_a_link_of_a_clinic(tmp_path: Path, time: list[str]) -> None:
    found = answer("link", str(table(tmp_path / "t.csv", 0.6)), *LINK, *time)
    assert (found["n_subjects"], found["n_pairs"]) == (12, 480)
    within = found["within"]
    assert within["low"] < 0.6 < within["high"]
    assert within["p_value"] < 0.001 and within["method"]
    assert found["verdict"] == "pain and stress moved together"
    assert found["detrended_rmcorr"]["p_value"] < 0.01
    assert {"r", "dof", "p_value", "low", "high"} <= set(found["rmcorr"])
    assert len(found["subjects"]) == 12 and found["subjects"][0]["subject"] == "P0"
    assert any("order of rows" in caveat for caveat in found["caveats"]) == (not time)


def test_a_shared_fall_is_not_called_a_link(tmp_path: Path) -> None:
    found = answer("link", str(table(tmp_path / "t.csv", 0.0)), *LINK, "--time", "t")
    assert found["rmcorr"]["p_value"] < 1e-6
    assert found["verdict"] == "cannot tell whether pain moved with stress"
    words = ebbtide("link", str(tmp_path / "t.csv"), *LINK, "--time", "t").stdout
    assert "cannot tell" in words and "looks like a link" in words


def test_one_person(tmp_path: Path) -> None:
    found = answer("link", str(table(tmp_path / "t.csv", 0.6, people=1)), *LINK, "--time", "t")
    assert found["n_subjects"] == 1
    assert found["within"]["low"] < 0.6 < found["within"]["high"]
    assert "one step" in found["within"]["method"]


def test_numbers_as_time_are_days(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", 0.6, people=1, when="days")
    found = answer("link", str(path), *LINK, "--time", "t")
    assert found["within"]["low"] < 0.6 < found["within"]["high"]
    frame = pd.read_csv(path)
    frame["t"] /= 10  # all within two days
    frame.to_csv(path, index=False)
    short = answer("link", str(path), *LINK, "--time", "t")
    assert "of at least 7 days" in short["within"]["missing"]
    frame["t"] *= 86_400e4  # seconds, or what not
    frame.to_csv(path, index=False)
    done = ebbtide("link", str(path), *LINK, "--time", "t")
    assert done.returncode == 1
    assert "Numbers are taken for days" in " ".join(done.stderr.split())


def test_a_published_table() -> None:
    path = SHARED / "rmcorr" / "bland1995.csv"
    if not path.is_file():
        pytest.skip("../shared/data/rmcorr is not here")
    found = answer("link", str(path), "--subject", "Subject", "--x", "PaCO2", "--y", "pH")
    assert round(found["rmcorr"]["r"], 4) == -0.5068
    assert found["within"]["estimate"] is None
    assert found["verdict"].startswith("not enough yet")


def test_the_trials_outcomes() -> None:
    path = SHARED / "trial" / "Ashar2022_outcomes_demographics.csv"
    if not path.is_file():
        pytest.skip("../shared/data/trial is not here")
    columns = ["--subject", "id", "--time", "time", "--pain", "pain_avg", "--group", "group"]
    groups = answer("outcomes", str(path), *columns)["groups"]
    assert {name: row["n_baseline"] for name, row in groups.items()} == {"1": 50, "2": 51, "3": 50}
    assert round(groups["1"]["hedges_g"]["2"], 2) == -1.15
    assert round(groups["1"]["hedges_g"]["3"], 2) == -1.78
    assert round(groups["1"]["responders_30_percent"], 1) == 84.1
    assert groups["1"]["pain_free_or_nearly"] == 66
    assert groups["2"]["detail"]["pain_free_or_nearly"]["count"] == 10
    words = ebbtide("outcomes", str(path), *columns).stdout
    assert "33 of 50, 66.0%" in words


BAD = [
    ("who,stress,pain\nA,1,2\nA,x,3\n", ["link", *LINK], "line 3, column 'stress': 'x'"),
    ("who,stress,pain\nA,1,2\n,2,3\n", ["link", *LINK], "line 3: no subject"),
    ("who,stress\nA,1\n", ["link", *LINK], "no column 'pain'"),
    ("who,stress,pain,t\nA,1,2,noon\n", ["link", *LINK, "--time", "t"], "'noon' is no time"),
    ("who,stress,pain,t\nA,1,2,\n", ["link", *LINK, "--time", "t"], "no time in column"),
    ("who,stress,pain\n", ["link", *LINK], "a header and no rows"),
    ("who,pain,pain\nA,1,2\n", ["link", *LINK], "two columns 'pain'"),
    ("", ["link", *LINK], "is empty"),
    ("who,stress,pain\nA,1,2,3\n", ["link", *LINK], "no table"),
    ("who,t,pain\nA,1,2\nA,1,3\nA,2,2\n", ["outcomes", *OUTCOMES], "several rows"),
    ("who,t,pain\nA,1,2\n", ["outcomes", *OUTCOMES], "one time only"),
    (
        "who,t,pain,g\nA,1,2,x\nA,2,3,y\n",
        ["outcomes", *OUTCOMES, "--group", "g"],
        "belongs to one group",
    ),
]


@pytest.mark.parametrize(("text", "command", "words"), BAD)
def test_bad_tables_are_named(tmp_path: Path, text: str, command: list[str], words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    done = ebbtide(command[0], str(path), *command[1:])
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())


def test_moments_in_any_form_of_iso_8601(tmp_path: Path) -> None:
    """With and without seconds, zone and T: the clock of the place is what counts for the hour."""
    from cli.analysis.csv_table import read_table

    path = tmp_path / "t.csv"
    path.write_text(
        "t\n2026-03-01T23:30:00-07:00\n2026-03-02 08:15\n2026-03-02T20:00Z\n"
        "2026-03-03T07:00:30.5+0100\n"
    )
    days, hours = read_table(path).times("t")
    assert hours is not None
    assert hours.tolist() == pytest.approx([23.5, 8.25, 20, 7])
    assert days[0] - days[1] == pytest.approx(-(8.25 - 6.5) / 24)
    path.write_text("t\n2026-03-01\n2026-03-04\n")
    days, hours = read_table(path).times("t")
    assert (days.tolist(), hours) == ([0, 3], None)


def test_semicolons_and_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who;t;pain\nA;1;4\nA;2;\nB;1;5\nB;2;1\n")
    row = answer("outcomes", str(path), *OUTCOMES)["groups"]["all"]
    assert (row["n_baseline"], row["n_after"], row["pain_free_or_nearly"]) == (2, 1, 50)
    assert (row["sd_after"], row["hedges_g"]) == (None, {})
