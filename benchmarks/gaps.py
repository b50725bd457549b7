"""Gaps put into complete windows at random: bias and spread of each metric, beside other tools.

    uv run python benchmarks/gaps.py [--data ../shared/data/rr] [--draws 4]

Windows of five minutes of each recording and of simulated series; 5 to 60% of the time is taken out
in 1, 4 or 12 gaps. Each tool is compared with itself on the complete window. Bias is the mean error
in percent, spread its standard deviation; the Monte-Carlo error of our bias counts windows, not
draws. Absent values are counted, not averaged. NeuroKit2 gets intervals with their times,
hrv-analysis, which takes no times, the intervals. Both need older packages than ours, and run in
environments of their own, which ``uv`` makes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.engine import window_metrics
from analytics.hrv.metric import Domain

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("pyhrv_nni_long.txt", "pyhrv_nni_short.txt", "rest_rri.txt", "aura_nn_intervals.txt")
SHARES = (0.05, 0.2, 0.4, 0.6)
GAPS = (1, 4, 12)
SIMULATED = 8
LENGTH_S = 300.0
METRICS = ("mean_nn_ms", "sdnn_ms", "rmssd_ms", "lf_ms2", "hf_ms2", "lf_hf", "total_ms2")
READ = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np
cases = np.load(sys.argv[1])
found = {}
"""
WRITE = """
for name in sorted({key[2:] for key in cases.files}):
    try:
        found[name] = [float(value) for value in of(cases["r|" + name], cases["t|" + name])]
    except Exception:
        found[name] = [float("nan")] * 7
print(json.dumps(found))
"""
NEUROKIT = (
    ["neurokit2==0.2.13", "numpy<2.4"],
    READ
    + """
import neurokit2 as nk
def of(rr, times):
    given = {"RRI": rr, "RRI_Time": times}
    time = nk.hrv_time(given)
    band = nk.hrv_frequency(given, psd_method="welch", normalize=False)
    return [*(time["HRV_" + n][0] for n in ("MeanNN", "SDNN", "RMSSD")),
            *(band["HRV_" + n][0] for n in ("LF", "HF", "LFHF", "TP"))]
"""
    + WRITE,
)
HRV_ANALYSIS = (
    ["hrv-analysis==1.0.5", "nolds==0.5.2", "setuptools<80", "numpy<2", "scipy<1.13"],
    READ
    + """
import hrvanalysis as h
def of(rr, times):
    rr = rr.tolist()
    time, band = h.get_time_domain_features(rr), h.get_frequency_domain_features(rr)
    return [*(time[n] for n in ("mean_nni", "sdnn", "rmssd")),
            *(band[n] for n in ("lf", "hf", "lf_hf_ratio", "total_power"))]
"""
    + WRITE,
)
FloatArray = NDArray[np.float64]


def simulate(seed: int) -> FloatArray:
    """Simulate eight minutes: power falling with frequency, waves near 0.1 Hz and near 0.25 Hz."""
    rng = np.random.default_rng([21, seed])
    samples = 2 * 480 * 4
    hz = np.fft.rfftfreq(samples, 0.25)
    power = 30 / np.maximum(hz, 0.003) * (hz < 0.5) * (hz > 0)
    power += 8000 * np.exp(-(((hz - 0.1) / 0.015) ** 2) / 2)
    power += 8000 * np.exp(-(((hz - 0.25) / 0.02) ** 2) / 2)
    wave = np.fft.irfft(np.sqrt(power * samples) * (rng.normal(size=(2, len(hz))).T @ [1, 1j]))
    t, rr = 0.0, []
    while t < 480:
        rr.append(850 + np.interp(4 * t, np.arange(samples), wave))
        t += rr[-1] / 1000
    return np.array(rr)


def drop(start: float, share: float, count: int, rng: np.random.Generator) -> FloatArray:
    """Draw ``count`` gaps in the window from ``start`` on: starts and ends, shape (count, 2)."""
    gaps = rng.dirichlet(np.ones(count)) * share * LENGTH_S
    pieces = rng.dirichlet(np.ones(count + 1)) * (1 - share) * LENGTH_S
    starts = start + np.cumsum(pieces[:-1]) + np.append(0, np.cumsum(gaps[:-1]))
    return np.column_stack([starts, starts + gaps])


def compute_ours(rr: FloatArray, times: FloatArray, start: float) -> list[float]:
    """Compute the metrics of the window from ``start`` on, among all beats."""
    begins = np.append(True, np.diff(times) - rr[1:] / 1000 > 1e-3)
    found = window_metrics(
        rr,
        times,
        np.array([start]),
        LENGTH_S,
        np.cumsum(begins),
        domains={Domain.TIME, Domain.FREQUENCY},
    )
    return [float(found.values[name][0]) for name in METRICS]


def ask(peer: tuple[list[str], str], cases: dict[str, FloatArray]) -> dict[str, list[float]]:
    """Compute the metrics of all cases with one peer, in an environment of its own."""
    packages, script = peer
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.npz"
        np.savez(file, **cases)  # type: ignore[arg-type]
        command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
        for package in packages:
            command += ["--with", package]
        done = subprocess.run(
            [*command, "python", "-c", script, str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{packages[0]} did not run: {done.stderr[-2000:]}")
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def errors(found: dict[str, list[float]], share: int, windows: int) -> list[FloatArray]:
    """Percent by which each metric is off its own value of the complete window, by window."""
    result = []
    for window in range(windows):
        parts = [v for name, v in found.items() if name.startswith(f"{share}|{window}|")]
        whole = np.array(found[f"whole|{window}"])
        with np.errstate(all="ignore"):
            off = 100 * (np.array(parts, np.float64) / whole - 1)
        result.append(off[:, np.newaxis].reshape(len(parts), len(METRICS)))
    return result


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/rr")
    options.add_argument("--draws", type=int, default=4)
    options.add_argument("--alone", action="store_true", help="without the other tools")
    chosen = options.parse_args()
    series = [simulate(k) for k in range(SIMULATED)]
    series += [np.loadtxt(chosen.data / name) for name in NAMES]
    cases: dict[str, FloatArray] = {}
    ours: dict[str, list[float]] = {}
    windows = 0

    def put(name: str, rr: FloatArray, times: FloatArray, start: float) -> None:
        ours[name] = compute_ours(rr, times, start)
        inside = (times >= start) & (times < start + LENGTH_S)
        cases["r|" + name], cases["t|" + name] = rr[inside], times[inside]

    for rr in series:
        times = np.cumsum(rr) / 1000
        for start in np.arange(0.8, times[-1] - LENGTH_S, LENGTH_S):
            put(f"whole|{windows}", rr, times, start)
            for k, share in enumerate(SHARES):
                for draw in range(chosen.draws):
                    rng = np.random.default_rng([k, windows, draw])
                    gaps = drop(start, share, GAPS[draw % len(GAPS)], rng)
                    left = np.ones(len(rr), np.bool_)
                    for begin, end in gaps:
                        left &= (times <= begin) | (times - rr / 1000 >= end)
                    put(f"{k}|{windows}|{draw}", rr[left], times[left], start)
            windows += 1
    tools = [ours]
    if not chosen.alone:
        tools += [ask(NEUROKIT, cases), ask(HRV_ANALYSIS, cases)]
    print(f"{windows} windows, {chosen.draws} draws of each. Bias ± spread in percent.\n")
    print("| missing | metric | Ebbtide | MC error | absent | NeuroKit2 | hrv-analysis |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for k, share in enumerate(SHARES):
        off = [errors(found, k, windows) for found in tools]
        for m, name in enumerate(METRICS):
            cells = []
            for of in off:
                e = np.concatenate([window[:, m] for window in of])
                e = e[np.isfinite(e)]
                cells.append(f"{np.mean(e):+.1f} ± {np.std(e):.1f}" if len(e) > 5 else "")
            each = np.array(
                [np.mean(w[np.isfinite(w[:, m]), m]) for w in off[0] if np.isfinite(w[:, m]).any()]
            )
            mc = f"{np.std(each, ddof=1) / np.sqrt(len(each)):.1f}" if len(each) > 5 else ""
            absent = np.mean(~np.isfinite(np.concatenate([w[:, m] for w in off[0]])))
            row = [cells[0], mc, f"{absent:.0%}", *cells[1:]]
            print(f"| {share:.0%} | `{name}` | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
