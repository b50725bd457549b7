"""``ebbtide link`` on an analyst's tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import SHARED
from tests.support.cohort import simulate_cohort
from tests.support.command_line import run_ebbtide, run_ebbtide_json

LINK = ["--subject", "who", "--x", "stress", "--y", "pain"]


def table(path: Path, slope: float, people: int = 12, when: str = "moments") -> Path:
    who, day, x, y = simulate_cohort(np.random.default_rng(7), people, 40, slope)
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
    found = run_ebbtide_json("link", str(table(tmp_path / "t.csv", 0.6)), *LINK, *time)
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
    found = run_ebbtide_json("link", str(table(tmp_path / "t.csv", 0.0)), *LINK, "--time", "t")
    assert found["rmcorr"]["p_value"] < 1e-6
    assert found["verdict"] == "cannot tell whether pain moved with stress"
    words = run_ebbtide("link", str(tmp_path / "t.csv"), *LINK, "--time", "t").stdout
    assert "cannot tell" in words and "looks like a link" in words


def test_one_person(tmp_path: Path) -> None:
    found = run_ebbtide_json(
        "link", str(table(tmp_path / "t.csv", 0.6, people=1)), *LINK, "--time", "t"
    )
    assert found["n_subjects"] == 1
    assert found["within"]["low"] < 0.6 < found["within"]["high"]
    assert "one or two steps" in found["within"]["method"]


def test_numbers_as_time_are_days(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", 0.6, people=1, when="days")
    found = run_ebbtide_json("link", str(path), *LINK, "--time", "t")
    assert found["within"]["low"] < 0.6 < found["within"]["high"]
    frame = pd.read_csv(path)
    frame["t"] /= 10  # all within two days
    frame.to_csv(path, index=False)
    short = run_ebbtide_json("link", str(path), *LINK, "--time", "t")
    assert "of at least 7 days" in short["within"]["missing"]
    for row in ("rmcorr", "detrended_rmcorr"):
        assert "missing" in short[row] and "missing_reason" not in short[row]
    frame["t"] *= 86_400e4  # seconds, or what not
    frame.to_csv(path, index=False)
    done = run_ebbtide("link", str(path), *LINK, "--time", "t")
    assert done.returncode == 1
    assert "Numbers are taken for days" in " ".join(done.stderr.split())


def test_a_published_table() -> None:
    path = SHARED / "rmcorr" / "bland1995.csv"
    if not path.is_file():
        pytest.skip("../shared/data/rmcorr is not here")
    found = run_ebbtide_json("link", str(path), "--subject", "Subject", "--x", "PaCO2", "--y", "pH")
    assert round(found["rmcorr"]["r"], 4) == -0.5068
    assert found["within"]["estimate"] is None
    assert found["verdict"].startswith("not enough yet")


def test_copies_row_order_and_spellings_of_time_change_nothing(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", 0.2)
    once = run_ebbtide_json("link", str(path), *LINK, "--time", "t")
    frame = pd.read_csv(path)
    again = frame.sample(frac=0.6, random_state=1)
    again["t"] = [f"{pd.Timestamp(t).value // 10**6}" for t in again["t"]]
    frame["t"] += ":00Z"
    mixed = pd.concat([frame, again]).sample(frac=1, random_state=2)
    mixed.to_csv(path, index=False)
    found = run_ebbtide_json("link", str(path), *LINK, "--time", "t")
    assert found["duplicate_rows"] == len(again)
    assert any("repeat another one" in caveat for caveat in found["caveats"])
    for part in ("n_pairs", "within", "rmcorr", "detrended_rmcorr", "subjects", "verdict"):
        assert found[part] == once[part]


def test_codes_that_stand_apart_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", 0.0)
    frame = pd.read_csv(path).astype({"stress": object, "pain": object})
    frame.loc[::20, ["stress", "pain"]] = -99
    frame.loc[7, "pain"] = "."
    frame.to_csv(path, index=False)
    done = run_ebbtide("link", str(path), *LINK, "--time", "t")
    assert done.returncode == 1
    assert "--missing -99" in " ".join(done.stderr.split())
    found = run_ebbtide_json("link", str(path), *LINK, "--time", "t", "--missing", "-99")
    assert found["missing_codes"] == {"stress": {"-99": 24}, "pain": {".": 1, "-99": 24}}
    assert found["n_pairs"] == 480 - 25


def test_equal_ratings_of_one_day_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who,t,stress,pain\nA,1,3,4\nA,1,3,4\nA,1,2,4\nA,2,5,5\n")
    done = run_ebbtide("link", str(path), *LINK, "--time", "t")
    assert done.returncode == 1 and "--repeated drop" in " ".join(done.stderr.split())
    unchanged = run_ebbtide_json("link", str(path), *LINK, "--time", "t", "--repeated", "keep")
    assert (unchanged["n_pairs"], unchanged["duplicate_rows"]) == (4, 0)


def test_a_week_that_both_have_is_no_link_of_one_person(tmp_path: Path) -> None:
    """Free days in the middle of the week, seen at two ratings a day from a Thursday on."""
    rng = np.random.default_rng(31)
    at = pd.Timestamp("2026-01-08T09:00") + pd.to_timedelta(np.arange(84) * 11 / 22, unit="D")
    off = -3.0 * np.array([when.weekday() in (1, 2) for when in at.to_pydatetime()])
    stress, pain = (6 + off + rng.standard_normal(84) for _ in "xy")
    frame = pd.DataFrame({"who": "A", "t": at.strftime("%Y-%m-%dT%H:%M"), "stress": stress})
    frame.assign(pain=pain).to_csv(tmp_path / "t.csv", index=False)
    found = run_ebbtide_json("link", str(tmp_path / "t.csv"), *LINK, "--time", "t")
    assert found["verdict"] == "cannot tell whether pain moved with stress"
    assert any("follow the weekday" in line for line in found["caveats"])
    # Rows without times have no week: then it looks like a link, which is what it is for.
    rows = run_ebbtide_json("link", str(tmp_path / "t.csv"), *LINK)
    assert not any("weekday" in line or "time of day" in line for line in rows["caveats"])
