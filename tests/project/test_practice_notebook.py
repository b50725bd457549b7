"""docs/guides/practice-by-lot.ipynb runs on exported columns, and gives what analytics gives."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from analytics.practice import wcls
from api.export.columns import Table, table_columns
from tests.conftest import ROOT


def test_the_notebook_gives_what_analytics_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    n = 60 * 20
    chance = rng.choice([1 / 3, 0.5, 2 / 3], n)
    table = pd.DataFrame(
        {
            "person": np.repeat([f"person {number}" for number in range(60)], 20),
            "available": rng.random(n) < 0.9,
            "probability": chance,
            "offered": (rng.random(n) < chance).astype(object),
            "stress_before": rng.integers(2, 9, n).astype(float),
        }
    )
    table["stress_after"] = (
        table["stress_before"] - 0.8 * table["offered"].astype(float) + rng.normal(0, 1, n)
    )
    table.loc[rng.random(n) < 0.1, "stress_after"] = np.nan
    table.loc[~table["available"], ["probability", "offered", "stress_after"]] = None
    assert set(table) <= set(table_columns(Table.DECISION_POINTS, True))
    path = tmp_path / "decision_points.csv"
    table.to_csv(path, index=False)
    monkeypatch.setenv("EBBTIDE_DECISION_POINTS", str(path))
    found: dict[str, object] = {}
    notebook = nbformat.read(ROOT / "docs" / "guides" / "practice-by-lot.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(cell.source, found)
    fit, used = found["fit"], table.dropna()
    (effect,) = wcls(
        used["person"].tolist(),
        used["stress_after"].to_numpy(float),
        used["offered"].to_numpy(float),
        used["probability"].to_numpy(float),
        controls={"stress before": used["stress_before"].to_numpy(float)},
        numerator=0.5,
    ).effects
    assert fit.params["effect"] == pytest.approx(effect.estimate, abs=1e-8)  # type: ignore[attr-defined]
    assert fit.bse["effect"] == pytest.approx(effect.error, abs=1e-6)  # type: ignore[attr-defined]
    assert effect.low < -0.8 < effect.high
