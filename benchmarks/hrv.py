"""HRV of a day, ours beside NeuroKit2, in one run on one machine.

    uv run python benchmarks/hrv.py [--recording ../shared/data/rr/pyhrv_nni_long.txt]

The series is a recording of an hour, repeated to the length that is asked for. Windows of 5 minutes
every 30 s; time domain and frequency domain. The peer works window by window, so it is timed on
a sample of windows, and its time for the day is that, times the number of windows. It needs an
older numpy than ours, and so runs in an environment of its own, which ``uv`` makes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.artefacts import label
from analytics.sliding import windows

ROOT = Path(__file__).resolve().parent.parent
PEERS = ["neurokit2==0.2.13", "numpy<2.4"]
PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np
import neurokit2 as nk
rr, sample, count = np.load(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
times = np.cumsum(rr) / 1000
def clock(work):
    began = time.perf_counter(); work(); return time.perf_counter() - began
peaks_of = []
for start in sample:
    part = rr[(times >= start) & (times < start + 300)]
    peaks_of.append(np.concatenate([[0], np.cumsum(part)]).astype(int))
def neurokit():
    for peaks in peaks_of:
        nk.hrv_time(peaks, sampling_rate=1000)
        nk.hrv_frequency(peaks, sampling_rate=1000, psd_method="welch")
neurokit()  # once for its imports
beats = np.concatenate([[0], np.cumsum(np.resize(rr, count))]).astype(int)
print(json.dumps({
    "versions": [nk.__version__, np.__version__],
    "window_s": clock(neurokit) / len(sample),
    "clean_s": clock(lambda: nk.signal_fixpeaks(
        beats, sampling_rate=1000, method="Kubios", iterative=False)),
}))
"""


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
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--recording", type=Path, default=ROOT.parent / "shared/data/rr/pyhrv_nni_long.txt"
    )
    options.add_argument("--sample", type=int, default=60, help="windows for the peer")
    options.add_argument("--hours", type=float, nargs="+", default=[1, 24, 168, 720])
    chosen = options.parse_args()
    rr, times = series(chosen.recording, 24)
    starts = np.arange(0, 86_400 - 300 + 1, 30.0)
    ours = best(lambda: windows(rr, times, starts, 300))
    clean = best(lambda: label(np.resize(rr, 100_000)))
    sample = starts[:: max(1, len(starts) // chosen.sample)].tolist()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rr.npy"
        np.save(file, rr)
        command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
        for peer in PEERS:
            command += ["--with", peer]
        command += ["python", "-c", PEER, str(file), json.dumps(sample), "100000"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the peer did not run: {done.stderr[-2000:]}")
    peer = json.loads(done.stdout.splitlines()[-1])
    count = len(starts)
    print(f"24 h, {len(rr)} beats, {count} windows of 300 s every 30 s; time and frequency domain")
    print(f"NeuroKit2 {peer['versions'][0]} on numpy {peer['versions'][1]}, {len(sample)} windows")
    print("| | a window | the day | ratio |")
    print("| --- | --- | --- | --- |")
    print(f"| Ebbtide | {ours / count * 1e3:.3f} ms | {ours:.3f} s | 1 |")
    day = peer["window_s"] * count
    print(f"| NeuroKit2 | {peer['window_s'] * 1e3:.1f} ms | {day:.0f} s | {day / ours:.0f} |")
    print(
        f"\nlabels of 100,000 beats: Ebbtide {clean * 1e3:.0f} ms, NeuroKit2 (Kubios, one pass) "
        f"{peer['clean_s'] * 1e3:.0f} ms, ratio {peer['clean_s'] / clean:.0f}"
    )
    print("\n| hours | windows | seconds | memory at most |")
    print("| --- | --- | --- | --- |")
    for hours in chosen.hours:
        beats, ends = series(chosen.recording, hours)
        at = np.arange(0, hours * 3600 - 299, 30.0)
        took = best(lambda b=beats, e=ends, a=at: windows(b, e, a, 300), 1)  # type: ignore[misc]
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {hours:g} | {len(at)} | {took:.2f} | {most:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
