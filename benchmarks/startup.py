"""How long the command line takes to begin, beside a bare import of Typer, in turn in one run.

    uv run python benchmarks/startup.py [--rounds 15]

Each is a process of its own, from a warm disk, with everything compiled to bytecode: one round
first that is not counted. Wall-clock seconds and CPU seconds of user and system; the median, and
the median of the ratios of each round, in which one follows the other: what disturbs the machine
disturbs both. Fails where a ratio has lost a third of what ``ratios.json`` has (``--record`` writes
it).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.ratios import check

_TYPER = "import typer"


def measure(command: list[str]) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one process."""
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    took, after = time.perf_counter() - began, os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} did not run: {done.stderr.decode()[-2000:]}")
    cpu = after.children_user + after.children_system
    return took, cpu - before.children_user - before.children_system


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--record", action="store_true", help="write ratios.json")
    chosen = options.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.txt"
        steps = 850 + 40 * np.sin(0.8 * np.arange(400)) + 10 * np.sin(np.arange(400) ** 2)
        small.write_text("".join(f"{rr:.0f}\n" for rr in steps))
        run = [sys.executable, "-m", "ebbtide"]
        commands = {
            "import typer": [sys.executable, "-c", _TYPER],
            "ebbtide --help": [*run, "--help"],
            "ebbtide hrv small.txt": [*run, "hrv", str(small)],
        }
        for command in commands.values():
            measure(command)
        rounds = np.array(
            [[measure(command) for command in commands.values()] for _ in range(chosen.rounds)]
        )
    print("| | wall, median | CPU, median | CPU, least | times a bare import of Typer (CPU) |")
    print("| --- | --- | --- | --- | --- |")
    ratios: dict[str, float] = {}
    seconds: dict[str, tuple[float, float]] = {}
    typer_s = float(np.median(rounds[:, 0, 1]))
    for number, name in enumerate(commands):
        wall, cpu = np.median(rounds[:, number], axis=0)
        ratio = float(np.median(rounds[:, number, 1] / rounds[:, 0, 1]))
        least = np.min(rounds[:, number, 1])
        print(f"| {name} | {wall:.2f} s | {cpu:.2f} s | {least:.2f} s | {ratio:.2f} |")
        if number:
            ratios[f"import typer over {name}"] = 1 / ratio
            seconds[f"import typer over {name}"] = float(cpu), typer_s
    check("startup", ratios, chosen.record, seconds=seconds)


if __name__ == "__main__":
    main()
