"""Artefacts put into clean recordings at known places: who finds them, and what is left after.

    uv run python benchmarks/artefacts.py [--data ../shared/data/rr] [--rounds 5]

Into each clean recording are put missed beats, extra beats, beats found at the wrong moment, and
ectopic beats with their pause, 0.1% to 10% of the beats. Ours and NeuroKit2's Kubios method (its
default, iterative) get the very same intervals. Reported for each:

- sensitivity: artefacts of which at least one interval was labelled, of all;
- specificity: untouched intervals that were not labelled, of all;
- error: how far RMSSD, SDNN and HF power are from those of the recording before, in percent
  (the mean of the absolute errors). NeuroKit2's are worked out from its corrected beats by the
  plain definitions and our Welch spectrum, ours by ``analytics.hrv.summary``.

NeuroKit2's labels are those of its first pass (later passes number beats that it made itself), its
corrected beats those of all passes. It needs an older numpy than ours, and so runs in an
environment of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.artefacts import label_beats
from analytics.hrv.frequency_domain import BANDS_HZ, welch
from analytics.hrv.summary import hrv_summary

ROOT = Path(__file__).resolve().parent.parent
CLEAN = ["pyhrv_nni_long.txt", "pyhrv_nni_short.txt", "rest_rri.txt", "aura_nn_intervals.txt"]
SHARES = [0.001, 0.01, 0.03, 0.05, 0.10]
KINDS = ["missed", "extra", "shifted", "ectopic", "mixed"]
PEERS = ["neurokit2==0.2.13", "numpy<2.4"]
PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np
import neurokit2 as nk
cases = np.load(sys.argv[1])
found, took = {}, 0.0
for name in cases.files:
    peaks = np.concatenate([[0], np.cumsum(cases[name])])
    whole = np.round(peaks * 10).astype(int)  # samples of 0.1 ms
    try:
        began = time.perf_counter()
        _, clean = nk.signal_fixpeaks(whole, sampling_rate=10_000, method="Kubios")
        took += time.perf_counter() - began
        info, _ = nk.signal_fixpeaks(
            whole, sampling_rate=10_000, method="Kubios", iterative=False)
    except Exception as error:
        found[name] = {"error": f"{type(error).__name__}: {error}"[:200]}
        continue
    flagged = sorted({int(i) - 1 for kind in ("ectopic", "missed", "extra", "longshort")
                      for i in info[kind]})
    found[name] = {"flagged": flagged, "nn": (np.diff(clean) / 10).tolist()}
print(json.dumps({"version": nk.__version__, "seconds": took, "found": found}))
"""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Spoilt:
    """A recording with artefacts. ``events``: for each, the intervals that it touched."""

    rr_ms: FloatArray
    events: list[list[int]]


def spoil(clean_ms: FloatArray, kind: str, share: float, rng: np.random.Generator) -> Spoilt:
    """Put artefacts into ``clean_ms`` at places at least four beats apart."""
    count = max(1, round(share * len(clean_ms)))
    places: list[int] = []
    for place in rng.permutation(np.arange(6, len(clean_ms) - 6)).tolist():
        if all(abs(place - other) >= 4 for other in places):
            places.append(place)
        if len(places) == count:
            break
    rr: list[float] = []
    events: list[list[int]] = []
    i = 0
    chosen = set(places)
    while i < len(clean_ms):
        if i not in chosen:
            rr.append(float(clean_ms[i]))
            i += 1
            continue
        at = len(rr)
        one, two = float(clean_ms[i]), float(clean_ms[i + 1])
        what = kind if kind != "mixed" else str(rng.choice(KINDS[:4]))
        if what == "missed":
            rr.append(one + two)
            events.append([at])
        elif what == "extra":
            part = rng.uniform(0.25, 0.75) * one
            rr += [part, one - part, two]
            events.append([at, at + 1])
        elif what == "shifted":
            by = rng.uniform(0.12, 0.3) * one * rng.choice([-1, 1])
            rr += [one + by, two - by]
            events.append([at, at + 1])
        else:
            early = rng.uniform(0.25, 0.4) * one
            rr += [one - early, two + early]
            events.append([at, at + 1])
        i += 2
    return Spoilt(np.round(np.array(rr), 1), events)


def plain(nn: FloatArray) -> tuple[float, float, float]:
    """RMSSD, SDNN, HF by the definitions, nothing left out."""
    hf = welch(np.cumsum(nn) / 1000, nn).band_ms2(*BANDS_HZ["hf"])
    return float(np.sqrt(np.mean(np.diff(nn) ** 2))), float(np.std(nn, ddof=1)), hf


def judged(
    flagged: set[int], after: tuple[float, float, float], truth: tuple[float, ...], spoilt: Spoilt
) -> list[float]:
    """Sensitivity, specificity, and the three errors, all in percent."""
    touched = {i for event in spoilt.events for i in event}
    hit = sum(any(i in flagged for i in event) for event in spoilt.events)
    false = len(flagged - touched)
    errors = [100 * abs(a / t - 1) for a, t in zip(after, truth, strict=True)]
    untouched = len(spoilt.rr_ms) - len(touched)
    return [100 * hit / len(spoilt.events), 100 * (1 - false / untouched), *errors]


def ours(rr_ms: FloatArray) -> tuple[set[int], tuple[float, float, float]]:
    """What we flag, and our figures."""
    found = hrv_summary(rr_ms)
    after = [found.values[name] for name in ("rmssd_ms", "sdnn_ms", "hf_ms2")]
    numbers = [np.nan if value is None else value for value in after]
    return set(np.flatnonzero(~found.labelled.normal).tolist()), tuple(numbers)  # type: ignore[return-value]


def ask_neurokit(cases: dict[str, FloatArray]) -> dict[str, object]:
    """Its flags and corrected intervals, from an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.npz"
        np.savez(file, **cases)  # type: ignore[arg-type]
        command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
        for peer in PEERS:
            command += ["--with", peer]
        done = subprocess.run(
            [*command, "python", "-c", PEER, str(file)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(f"NeuroKit2 did not run: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def mit_bih(folder: Path) -> tuple[FloatArray, list[list[int]]]:
    """Record 100, and the intervals before and after each premature beat."""
    lines = (folder / "mitdb_100_beats.csv").read_text().splitlines()[1:]
    times = np.array([float(line.split(",")[0]) for line in lines])
    kinds = [line.split(",")[1].strip() for line in lines]
    events = [[i - 1, i] for i, kind in enumerate(kinds) if kind != "N" and 0 < i < len(kinds) - 1]
    return np.round(np.diff(times) * 1000, 1), events


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/rr")
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    spoilt: dict[str, Spoilt] = {}
    truths: dict[str, tuple[float, float, float]] = {}
    for name in CLEAN:
        clean = np.loadtxt(chosen.data / name)
        for kind in KINDS:
            for share in SHARES:
                for turn in range(chosen.rounds):
                    key = f"{kind}|{share}|{name}|{turn}"
                    seed = [KINDS.index(kind), SHARES.index(share), CLEAN.index(name), turn]
                    spoilt[key] = spoil(clean, kind, share, np.random.default_rng(seed))
                    truths[key] = plain(clean)
    beats, events = mit_bih(chosen.data)
    peer = ask_neurokit({**{key: s.rr_ms for key, s in spoilt.items()}, "mit": beats})
    found: dict[str, dict[str, list[float]]] = peer["found"]  # type: ignore[assignment]
    rows: dict[tuple[str, float], list[list[list[float]]]] = defaultdict(list)
    failed = 0
    for key, case in spoilt.items():
        kind, share, *_ = key.split("|")
        theirs = found[key]
        failed += "error" in theirs
        flagged, after = ours(case.rr_ms)
        mine = judged(flagged, after, truths[key], case)
        if "error" in theirs:
            other = [0.0, 100.0, np.nan, np.nan, np.nan]
        else:
            nn = np.array(theirs["nn"])
            other = judged({int(i) for i in theirs["flagged"]}, plain(nn), truths[key], case)
        rows[kind, float(share)].append([mine, other])
    print(f"NeuroKit2 {peer['version']}; {len(spoilt)} spoilt recordings; it failed on {failed}\n")
    print("Each cell: Ebbtide / NeuroKit2, in percent.\n")
    print("| artefact | share | sensitivity | specificity | RMSSD off | SDNN off | HF off |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (kind, share), cells in rows.items():
        mean = np.nanmean(np.array(cells), axis=0)
        row_text = " | ".join(f"{a:.2f} / {b:.2f}" for a, b in zip(mean[0], mean[1], strict=True))
        print(f"| {kind} | {100 * share:g}% | {row_text} |")
    mean = np.nanmean(np.array([c for cells in rows.values() for c in cells]), axis=0)
    row_text = " | ".join(f"{a:.2f} / {b:.2f}" for a, b in zip(mean[0], mean[1], strict=True))
    print(f"| **all** | | {row_text} |")
    print(f"\nMIT-BIH record 100, {len(events)} premature beats of {len(beats) + 1}:")
    touched = {i for event in events for i in event}
    for who, flags in (
        ("Ebbtide", set(np.flatnonzero(~label_beats(beats).normal).tolist())),
        ("NeuroKit2", {int(i) for i in found["mit"].get("flagged", [])}),
    ):
        hit = sum(any(i in flags for i in event) for event in events)
        false = len(flags - touched)
        others = len(beats) - len(touched)
        print(
            f"- {who}: {hit} of {len(events)} found, {false} of {others} other intervals labelled "
            f"(specificity {100 * (1 - false / others):.2f}%)"
        )


if __name__ == "__main__":
    main()
