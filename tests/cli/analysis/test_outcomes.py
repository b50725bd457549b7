"""``ebbtide outcomes`` on an analyst's tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
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


MEASURES = (
    *("pcs", "tsk11", "promis_dep", "promis_anxiety", "promis_sleep", "promis_anger"),
    *("panas_na", "panas_pa"),
)


def test_the_trials_questionnaires_are_those_of_plain_pandas() -> None:
    path = SHARED / "trial" / "Ashar2022_outcomes_demographics.csv"
    if not path.is_file():
        pytest.skip("../shared/data/trial is not here")
    columns = ["--subject", "id", "--time", "time", "--pain", "pain_avg", "--group", "group"]
    also = [word for name in MEASURES for word in ("--also", name)]
    found = run_ebbtide_json("outcomes", str(path), *columns, *also)["measures"]
    plain = pd.read_csv(path)
    plain = plain[(plain["is_patient"] == 1) & plain["group"].notna()]
    for name in MEASURES:
        wide = plain.pivot(index="id", columns="time", values=name)
        wide["change"] = wide[2] - wide[1]
        arm = plain.groupby("id")["group"].first()
        for group in (1, 2, 3):
            row, of_arm = found[name][str(group)], wide[arm == group]
            for label, column in (("before", 1), ("after", 2), ("change", "change")):
                assert row[f"n_{label}"] == of_arm[column].count()
                assert row[f"mean_{label}"] == pytest.approx(of_arm[column].mean())
                assert row[f"sd_{label}"] == pytest.approx(of_arm[column].std())
    assert round(found["pcs"]["1"]["mean_change"], 2) == -6.66
    assert round(found["tsk11"]["1"]["mean_change"], 2) == -7.68


def test_another_measure_with_its_missing_code(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who,t,pain,gad\nA,0,8,14\nA,1,1,-9\nB,0,6,10\nB,1,5,4\nC,0,7,\nC,1,2,3\n")
    words = [*OUTCOMES, "--scale", "0-10", "--also", "gad", "--missing", "gad=-9"]
    row = run_ebbtide_json("outcomes", str(path), *words)["measures"]["gad"]["all"]
    assert (row["n_before"], row["mean_before"], row["n_after"], row["mean_after"]) == (
        2,
        12,
        2,
        3.5,
    )
    assert (row["n_change"], row["mean_change"], row["sd_change"]) == (1, -6, None)
    assert "gad: before 12.000" in run_ebbtide("outcomes", str(path), *words).stdout


def test_semicolons_and_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who;t;pain\nA;1;4\nA;2;\nB;1;5\nB;2;1\n")
    row = run_ebbtide_json("outcomes", str(path), *OUTCOMES, "--scale", "0-10")["groups"]["all"]
    assert (row["n_baseline"], row["n_after"], row["pain_free_or_nearly"]) == (2, 1, 50)
    assert (row["sd_after"], row["hedges_g"]) == (None, {})


def test_codes_off_the_scale_are_missing_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = ["A,0,8", "A,1,1", "B,0,6", "B,1,-99", "C,0,7", "C,1,NA", "D,0,9", "D,1,999"]
    path.write_text("\n".join(["who,t,pain", *rows]))
    found = run_ebbtide_json("outcomes", str(path), *OUTCOMES)
    row = found["groups"]["all"]
    assert (row["n_baseline"], row["n_after"], row["mean_after"]) == (4, 1, 1)
    assert found["missing_codes"] == {"pain": {"NA": 1, "-99": 1, "999": 1}}
    assert found["scale"] == [0, 10]


def test_the_rule_of_0_or_1_needs_a_certain_scale(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who,t,pain\nA,0,60\nA,1,9\nB,0,70\nB,1,50\n")
    row = run_ebbtide_json("outcomes", str(path), *OUTCOMES)["groups"]["all"]
    assert row["pain_free_or_nearly"] is None and row["responders_50_percent"] == 50
    assert "scale is not certain" in row["detail"]["pain_free_or_nearly"]["missing_reason"]
    known = run_ebbtide_json("outcomes", str(path), *OUTCOMES, "--scale", "0-100")
    assert known["groups"]["all"]["pain_free_or_nearly"] == 50
    done = run_ebbtide("outcomes", str(path), *OUTCOMES, "--scale", "0-10")
    assert done.returncode == 1 and "off the scale 0 to 10" in " ".join(done.stderr.split())


def test_each_subject_has_its_own_first_and_last_date(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [
        "A,14.01.2026,8",
        "A,20.02.2026,4",
        "B,01.03.2026,6",
        "B,05.04.2026,6",
        "B,05.04.2026,6",
    ]
    path.write_text("\n".join(["who,t,pain", *rows, "C,02.02.2026,7"]))
    found = run_ebbtide_json("outcomes", str(path), *OUTCOMES)
    row = found["groups"]["all"]
    assert (row["n_baseline"], row["n_after"], row["mean_after"]) == (3, 2, 5)
    assert (found["before"], found["duplicate_rows"]) == (None, 1)


def test_groups_are_compared_with_the_reason_under_one_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [
        f"{arm}{n},{arm},{t},{6 - t * (1 + n % 3)}"
        for arm in "ab"
        for n in range(9)
        for t in (0, 1)
    ]
    path.write_text("\n".join(["who,arm,t,pain", *rows, "z0,z,0,5", "z0,z,1,4"]))
    found = run_ebbtide_json("outcomes", str(path), *OUTCOMES, "--group", "arm")["groups"]
    against = found["a"]["detail"]["hedges_g"]
    assert against["b"]["missing"] is None and against["b"]["g"] == found["a"]["hedges_g"]["b"]
    assert against["z"]["missing"] and against["z"]["g"] is None
    assert "missing_reason" not in against["z"]
    assert "against z" in run_ebbtide("outcomes", str(path), *OUTCOMES, "--group", "arm").stdout
