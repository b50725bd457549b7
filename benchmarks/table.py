"""One table of the benchmarks that have a peer: our time, the peer's, and the ratio.

    uv run python benchmarks/table.py [--only startup live hrv] [--record]

Each runs as a process of its own, one after the other, as its file says; what it compares, it
compares in one run. ``recorded``: the ratio in ``ratios.json``, which ``--record`` writes. Fails
where a benchmark fails, which it does where a ratio has lost a third of the recorded one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.ratios import RECORDED, ROWS

BENCHMARKS = {
    "startup": [],
    "live": [],
    "hrv": ["--hours", "1", "24"],
}


def main() -> None:
    """Run them, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", nargs="+", choices=[*BENCHMARKS], default=[*BENCHMARKS])
    options.add_argument("--record", action="store_true", help="write ratios.json")
    chosen = options.parse_args()
    known = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows"
        rows.touch()
        for name in chosen.only:
            command = [sys.executable, str(Path(__file__).with_name(f"{name}.py"))]
            command += [*BENCHMARKS[name], *(["--record"] if chosen.record else [])]
            done = subprocess.run(
                command, env={**os.environ, ROWS: str(rows)}, stdout=subprocess.DEVNULL, check=False
            )
            if done.returncode:
                failed.append(name)
        print("| benchmark | compared | ours | the other | ratio | recorded |")
        print("| --- | --- | --- | --- | --- | --- |")
        for line in rows.read_text().splitlines():
            name, words, ours, other, ratio = json.loads(line)
            before = known.get(name, {}).get(words)
            cells = ["" if s is None else f"{s * 1e3:.3g} ms" for s in (ours, other)]
            print(
                f"| {name} | {words} | {cells[0]} | {cells[1]} | **{ratio:.3g}** "
                f"| {'' if before is None else before} |"
            )
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}; what it said is above the table")


if __name__ == "__main__":
    main()
