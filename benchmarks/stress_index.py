"""Stress against rest within a person: heart rate with gaps, beside the device's rate and RMSSD.

    uv run python -m benchmarks.stress_index [--data ../shared/data/stress]

Stress-Predict (Iqbal et al. 2022), 17 people, wrist. Area under the ROC curve of windows that lie
within one label, mean over people; limits by a bootstrap of people (seed 1, 2,000 draws). The
weights of z are those of ``analytics.hrv.stress_model``, which were chosen on these same people:
the row of z is not an estimate for others.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from analytics.hrv.heart_rate import accept_intervals, window_rates
from analytics.hrv.stress_model import HR_SCALE_BPM

VAGAL_SCALE, VAGAL_WEIGHT = 0.27, 0.3

Floats = NDArray[np.float64]


def read(path: Path) -> Floats:
    with path.open() as lines:
        next(lines)
        return np.array([[float(cell) for cell in row] for row in csv.reader(lines)])


def auc(values: Floats, stress: NDArray[np.bool_]) -> float:
    known = np.isfinite(values)
    values, stress = values[known], stress[known]
    many, rest = np.count_nonzero(stress), np.count_nonzero(~stress)
    if not many or not rest:
        return float("nan")
    ranks = float(np.sum(rankdata(values)[stress]))
    return (ranks - many * (many + 1) / 2) / (many * rest)


def features(
    folder: Path, who: str, labels: list[dict[str, str]], length_s: int
) -> dict[str, Floats]:
    spans = [row for row in labels if row["who"] == who]
    starts, stress = [], []
    for row in spans:
        count = int((float(row["end_s"]) - float(row["start_s"])) // length_s)
        starts += [float(row["start_s"]) + length_s * number for number in range(count)]
        stress += [row["label"] == "task"] * count
    start_s = np.array(starts)
    ibi, rate = read(folder / f"{who}_ibi.csv"), read(folder / f"{who}_hr.csv")
    # An interval is given with the time at which it begins or ends, to within a beat.
    time_ns = np.round(ibi[:, 0] * 1e9).astype(np.int64)
    rr_ms = ibi[:, 1] * 1000
    follows = np.append(False, np.abs(np.diff(ibi[:, 0]) - ibi[1:, 1]) < 0.02)
    contact = np.full(len(rr_ms), -1, np.int8)
    start_ns = np.round(start_s * 1e9).astype(np.int64)
    found = window_rates(time_ns, rr_ms, follows, contact, start_ns, length_s * 1_000_000_000)
    accepted = accept_intervals(time_ns, rr_ms, contact)
    pair = accepted[1:] & accepted[:-1] & follows[1:]
    rmssd, device = np.full(len(start_s), np.nan), np.full(len(start_s), np.nan)
    for number, begin in enumerate(starts):
        here = pair & (ibi[1:, 0] >= begin) & (ibi[1:, 0] < begin + length_s)
        if np.count_nonzero(here) >= 10:
            rmssd[number] = np.sqrt(np.mean(np.diff(rr_ms)[here] ** 2))
        there = (rate[:, 0] >= begin) & (rate[:, 0] < begin + length_s)
        if np.any(there):
            device[number] = np.mean(rate[there, 1])
    vagal = found.vagal - np.nanmedian(found.vagal)
    z = found.window_bpm / HR_SCALE_BPM - VAGAL_WEIGHT * np.nan_to_num(vagal) / VAGAL_SCALE
    return {
        "stress": np.array(stress, np.float64),
        "the device's rate": device,
        "-ln RMSSD (10 pairs)": -np.log(rmssd),
        "heart rate, 5 accepted beats": found.window_bpm,
        "z: with the vagal part": z,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data/stress"))
    folder = parser.parse_args().data
    with (folder / "labels.csv").open() as lines:
        labels = list(csv.DictReader(lines))
    people = sorted({row["who"] for row in labels})
    draws = np.random.default_rng(1).integers(0, len(people), (2000, len(people)))
    print("| windows | figure | AUC | 95% | known | gain over the device's rate, 95% |")
    print("| --- | --- | --- | --- | --- | --- |")
    for length_s in (60, 300):
        of_all = [features(folder, who, labels, length_s) for who in people]
        device = None
        for name in list(of_all[0])[1:]:
            each = np.array([auc(one[name], one["stress"] > 0) for one in of_all])
            device = each if device is None else device
            means = np.nanmean(each[draws], axis=1)
            gains = np.nanmean((each - device)[draws], axis=1)
            known = np.mean(np.concatenate([np.isfinite(one[name]) for one in of_all]))
            low, high = np.quantile(means, [0.025, 0.975])
            worse, better = np.quantile(gains, [0.025, 0.975])
            print(
                f"| {length_s} s | {name} | {np.nanmean(each):.3f} | {low:.2f} to {high:.2f} "
                f"| {known:.0%} | {np.nanmean(each - device):+.3f} "
                f"({worse:+.2f} to {better:+.2f}) |"
            )


if __name__ == "__main__":
    main()
