"""Ratios to peers as they were measured, and what became worse since.

A ratio is of one run on one machine, ours and the peer's side by side; so it may be compared with
that of another day, which a time may not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

RECORDED = Path(__file__).with_name("ratios.json")
MAX_LOSS = 1 / 3


ROWS = "EBBTIDE_BENCHMARK_ROWS"  # a file that each benchmark adds its rows to: benchmarks/table.py


def check(
    benchmark: str,
    ratios: Mapping[str, float],
    record: bool,
    file: Path = RECORDED,
    *,
    seconds: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """Compare with what is recorded, or record. Raises SystemExit where a third of one is gone.

    ``seconds``: ours and what it is compared with, of each ratio, for the table of all benchmarks.
    """
    if os.environ.get(ROWS):
        with Path(os.environ[ROWS]).open("a") as rows:
            for name, ratio in ratios.items():
                row = [benchmark, name, *(seconds or {}).get(name, (None, None)), ratio]
                rows.write(json.dumps(row) + "\n")
    known: dict[str, dict[str, float]] = json.loads(file.read_text()) if file.exists() else {}
    if record:
        known[benchmark] = {name: float(f"{value:.3g}") for name, value in ratios.items()}
        file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
        return
    before = known.get(benchmark, {})
    worse = [
        f"{name}: {value:.3g} times, {before[name]:.3g} when it was recorded"
        for name, value in ratios.items()
        if name in before and value < (1 - MAX_LOSS) * before[name]
    ]
    if worse:
        raise SystemExit("slower than recorded by more than a third:\n" + "\n".join(worse))
