"""The link of a clinic, ours beside a loop over pingouin, in one run on one machine.

    uv run python benchmarks/link.py

200 people with 500 ratings each. Ours: every person's slope beyond the course, their mean with its
interval, and the repeated-measures correlation with 10,000 turned resamples. The peer: pingouin's
``rm_corr`` on the same table, whose 10,000 resamples are as many calls; some are timed. (It takes
no course out, and so does less.) It runs in an environment of its own, which ``uv`` makes. Then how
one person's link and whole report grow with the ratings (``--growth-only``: nothing else).
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import signal

from analytics.association.group import group_link
from analytics.association.hrv_before_rating import without_beats
from analytics.association.within_person import within_person_link
from analytics.report import RatedHrv, associations_report
from benchmarks.hrv import best
from benchmarks.weeks import MONDAY_NS

PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd, pingouin as pg
held = np.load(sys.argv[1]); calls = int(sys.argv[2])
table = pd.DataFrame({name: held[name] for name in ("who", "x", "y")})
rng = np.random.default_rng(0)
call = lambda: pg.rm_corr(data=table, x="x", y="y", subject="who")
call()
began = time.perf_counter()
for _ in range(calls):
    call()
print(json.dumps({"version": pg.__version__, "call_s": (time.perf_counter() - began) / calls,
                  "r": float(call()["r"].iloc[0])}))
"""


def ratings(rng: np.random.Generator, people: int, n: int) -> dict[str, np.ndarray]:
    """Stress and pain that both fall, with ups and downs that linger."""
    noise = signal.lfilter([0.8], [1, -0.6], rng.standard_normal((2, people, n + 50)), axis=2)
    fall = -4 * np.linspace(0, 1, n)
    x, y = np.clip(np.round(6 + fall + 1.3 * noise[:, :, 50:]), 0, 10)
    return {
        "who": np.repeat(np.arange(people), n),
        "day": np.tile(np.arange(n) / 3, people),
        "x": x.ravel(),
        "y": y.ravel(),
    }


def one_person(n: int) -> RatedHrv:
    """A month or more, with a heart before each rating."""
    rng = np.random.default_rng(n)
    held = ratings(rng, 1, n)
    return RatedHrv(
        time_ns=(held["day"] * 86_400e9).astype(np.int64),
        day=held["day"].astype(np.int64),
        hour=(np.arange(n) * 8) % 24.0,
        pain=held["y"],
        stress=held["x"],
        ln_rmssd=3.5 - 0.1 * held["x"] + 0.2 * rng.standard_normal(n),
        heart_rate=65 + held["x"] + rng.standard_normal(n),
        stress_index=np.clip(50 + 5 * rng.standard_normal(n), 0, 100),
        motion_mg=rng.exponential(8, n),
    )


def main() -> None:
    """Print both."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=200)
    options.add_argument("--ratings", type=int, default=500)
    options.add_argument("--resamples", type=int, default=10_000)
    options.add_argument("--calls", type=int, default=10, help="calls of the peer that are timed")
    options.add_argument("--growth", type=int, nargs="+", default=[84, 500, 4000, 10_000])
    options.add_argument("--growth-only", action="store_true", help="no clinic and no peer")
    chosen = options.parse_args()
    if chosen.growth_only:
        print_growth(chosen.growth)
        return
    held = ratings(np.random.default_rng(1), chosen.people, chosen.ratings)
    hours = held["day"] * 24 % 24

    def ours() -> object:
        return group_link(
            held["who"], held["day"], held["x"], held["y"], hours, resamples=chosen.resamples
        )

    ours()
    took = best(ours, 3)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ratings.npz"
        np.savez(file, **held)  # type: ignore[arg-type]
        command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
        done = subprocess.run(
            [*command, "--with", "pingouin", "python", "-c", PEER, str(file), str(chosen.calls)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"pingouin did not run: {done.stderr[-2000:]}")
    peer = json.loads(done.stdout.splitlines()[-1])
    whole = peer["call_s"] * chosen.resamples
    print(
        f"{chosen.people} people, {chosen.ratings} ratings each, {chosen.resamples} resamples\n"
        f"Ebbtide: {took:.2f} s\n"
        f"pingouin {peer['version']}: {peer['call_s'] * 1e3:.0f} ms a call, {whole:.0f} s for all; "
        f"ratio {whole / took:.0f}"
    )
    print_growth(chosen.growth)


def print_growth(sizes: list[int]) -> None:
    """Print how the seconds of one person's link and whole report grow with ratings."""
    print("| ratings | link, s | ms a rating | irregular hours, s | report, s | ms a rating |")
    print("|" + " --- |" * 6)
    for n in sizes:
        person = one_person(n)
        rng = np.random.default_rng(n)
        loose = np.sort(np.floor(np.arange(n) / 2.5) + rng.uniform(6.5, 23, n) / 24)
        at_ns = MONDAY_NS + np.round(loose * 86_400e9).astype(np.int64)
        pairs = person.stress, person.pain
        times = [
            best(make, 5 if n < 2000 else 2)
            for make in (
                functools.partial(within_person_link, person.time_ns, *pairs, person.hour),
                functools.partial(within_person_link, at_ns, *pairs, loose % 1 * 24),
                functools.partial(associations_report, person, without_beats(n)),
            )
        ]
        print(
            f"| {n:,} | {times[0]:.2f} | {1e3 * times[0] / n:.2f} | {times[1]:.2f} "
            f"| {times[2]:.2f} | {1e3 * times[2] / n:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
