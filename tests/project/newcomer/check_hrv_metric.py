"""Check that the new metric is in the table and in what the command line prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analytics.hrv import METRICS
from cli.main import app


def test_metric_is_printed(tmp_path: Path) -> None:
    assert METRICS["pnn30_percent"].unit == "%"
    file = tmp_path / "rr.txt"
    rr_ms = [800 + (20 if k % 2 else 60) * (k % 4 < 2) for k in range(400)]
    file.write_text("".join(f"{rr}\n" for rr in rr_ms))
    done = CliRunner().invoke(app, ["hrv", str(file), "--json"])
    assert done.exit_code == 0, done.output
    # Of 860, 820, 800, 800 again and again, 860 to 820 and 800 to 860 differ by more than 30 ms:
    # 100 and 99 of the 399 differences.
    assert json.loads(done.stdout)["pnn30_percent"] == pytest.approx(100 * 199 / 399)
