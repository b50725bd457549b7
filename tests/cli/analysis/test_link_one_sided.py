"""Rows and people with one of pain and stress alone, in tables and in a lake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cli.analysis.cohort.link import SCHEMA, Ratings, person_row, pooled_row
from ebbtide.timestamps import DAY, HOUR
from tests.support.command_line import run_ebbtide, run_ebbtide_json

LINK = ["--subject", "who", "--x", "stress", "--y", "pain"]


@pytest.mark.parametrize(("empty", "words"), [(1, "1 row has"), (7, "7 rows have")])
def test_an_empty_cell_is_no_pair_and_never_0(tmp_path: Path, empty: int, words: str) -> None:
    rng = np.random.default_rng(2)
    stress = rng.integers(4, 10, 60).astype(object)
    pain = np.clip(stress.astype(float) + rng.integers(-1, 2, 60), 0, 10)
    stress[:empty] = ""
    frame = pd.DataFrame({"who": "A", "stress": stress, "pain": pain})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame[empty:].to_csv(tmp_path / "rest.csv", index=False)
    found = run_ebbtide_json("link", str(tmp_path / "t.csv"), *LINK)
    rest = run_ebbtide_json("link", str(tmp_path / "rest.csv"), *LINK)
    assert found["n_pairs"] == rest["n_pairs"] == 60 - empty
    line = f"{words} stress or pain alone, and could not be used."
    assert line in found["caveats"]
    assert not any("alone, and could" in caveat for caveat in rest["caveats"])
    assert line in run_ebbtide("link", str(tmp_path / "t.csv"), *LINK).stdout


def person(seed: int, *, apart: bool) -> Ratings:
    rng = np.random.default_rng(seed)
    k = np.arange(80)
    stress = rng.integers(2, 9, 40).repeat(2).astype(np.float64)
    pain = np.clip(stress + rng.integers(-1, 2, 80), 0, 10)
    if apart:
        stress, pain = np.where(k % 2, np.nan, stress), np.where(k % 2, pain, np.nan)
    else:
        stress = stress + rng.integers(-1, 2, 80)
    times = k // 2 * DAY + (8 + 2 * (k % 2)) * HOUR
    return Ratings(times, stress, pain, np.empty(0), True)


def test_a_lake_gives_who_was_asked_apart_that_answer() -> None:
    row = person_row("a", person(1, apart=True))
    assert set(row) == set(SCHEMA.names)
    assert row["asked_apart"] and row["ratings"] == 40 and row["missing"] is None
    assert "40 pairs of ratings" in row["sentence"]
    both = person_row("b", person(2, apart=False))
    assert not both["asked_apart"] and both["ratings"] == 80


def test_a_clinic_says_who_is_not_in_its_answer() -> None:
    people = [person(k, apart=False) for k in range(6)]
    alone = pooled_row(people)
    assert alone["warnings"] == [] and alone["people"] == 6
    one = pooled_row([person(9, apart=True), *people])
    assert one["warnings"][0].startswith("1 person was asked for pain and stress at different")
    two = pooled_row([*people, person(9, apart=True), person(10, apart=True)])
    assert two["warnings"][0].startswith("2 people were asked for pain and stress at different")
    assert alone["estimate"] == one["estimate"] == two["estimate"]
