"""What the stress index has of a device's own heart rate, where there are no beats.

    uv run python -m benchmarks.reported_rates [--data ../shared/data/stress]

Stress-Predict (Iqbal et al. 2022), 17 people, wrist. By ``analytics.hrv.reported``, whose lag is
each person's own: AUC of stress against rest within a person, mean over people, of windows with a
rate (of beats: of those with five); the lag; and how far rates are from beats of the same window.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from analytics.hrv.heart_rate import accept_intervals, estimate_lag_s
from analytics.hrv.reported import ReportedRates, reported_windows
from analytics.hrv.windows import BeatArrays
from benchmarks.stress_index import auc, load


def main() -> None:
    """Print a line for each length of window."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/stress"))
    folder = parser.parse_args().data
    for length_s in (60, 300):
        figures: dict[str, list[float]] = {}
        for one in load(folder, length_s):
            source = np.zeros(len(one.time_ns), np.int32)
            beats = BeatArrays(one.time_ns, one.rr_ms, one.follows, one.contact, source)
            rates = ReportedRates(one.rate_ns, one.rate_bpm, np.zeros(len(one.rate_ns), np.int32))
            at = (one.start_ns, one.window_ns)
            late = reported_windows(rates, *at).window_bpm
            own = reported_windows(rates, *at, beats).window_bpm
            of_beats = one.rates().window_bpm
            near = accept_intervals(one.time_ns, one.rr_ms, one.contact)
            bpm = 60_000 / one.rr_ms[near]
            lag_s = estimate_lag_s(one.time_ns[near], bpm, one.rate_ns, one.rate_bpm)
            for name, value in (
                ("AUC of rates, lag taken out", auc(own, one.task > 0)),
                ("AUC of rates as they came", auc(late, one.task > 0)),
                ("AUC of beats", auc(of_beats, one.task > 0)),
                ("lag, s", np.nan if lag_s is None else lag_s),
                ("rates minus beats, median, bpm", float(np.nanmedian(own - of_beats))),
                ("rates minus beats, SD, bpm", float(np.nanstd(own - of_beats))),
            ):
                figures.setdefault(name, []).append(value)
        print(f"Windows of {length_s} s, {len(figures['lag, s'])} people")
        for name, values in figures.items():
            print(
                f"  {name}: mean {np.nanmean(values):.3f}, median {np.nanmedian(values):.2f},"
                f" {np.nanmin(values):.2f} to {np.nanmax(values):.2f}"
            )


if __name__ == "__main__":
    main()
