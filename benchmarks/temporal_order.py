"""How often the order of pain and stress is called, and called the wrong way round.

    nice uv run python -m benchmarks.temporal_order --draws 500 --file build/temporal_order.jsonl

One JSON line for each 25 draws; a run that is stopped goes on where it was, and ``--table`` prints
what is there with Monte-Carlo errors. Seeds follow from the row and the number of the line.

Rows: nothing linked; linked at the same moment alone; a hidden mood that moves both, seen through
noise; pain first; stress first. A right answer is a call in the last two only, of that direction.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics.association.within_person import lagged_link

Array = NDArray[np.float64]
CELL = 25
MONDAY_NS = 1_790_553_600_000_000_000  # 28 September 2026, 00:00


def ar(rng: np.random.Generator, n: int, rho: float) -> Array:
    """Autoregressive noise with standard deviation 1."""
    v: Array = signal.lfilter([np.sqrt(1 - rho**2)], [1, -rho], rng.standard_normal(n + 200))[200:]
    return v


def after(first: Array, rng: np.random.Generator) -> Array:
    """Follow another series one rating later, with noise of its own."""
    result: Array = 0.5 * np.append(0.0, first[:-1]) + 0.7 * ar(rng, len(first), 0.4)
    return result


def nothing(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Two unrelated series."""
    return ar(rng, n, 0.6), ar(rng, n, 0.6)


def same_moment(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Linked at the same moment, and both linger."""
    stress = ar(rng, n, 0.6)
    return stress, 0.5 * stress + 0.7 * ar(rng, n, 0.6)


def hidden_mood(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A mood that lingers, rated twice through noise."""
    mood = ar(rng, n, 0.7)
    return mood + 0.8 * rng.standard_normal(n), mood + 0.8 * rng.standard_normal(n)


def uneven_mood(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """The same with more noise in stress than in pain."""
    mood = ar(rng, n, 0.7)
    return mood + 1.2 * rng.standard_normal(n), mood + 0.5 * rng.standard_normal(n)


def pain_first(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Stress follows pain."""
    pain = ar(rng, n, 0.5)
    return after(pain, rng), pain


def stress_first(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Pain follows stress."""
    stress = ar(rng, n, 0.5)
    return stress, after(stress, rng)


ROWS: dict[str, Callable[[np.random.Generator, int], tuple[Array, Array]]] = {
    "nothing linked": nothing,
    "linked at the same moment alone": same_moment,
    "a hidden mood moves both": hidden_mood,
    "a hidden mood, stress rated more roughly": uneven_mood,
    "pain first": pain_first,
    "stress first": stress_first,
}


def run_cell(name: str, n: int, cell: int) -> dict[str, object]:
    """Draw one cell, and count what is called."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), n, cell])
    stress_called = pain_called = 0
    k = np.arange(n)
    days = k // 2 + np.array([9.0, 20.0])[k % 2] / 24
    ns = MONDAY_NS + np.round(days * 86_400e9).astype(np.int64)
    fall = 6 - 3 * np.linspace(0, 1, n)
    for _ in range(CELL):
        stress, pain = (fall + 1.3 * part for part in ROWS[name](rng, n))
        stress_called += lagged_link(ns, stress, pain, days % 1 * 24).clear
        pain_called += lagged_link(ns, pain, stress, days % 1 * 24).clear
    return {"name": name, "n": n, "cell": cell, "stress": stress_called, "pain": pain_called}


def print_table(file: Path) -> None:
    """Print percent called, with Monte-Carlo errors."""
    rows: dict[tuple[str, int], list[dict[str, int]]] = {}
    for line in file.read_text().splitlines():
        cell = json.loads(line)
        rows.setdefault((cell["name"], cell["n"]), []).append(cell)
    print("| row | ratings | draws | stress called first | pain called first |")
    print("| --- | --- | --- | --- | --- |")
    for (name, n), cells in rows.items():
        draws = CELL * len(cells)
        shares = [sum(cell[key] for cell in cells) / draws for key in ("stress", "pain")]
        texts = [f"{100 * p:.1f} ({100 * np.sqrt(p * (1 - p) / draws):.1f})" for p in shares]
        print(f"| {name} | {n} | {draws} | {texts[0]} | {texts[1]} |")


def main() -> None:
    """Run what is not there yet."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=500)
    options.add_argument("--ratings", type=int, nargs="+", default=[84])
    options.add_argument("--file", type=Path, default=Path("build/temporal_order.jsonl"))
    options.add_argument("--table", action="store_true")
    chosen = options.parse_args()
    chosen.file.parent.mkdir(parents=True, exist_ok=True)
    chosen.file.touch()
    if chosen.table:
        print_table(chosen.file)
        return
    done = {
        (one["name"], one["n"], one["cell"])
        for one in map(json.loads, chosen.file.read_text().splitlines())
    }
    for cell in range(-(-chosen.draws // CELL)):
        for n in chosen.ratings:
            for name in ROWS:
                if (name, n, cell) not in done:
                    with chosen.file.open("a") as out:
                        out.write(json.dumps(run_cell(name, n, cell)) + "\n")


if __name__ == "__main__":
    main()
