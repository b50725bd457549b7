"""The check that fails when a ratio to a peer has lost a third."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.ratios import RECORDED, ROWS, check


def test_a_third_less_fails_and_more_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ROWS, raising=False)
    file = tmp_path / "ratios.json"
    check("hrv", {"a": 300.0, "b": 0.877}, True, file)
    assert json.loads(file.read_text()) == {"hrv": {"a": 300.0, "b": 0.877}}
    check("hrv", {"a": 201.0, "b": 0.6, "new": 1.0}, False, file)
    with pytest.raises(SystemExit, match=r"a: 199 times, 300 when it was recorded"):
        check("hrv", {"a": 199.0}, False, file)
    with pytest.raises(SystemExit, match=r"b: 0\.5 times"):
        check("hrv", {"b": 0.5}, False, file)
    check("other", {"a": 1.0}, False, file)


def test_the_table_gets_a_row_for_each_ratio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows"
    monkeypatch.setenv(ROWS, str(rows))
    file = tmp_path / "ratios.json"
    check("hrv", {"a": 3.0, "b": 2.0}, False, file, seconds={"a": (1.0, 3.0)})
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert found == [["hrv", "a", 1.0, 3.0, 3.0], ["hrv", "b", None, None, 2.0]]


def test_what_is_recorded_is_above_nothing() -> None:
    recorded = json.loads(RECORDED.read_text())
    assert {"startup", "live"} <= recorded.keys()
    assert all(value > 0 for ratios in recorded.values() for value in ratios.values())
