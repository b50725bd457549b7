"""HRV of a day, ours beside NeuroKit2 and hrv-analysis, in one run on one machine.

    uv run python benchmarks/hrv.py [--recording ../shared/data/rr/pyhrv_nni_long.txt]

The series is a recording of an hour, repeated to the length that is asked for. Windows of 5 minutes
every 30 s. The peers work window by window, so they are timed on a sample of windows, and their
time for the day is that, times the number of windows. They need older packages than ours, and so
run in environments of their own, which ``uv`` makes. NeuroKit2 is timed twice for the nonlinear
figures: by its one call for them, which works out many more, and by its functions for just ours.
Seconds are of CPU, ours and theirs: who else uses the machine shows in them less. Ours with NumPy
alone, and with the compiled loops of the extra ``fast``. Fails where a ratio has lost a third of
what ``ratios.json`` has (``--record`` writes it).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Of ours and the peers: one core is measured, and threads of BLAS that wait count as CPU too.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from analytics.hrv import compiled
from analytics.hrv.artefacts import label_beats
from analytics.hrv.engine import window_metrics
from analytics.hrv.metric import Domain
from benchmarks.ratios import check

ROOT = Path(__file__).resolve().parent.parent
Times = dict[str, Any]
CLOCK = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np
rr, sample, count = np.load(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
times = np.cumsum(rr) / 1000
def clock(work):
    began = time.process_time(); work(); return time.process_time() - began
parts = [rr[(times >= start) & (times < start + 300)] for start in sample]
def a_window(work):
    work(parts[0])  # once for its imports
    return clock(lambda: [work(part) for part in parts]) / len(parts)
"""
NEUROKIT = (
    ["neurokit2==0.2.13", "numpy<2.4"],
    CLOCK
    + """
import neurokit2 as nk
def peaks(part): return np.concatenate([[0], np.cumsum(part)]).astype(int)
def first(part):
    nk.hrv_time(peaks(part), sampling_rate=1000)
    nk.hrv_frequency(peaks(part), sampling_rate=1000, psd_method="welch")
def ours(part):
    r = 0.2 * np.std(part, ddof=1)
    nk.entropy_sample(part, dimension=2, tolerance=r)
    nk.entropy_approximate(part, dimension=2, tolerance=r)
    nk.fractal_dfa(part, scale=np.arange(4, 17))
    nk.fractal_dfa(part, scale=np.arange(16, 65))
def everything(part): nk.hrv_nonlinear(peaks(part), sampling_rate=1000)
beats = np.concatenate([[0], np.cumsum(np.resize(rr, count))]).astype(int)
print(json.dumps({
    "version": nk.__version__,
    "first_s": a_window(first), "ours_s": a_window(ours), "all_s": a_window(everything),
    "clean_s": clock(lambda: nk.signal_fixpeaks(
        beats, sampling_rate=1000, method="Kubios", iterative=False)),
}))
""",
)
HRV_ANALYSIS = (
    ["hrv-analysis==1.0.5", "nolds==0.5.2", "setuptools<80", "numpy<2", "scipy<1.13"],
    CLOCK
    + """
import hrvanalysis as h
def first(part):
    part = part.tolist()
    h.get_time_domain_features(part); h.get_frequency_domain_features(part)
    h.get_geometrical_features(part); h.get_poincare_plot_features(part)
def ours(part): h.get_sampen(part.tolist())
print(json.dumps({"version": "1.0.5", "first_s": a_window(first), "ours_s": a_window(ours)}))
""",
)


def ask(peer: tuple[list[str], str], rr: NDArray[np.float64], sample: list[float]) -> Times:
    """Seconds a window of one peer."""
    packages, script = peer
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rr.npy"
        np.save(file, rr)
        command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
        for package in packages:
            command += ["--with", package]
        command += ["python", "-c", script, str(file), json.dumps(sample), "100000"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{packages[0]} did not run: {done.stderr[-2000:]}")
    found: Times = json.loads(done.stdout.splitlines()[-1])
    return found


def series(recording: Path, hours: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intervals and their end times."""
    hour = np.loadtxt(recording)
    beats = np.tile(hour, int(hours * 3.6e6 / hour.sum()) + 1)
    times = np.cumsum(beats) / 1000
    inside = times < hours * 3600
    return beats[inside], times[inside]


def best(work: Callable[[], object], rounds: int = 3) -> float:
    """Seconds of the fastest of some rounds: the others were disturbed."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--recording", type=Path, default=ROOT.parent / "shared/data/rr/pyhrv_nni_long.txt"
    )
    options.add_argument("--sample", type=int, default=60, help="windows for the peer")
    options.add_argument("--hours", type=float, nargs="+", default=[1, 24, 168, 720])
    options.add_argument("--record", action="store_true", help="write ratios.json")
    chosen = options.parse_args()
    rr, times = series(chosen.recording, 24)
    starts = np.arange(0, 86_400 - 300 + 1, 30.0)
    first = frozenset({Domain.TIME, Domain.FREQUENCY})

    def measure() -> tuple[float, float]:
        window_metrics(rr, times, starts, 300)
        return (
            best(lambda: window_metrics(rr, times, starts, 300, domains=first), 7),
            best(lambda: window_metrics(rr, times, starts, 300), 7),
        )

    of_numpy = measure()
    if not compiled.load():
        raise SystemExit("This needs Numba: uv sync --group dev.")
    of_loops = measure()
    clean = best(lambda: label_beats(np.resize(rr, 100_000)))
    sample = starts[:: max(1, len(starts) // chosen.sample)].tolist()
    neurokit, other = ask(NEUROKIT, rr, sample), ask(HRV_ANALYSIS, rr, sample)
    count = len(starts)
    print(f"24 h, {len(rr)} beats, {count} windows of 300 s every 30 s; {len(sample)} timed of")
    print(f"NeuroKit2 {neurokit['version']} and hrv-analysis {other['version']}\n")
    print("| | a window | the day | times NumPy | times compiled |")
    print("| --- | --- | --- | --- | --- |")
    ratios: dict[str, float] = {}
    seconds: dict[str, tuple[float, float]] = {}

    def row(name: str, day: float, against: int, ratio: str = "") -> None:
        cells = [f"{day / of[against]:.0f}" for of in (of_numpy, of_loops)]
        print(f"| {name} | {day / count * 1e3:.3f} ms | {day:.3g} s | {' | '.join(cells)} |")
        if ratio:
            ratios[f"{ratio}, NumPy"] = day / of_numpy[against]
            ratios[f"{ratio}, compiled"] = day / of_loops[against]
            seconds[f"{ratio}, NumPy"] = of_numpy[against], day
            seconds[f"{ratio}, compiled"] = of_loops[against], day

    row("Ebbtide, time and frequency, NumPy", of_numpy[0], 0)
    row("Ebbtide, time and frequency, compiled", of_loops[0], 0)
    row("hrv-analysis, time and frequency", other["first_s"] * count, 0, "hrv-analysis, first")
    row("NeuroKit2, time and frequency", neurokit["first_s"] * count, 0, "NeuroKit2, first")
    row("Ebbtide, all, NumPy", of_numpy[1], 1)
    row("Ebbtide, all, compiled", of_loops[1], 1)
    both = other["first_s"] + other["ours_s"]
    row("hrv-analysis, all it has (no ApEn, no DFA)", both * count, 1, "hrv-analysis, all")
    both = neurokit["first_s"] + neurokit["ours_s"]
    row("NeuroKit2, just the same figures", both * count, 1, "NeuroKit2, all")
    both = neurokit["first_s"] + neurokit["all_s"]
    row("NeuroKit2, its three calls", both * count, 1)
    print(
        f"\nlabels of 100,000 beats: Ebbtide {clean * 1e3:.0f} ms, NeuroKit2 (Kubios, one pass) "
        f"{neurokit['clean_s'] * 1e3:.0f} ms, ratio {neurokit['clean_s'] / clean:.0f}"
    )
    print("\n| hours | windows | seconds | memory at most |")
    print("| --- | --- | --- | --- |")
    for hours in chosen.hours:
        beats, ends = series(chosen.recording, hours)
        at = np.arange(0, hours * 3600 - 299, 30.0)
        took = best(lambda b=beats, e=ends, a=at: window_metrics(b, e, a, 300), 1)  # type: ignore[misc]
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {hours:g} | {len(at)} | {took:.2f} | {most:.0f} MB |", flush=True)
    check("hrv", ratios, chosen.record, seconds=seconds)


if __name__ == "__main__":
    main()
