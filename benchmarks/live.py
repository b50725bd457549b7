"""A new minute of beats: what the windows of the day and the live page cost then.

    uv run python benchmarks/live.py [--recording ../shared/data/rr/pyhrv_nni_long.txt]

A day of one person, windows of 5 minutes every 30 s. The same minute of beats is put in
``--rounds`` times, in turn: all windows from nothing, and those that it can have changed. Then the
live page's two windows, of a minute and of five, each from its beats, and both from beats that are
labelled once. Milliseconds of CPU, the median, the least, and the ratio of each round. Fails where
a ratio has lost a third of what ``ratios.json`` has (``--record`` writes it).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from analytics.hrv.live_windows import extend_windows
from analytics.hrv.metric import Domain
from analytics.hrv.windows import TIME_ONLY, WINDOW_NS, BeatArrays, hrv_windows, prepare_beats
from benchmarks.hrv import ROOT, series
from benchmarks.ratios import check

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


def compare(
    name: str, before: Callable[[], object], after: Callable[[], object], rounds: int
) -> tuple[float, tuple[float, float]]:
    """Print a row: the two in turn. Returns the median of the ratios, and the seconds of both."""
    took = np.zeros((rounds, 2))
    before(), after()
    for turn in range(rounds):
        for column, work in enumerate((before, after)):
            began = time.process_time()
            work()
            took[turn, column] = time.process_time() - began
    middle, least = np.median(took, axis=0) * 1e3, np.min(took, axis=0) * 1e3
    ratio = float(np.median(took[:, 0] / took[:, 1]))
    print(
        f"| {name} | {middle[0]:.1f} ms | {middle[1]:.2f} ms | {least[1]:.2f} ms | {ratio:.1f} |",
        flush=True,
    )
    return ratio, (middle[1] / 1e3, middle[0] / 1e3)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--recording", type=Path, default=ROOT.parent / "shared/data/rr/pyhrv_nni_long.txt"
    )
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--record", action="store_true", help="write ratios.json")
    chosen = options.parse_args()
    rr, times = series(chosen.recording, 24)
    time_ns = np.round(times * 1e9).astype(np.int64)
    ends = int(time_ns[-1]) + 1
    new = int(np.searchsorted(time_ns, ends - _MINUTE))

    def beats(first: int, last: int) -> BeatArrays:
        many = last - first
        return BeatArrays(
            time_ns[first:last],
            rr[first:last],
            np.arange(many) > 0,
            np.full(many, 1, np.int8),
            np.zeros(many, np.int32),
        )

    day, changed = beats(0, len(rr)), int(time_ns[new])
    print(f"{len(rr)} beats, of which the last {len(rr) - new} are new\n")
    print("| | from nothing | what changed | at least | ratio |")
    print("| --- | --- | --- | --- | --- |")
    ratios: dict[str, float] = {}
    seconds: dict[str, tuple[float, float]] = {}
    for step_s, domains, words in (
        (300, TIME_ONLY, "windows of the day every 5 min, time"),
        (30, TIME_ONLY, "windows of the day every 30 s, time"),
        (30, frozenset({Domain.TIME, Domain.FREQUENCY}), "the same, time and frequency"),
        (30, frozenset(Domain), "the same, all metrics"),
    ):
        starts = np.arange(0, ends - WINDOW_NS + 1, step_s * _SECOND)
        known = hrv_windows(beats(0, new), starts, WINDOW_NS, domains)
        ratios[words], seconds[words] = compare(
            words,
            lambda s=starts, d=domains: hrv_windows(day, s, WINDOW_NS, d),  # type: ignore[misc]
            lambda k=known, s=starts, d=domains: extend_windows(k, day, s, changed, d),  # type: ignore[misc]
            chosen.rounds if Domain.NONLINEAR not in domains else 3,
        )
    last = beats(int(np.searchsorted(time_ns, ends - WINDOW_NS - 2 * _MINUTE)), len(rr))
    minute, five = np.array([ends - _MINUTE]), np.array([ends - WINDOW_NS])

    def apart() -> None:
        hrv_windows(last, minute, _MINUTE)
        hrv_windows(last, five, WINDOW_NS)

    def together() -> None:
        prepared = prepare_beats(last)
        hrv_windows(last, minute, _MINUTE, prepared=prepared)
        hrv_windows(last, five, WINDOW_NS, prepared=prepared)

    words = "the live page: a minute and five"
    ratios[words], seconds[words] = compare(words, apart, together, 10 * chosen.rounds)
    check("live", ratios, chosen.record, seconds=seconds)


if __name__ == "__main__":
    main()
