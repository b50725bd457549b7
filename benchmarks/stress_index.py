"""Stress against rest within a person, variances, intervals and cost of the stress index.

    uv run python -m benchmarks.stress_index [--part auc] [--data ../shared/data/stress]

Parts: ``auc`` (figures and other tools by window length), ``tasks`` (by task), ``vagal`` (weight of
a vagal part, chosen without the person who is judged), ``variances`` (restricted maximum
likelihood), ``movement`` (simulated hours), ``widths`` (simulated hearts: --people each, --cases),
``cost``. All, if none is named.

Stress-Predict (Iqbal et al. 2022), 17 people, wrist. Area under the ROC curve of windows that lie
within one label, mean over people; limits by a bootstrap of people (seed 1, 2,000 draws). An
unknown window counts as a tie with the person's median where "all" is given.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from analytics.hrv.heart_rate import (
    WindowRates,
    accept_intervals,
    estimate_lag_s,
    reported_rates,
    window_rates,
)
from analytics.hrv.relative_stress import (
    StressIndexInput,
    StressPeriods,
    fit_baseline,
    stress_index,
    stress_index_of_periods,
)
from analytics.hrv.stress_course import fill_with_reported, stress_course
from analytics.hrv.stress_model import HR_SCALE_BPM
from benchmarks.stress_simulation import CASES, draw_hours, judge_hours, print_widths
from benchmarks.stress_variances import best, likelihoods

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
TASKS = ("Stroop test", "interview", "hyperventilation")
LAG_S = 40.0  # median of estimate_lag_s over the 17 people; part "variances" prints it
VAGAL_SCALE = 0.27
VAGAL_WEIGHTS = np.array([0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])
READ = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np
cases, found = np.load(sys.argv[1]), {}
def keep(name, of):
    try:
        found[name] = [float(value) for value in of(cases[name])]
    except Exception:
        found[name] = [float("nan")] * 2
"""
PEERS = {
    "NeuroKit2": (
        ["neurokit2==0.2.13", "numpy<2.4"],
        ("-ln HRV_RMSSD", "-HRV_MeanNN"),
        READ
        + """
import neurokit2 as nk
def of(rr):
    peaks = np.concatenate([[0], np.cumsum(rr)]).round().astype(int)
    time = nk.hrv_time(peaks, sampling_rate=1000)
    return -np.log(time["HRV_RMSSD"][0]), -time["HRV_MeanNN"][0]
for name in cases.files: keep(name, of)
print(json.dumps(found))
""",
    ),
    "hrv-analysis": (
        ["hrv-analysis==1.0.5", "nolds==0.5.2", "setuptools<80", "numpy<2", "scipy<1.13"],
        ("-ln rmssd", "csi"),
        READ
        + """
import hrvanalysis as h
def of(rr):
    rr = rr.tolist()
    return (-np.log(h.get_time_domain_features(rr)["rmssd"]), h.get_csi_cvi_features(rr)["csi"])
for name in cases.files: keep(name, of)
print(json.dumps(found))
""",
    ),
}


@dataclass(frozen=True)
class Recording:
    """Of one person: beats, the device's rate, and windows of one length with their labels."""

    time_ns: NDArray[np.int64]
    rr_ms: Floats
    follows: Bools
    rate_ns: NDArray[np.int64]
    rate_bpm: Floats
    start_ns: NDArray[np.int64]
    task: NDArray[np.int64]  # 0 for rest, else 1, 2, 3
    window_ns: int

    @property
    def contact(self) -> NDArray[np.int8]:
        return np.full(len(self.rr_ms), -1, np.int8)

    def rates(self) -> WindowRates:
        return window_rates(
            self.time_ns, self.rr_ms, self.follows, self.contact, self.start_ns, self.window_ns
        )

    def reported(self, lag_s: float = 0.0) -> WindowRates:
        return reported_rates(self.rate_ns, self.rate_bpm, self.start_ns, self.window_ns, lag_s)

    def inside(self, begin_ns: int) -> Floats:
        """Accepted intervals of a window."""
        chosen = accept_intervals(self.time_ns, self.rr_ms, self.contact)
        chosen &= (self.time_ns >= begin_ns) & (self.time_ns < begin_ns + self.window_ns)
        return self.rr_ms[chosen]


def read(path: Path) -> Floats:
    with path.open() as lines:
        next(lines)
        return np.array([[float(cell) for cell in row] for row in csv.reader(lines)])


def load(folder: Path, length_s: int) -> list[Recording]:
    with (folder / "labels.csv").open() as lines:
        labels = list(csv.DictReader(lines))
    result = []
    for who in sorted({row["who"] for row in labels}):
        starts: list[float] = []
        tasks: list[int] = []
        number = 0
        for row in (row for row in labels if row["who"] == who):
            begin, is_task = float(row["start_s"]), row["label"] == "task"
            count = int((float(row["end_s"]) - begin) // length_s)
            number += is_task
            starts += [begin + length_s * place for place in range(count)]
            tasks += [number if is_task else 0] * count
        ibi, rate = read(folder / f"{who}_ibi.csv"), read(folder / f"{who}_hr.csv")
        # An interval is given with the time at which it begins or ends, to within a beat.
        follows = np.append(False, np.abs(np.diff(ibi[:, 0]) - ibi[1:, 1]) < 0.02)
        result.append(
            Recording(
                to_ns(ibi[:, 0]),
                ibi[:, 1] * 1000,
                follows,
                to_ns(rate[:, 0]),
                rate[:, 1],
                to_ns(np.array(starts)),
                np.array(tasks),
                length_s * 1_000_000_000,
            )
        )
    return result


def to_ns(seconds: Floats) -> NDArray[np.int64]:
    return np.round(seconds * 1e9).astype(np.int64)


def auc(values: Floats, stress: Bools) -> float:
    known = np.isfinite(values)
    values, stress = values[known], stress[known]
    many, rest = np.count_nonzero(stress), np.count_nonzero(~stress)
    if not many or not rest:
        return float("nan")
    ranks = float(np.sum(rankdata(values)[stress]))
    return (ranks - many * (many + 1) / 2) / (many * rest)


def figures(one: Recording) -> dict[str, Floats]:
    rates = one.rates()
    rmssd, baevsky = np.full((2, len(one.start_ns)), np.nan)
    accepted = accept_intervals(one.time_ns, one.rr_ms, one.contact)
    pair = accepted[1:] & accepted[:-1] & one.follows[1:]
    for number, begin in enumerate(one.start_ns.tolist()):
        here = pair & (one.time_ns[1:] >= begin) & (one.time_ns[1:] < begin + one.window_ns)
        if np.count_nonzero(here) >= 10:
            rmssd[number] = np.sqrt(np.mean(np.diff(one.rr_ms)[here] ** 2))
        baevsky[number] = baevsky_index(one.inside(begin))
    filled, is_filled = fill_with_reported(rates, one.reported(LAG_S))
    at = one.start_ns, one.window_ns
    judged, seated = stress_course(rates, *at), stress_course(rates, *at, seated=True)
    both = stress_course(filled, *at, reported=is_filled, seated=True)
    return {
        "the device's rate": one.reported().window_bpm,
        "-ln RMSSD (10 pairs)": -np.log(rmssd),
        "Baevsky's index (20 beats)": baevsky,
        "heart rate, 5 accepted beats": rates.window_bpm,
        "the index's course, known windows": np.where(judged.known, judged.z, np.nan),
        "the same, every window": judged.z,
        "course, known to be seated, known windows": np.where(seated.known, seated.z, np.nan),
        "the same, every window (from beats)": seated.z,
        "the same, gaps by the device's rate": both.z,
    }


def baevsky_index(rr_ms: Floats) -> float:
    """Compute AMo / (2 Mo MxDMn), bins of 50 ms (Baevsky and Chernikova 2017); from 20 beats."""
    if len(rr_ms) < 20 or np.ptp(rr_ms) == 0:
        return float("nan")
    place, many = np.unique(rr_ms // 50, return_counts=True)
    mode_s = (float(place[np.argmax(many)]) * 50 + 25) / 1000
    return float(100 * many.max() / len(rr_ms) / (2 * mode_s * np.ptp(rr_ms) / 1000))


def ask(name: str, people: list[Recording]) -> list[Floats]:
    """Compute a peer's figures of all windows, in an environment of its own; [] if it fails."""
    packages, figure_names, script = PEERS[name]
    cases = {
        f"{who}|{number}": one.inside(begin)
        for who, one in enumerate(people)
        for number, begin in enumerate(one.start_ns.tolist())
    }
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "cases.npz", **cases)  # type: ignore[arg-type]
        command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
        for package in packages:
            command += ["--with", package]
        command += ["python", "-c", script, str(Path(folder) / "cases.npz")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"({name} did not run: {done.stderr.strip().splitlines()[-1:]})")
        return []
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    result = []
    for who, one in enumerate(people):
        rows = np.array([found[f"{who}|{place}"] for place in range(len(one.start_ns))])
        result.append(np.where(np.isfinite(rows), rows, np.nan).reshape(-1, len(figure_names)))
    return result


def print_auc(folder: Path, peers: bool) -> None:
    print("| windows | figure | AUC | 95% | known | all | gain over the device's rate, 95% |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for length_s in (60, 300):
        people = load(folder, length_s)
        of_all = [figures(one) for one in people]
        for peer in PEERS if peers else ():
            for one, rows in zip(of_all, ask(peer, people), strict=False):
                one.update({f"{peer}: {n}": rows[:, k] for k, n in enumerate(PEERS[peer][1])})
        device = np.array(
            [auc(o["the device's rate"], p.task > 0) for o, p in zip(of_all, people, strict=True)]
        )
        draws = np.random.default_rng(1).integers(0, len(people), (2000, len(people)))
        for name in of_all[0]:
            values = [one[name] for one in of_all]
            stress = [one.task > 0 for one in people]
            each = np.array([auc(v, s) for v, s in zip(values, stress, strict=True)])
            fill = [np.where(np.isfinite(v), v, np.nanmedian(v)) for v in values]
            every = np.nanmean([auc(v, s) for v, s in zip(fill, stress, strict=True)])
            known = np.mean([np.mean(np.isfinite(v)) for v in values])
            low, high = np.quantile(np.nanmean(each[draws], axis=1), [0.025, 0.975])
            worse, better = np.quantile(np.nanmean((each - device)[draws], axis=1), [0.025, 0.975])
            print(
                f"| {length_s} s | {name} | {np.nanmean(each):.3f} | {low:.2f} to {high:.2f} "
                f"| {known:.0%} | {every:.3f} | {np.nanmean(each - device):+.3f} "
                f"({worse:+.2f} to {better:+.2f}) |",
                flush=True,
            )


def print_tasks(folder: Path) -> None:
    print("| windows | figure | " + " | ".join(TASKS) + " |\n| --- | --- | --- | --- | --- |")
    for length_s in (60, 300):
        people = load(folder, length_s)
        of_all = [figures(one) for one in people]
        for name in of_all[0]:
            cells = []
            for task in (1, 2, 3):
                each = [
                    auc(
                        one[name][np.isin(who.task, (0, task))],
                        who.task[np.isin(who.task, (0, task))] > 0,
                    )
                    for one, who in zip(of_all, people, strict=True)
                ]
                cells.append(f"{np.nanmean(each):.2f} ({np.count_nonzero(np.isfinite(each))})")
            print(f"| {length_s} s | {name} | {' | '.join(cells)} |")
    flat = [
        auc(figures(one)["heart rate, 5 accepted beats"], one.task > 0) for one in load(folder, 60)
    ]
    print(
        f"People below 0.60 by heart rate of 60 s: {sum(each < 0.6 for each in flat)}; "
        f"each: {' '.join(f'{each:.2f}' for each in sorted(flat))}"
    )


def print_vagal(folder: Path) -> None:
    print("| windows | " + " | ".join(f"{w:g}" for w in VAGAL_WEIGHTS) + " | chosen | left out |")
    print("| --- " * (len(VAGAL_WEIGHTS) + 3) + "|")
    for length_s in (60, 300):
        rows = []
        for one in load(folder, length_s):
            rates = one.rates()
            vagal = np.nan_to_num(rates.vagal - np.nanmedian(rates.vagal)) / VAGAL_SCALE
            z = rates.window_bpm / HR_SCALE_BPM
            rows.append([auc(z - weight * vagal, one.task > 0) for weight in VAGAL_WEIGHTS])
        table = np.array(rows)
        people = np.arange(len(table))
        chosen = [int(np.argmax(np.nanmean(table[people != who], axis=0))) for who in people]
        left_out = np.nanmean(table[people, chosen])
        weights = sorted({float(VAGAL_WEIGHTS[place]) for place in chosen})
        print(
            f"| {length_s} s | "
            + " | ".join(f"{m:.3f}" for m in np.nanmean(table, axis=0))
            + f" | {', '.join(f'{w:g}' for w in weights)} | {left_out:.3f} |"
        )


def print_variances(folder: Path) -> None:
    """Print the variances of minutes, and how the course does with those of other people."""
    apart: dict[int, list[float]] = {60: [], 300: []}
    series, lags = [], []
    for one in load(folder, 60):
        beat = accept_intervals(one.time_ns, one.rr_ms, one.contact)
        bpm_of_beat = 60_000 / one.rr_ms[beat]
        lags.append(estimate_lag_s(one.time_ns[beat], bpm_of_beat, one.rate_ns, one.rate_bpm))
        for length_s, each in apart.items():
            starts = to_ns(np.arange(0.0, 3600.0, length_s))
            whole = replace(one, start_ns=starts, window_ns=length_s * 10**9)
            bpm = whole.rates().window_bpm
            each.append(float(np.nanstd(whole.reported(LAG_S).window_bpm - bpm)))
            if length_s == 60:
                series.append((starts[np.isfinite(bpm)] / 1e9, bpm[np.isfinite(bpm)]))
    table = likelihoods(series)
    found = best(table.sum(axis=0))
    print(f"REML of {len(series)} recordings of an hour, minutes, the day's share 0.12: {found}")
    for length_s, each in apart.items():
        print(
            f"Device's rate {LAG_S:.0f} s later against beats, {length_s} s: "
            f"SD {np.sqrt(np.mean(np.square(each))):.1f} bpm, median person {np.median(each):.1f}"
        )
    print("Lag of the device's rate, s:", lags)
    for length_s in (60, 300):
        rows = []
        for who, one in enumerate(load(folder, length_s)):
            of_others = best(table.sum(axis=0) - table[who])
            course = stress_course(
                one.rates(), one.start_ns, one.window_ns, seated=True, variances=of_others
            )
            known = np.where(course.known, course.z, np.nan)
            rows.append([auc(known, one.task > 0), auc(course.z, one.task > 0)])
        at, every = np.nanmean(rows, axis=0)
        print(f"Course, seated, variances of others, {length_s} s: {at:.3f}, every {every:.3f}")


def print_movement() -> None:
    """Print how well figures of an hour with walks tell a simulated stress of 5 bpm."""
    found: dict[str, list[float]] = {}
    for seed in range(5):
        rng = np.random.default_rng(seed)
        stress = rng.random(60 * 12) < 0.3
        bpm = draw_hours(rng, stress)
        index, day = judge_hours(bpm)
        late = day >= 28
        judged = np.where(bpm <= np.quantile(bpm[~late], 0.2) + 20, bpm, np.nan)
        for name, values in (
            ("mean rate", bpm.mean(axis=1)),
            ("median", np.median(bpm, axis=1)),
            ("25% quantile", np.quantile(bpm, 0.25, axis=1)),
            ("10% quantile", np.quantile(bpm, 0.1, axis=1)),
            ("25% quantile without active minutes", np.nanquantile(judged, 0.25, axis=1)),
            ("the index of the hour", index),
        ):
            found.setdefault(name, []).append(auc(values[late], stress[late]))
    print("| figure of an hour | AUC |\n| --- | --- |")
    for name, each in found.items():
        print(f"| {name} | {np.mean(each):.3f} |")


def print_cost() -> None:
    rng = np.random.default_rng(1)
    day, hour = np.repeat(np.arange(365), 144), np.tile(8 + (np.arange(144) + 0.5) / 12, 365)
    minutes = 70 + 4 * rng.standard_normal((len(day), 1)) + rng.standard_normal((len(day), 5))
    bpm, nothing = np.median(minutes, axis=1), np.full(len(day), np.nan)
    windows = StressIndexInput(
        day, hour, 86400.0 * day + 3600 * hour, minutes, bpm, nothing, nothing, nothing, bpm
    )
    days = np.arange(365)
    periods = StressPeriods(days, 86400.0 * days + 25_200, 86400.0 * days + 82_800, days)
    last = windows.at(day == 364)
    one = StressPeriods(days[-1:], last.time_s[-1:] - 150, last.time_s[-1:] + 150, days[:1])
    fitted = fit_baseline(windows)
    print("| work | processor time |\n| --- | --- |")
    for name, work, many in (
        ("baseline of 28 days x 12 h", lambda: fit_baseline(windows), 3),
        ("a year of windows, 365 x 144", lambda: stress_index(fitted, windows), 3),
        ("a year of days", lambda: stress_index_of_periods(fitted, windows, periods), 3),
        (
            "a new window, the day's 144 windows with it",
            lambda: stress_index_of_periods(fitted, last, one),
            100,
        ),
    ):
        times = []
        for _ in range(many):
            began = time.process_time()
            work()
            times.append(time.process_time() - began)
        print(f"| {name} | {1000 * np.median(times):.1f} ms |")
    print(f"Largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("auc", "tasks", "vagal", "variances", "movement", "widths", "cost")
    parser.add_argument("--part", action="append", choices=parts)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/stress"))
    parser.add_argument("--alone", action="store_true", help="without the other tools")
    parser.add_argument("--people", type=int, default=200, help="simulated, for each row")
    parser.add_argument("--cases", nargs="+", choices=tuple(CASES), default=tuple(CASES))
    chosen = parser.parse_args()
    run = chosen.part or parts
    for part, work in (
        ("auc", lambda: print_auc(chosen.data, not chosen.alone)),
        ("tasks", lambda: print_tasks(chosen.data)),
        ("vagal", lambda: print_vagal(chosen.data)),
        ("variances", lambda: print_variances(chosen.data)),
        ("movement", print_movement),
        ("widths", lambda: print_widths(chosen.people, chosen.cases)),
        ("cost", print_cost),
    ):
        if part in run:
            print(f"\n## {part}\n")
            work()


if __name__ == "__main__":
    main()
