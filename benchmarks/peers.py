"""What other tools say of the very same intervals: the table of docs/evidence/hrv.md.

    uv run python benchmarks/peers.py [--recording ../shared/data/rr/rest_rri.txt]

Nothing is left out or corrected, by us either. Each peer needs older packages than ours, and so
runs in an environment of its own, which ``uv`` makes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from analytics.hrv.entropy import entropies
from analytics.hrv.frequency_domain import BANDS_HZ, welch
from analytics.hrv.nonlinear import ALPHA_1, CorrectedWindows, dfa_alpha
from analytics.hrv.time_domain import TIME_DOMAIN, NNWindows, histogram, triangle_base

ROOT = Path(__file__).resolve().parent.parent
HEAD = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np
rr = np.loadtxt(sys.argv[1])
"""
OLD = ["setuptools<80", "nolds==0.5.2", "numpy<2", "scipy<1.13"]
PEERS = {
    "NeuroKit2": (
        ["neurokit2==0.2.13", "numpy<2.4"],
        """
import neurokit2 as nk
peaks = np.round(np.concatenate([[0], np.cumsum(rr)]) * 10).astype(int)
found = {}
for call, more in ((nk.hrv_time, {}), (nk.hrv_nonlinear, {}),
                   (nk.hrv_frequency, {"psd_method": "welch", "normalize": False})):
    found |= call(peaks, sampling_rate=10_000, **more).iloc[0].to_dict()
names = {"mean NN": "HRV_MeanNN", "SDNN": "HRV_SDNN", "RMSSD": "HRV_RMSSD", "SDSD": "HRV_SDSD",
         "pNN50": "HRV_pNN50", "pNN20": "HRV_pNN20", "SD1": "HRV_SD1", "SD2": "HRV_SD2",
         "triangular index": "HRV_HTI", "TINN": "HRV_TINN", "HF": "HRV_HF", "SampEn": "HRV_SampEn",
         "ApEn": "HRV_ApEn", "DFA alpha 1": "HRV_DFA_alpha1", "MAD": "HRV_MadNN"}
""",
    ),
    "pyHRV": (
        ["pyhrv==0.4.1", "peakutils", "spectrum", "matplotlib", *OLD],
        """
import pyhrv.time_domain as td, pyhrv.nonlinear as nl, pyhrv.frequency_domain as fd
found = {}
for result in (td.nni_parameters(rr), td.hr_parameters(rr), td.sdnn(rr), td.rmssd(rr), td.sdsd(rr),
               td.nn50(rr), td.nn20(rr), td.triangular_index(rr, plot=False, show=False),
               nl.poincare(rr, show=False), nl.sample_entropy(rr), nl.dfa(rr, show=False)):
    found |= {key: result[key] for key in result.keys()}
found["hf"] = fd.welch_psd(rr, show=False, mode="dev")[0]["fft_abs"][-1]
names = {"mean NN": "nni_mean", "mean HR": "hr_mean", "SDNN": "sdnn", "RMSSD": "rmssd",
         "SDSD": "sdsd", "pNN50": "pnn50", "pNN20": "pnn20", "SD1": "sd1", "SD2": "sd2",
         "triangular index": "tri_index", "SampEn": "sampen", "DFA alpha 1": "dfa_alpha1",
         "HF": "hf"}
""",
    ),
    "hrv-analysis": (
        ["hrv-analysis==1.0.5", *OLD],
        """
import hrvanalysis as h
part = rr.tolist()
found = {}
for call in (h.get_time_domain_features, h.get_frequency_domain_features,
             h.get_geometrical_features, h.get_poincare_plot_features, h.get_sampen):
    found |= call(part)
names = {"mean NN": "mean_nni", "mean HR": "mean_hr", "SDNN": "sdnn", "RMSSD": "rmssd",
         "SDSD": "sdsd", "pNN50": "pnni_50", "pNN20": "pnni_20", "SD1": "sd1", "SD2": "sd2",
         "triangular index": "triangular_index", "HF": "hf", "SampEn": "sampen"}
""",
    ),
}
TAIL = """
print(json.dumps({name: float(found[key]) for name, key in names.items()}))
"""


def ours(nn: np.ndarray) -> dict[str, float]:
    """The same metrics by our functions."""
    everything = np.ones(len(nn), np.bool_)
    follows = np.arange(len(nn)) > 0
    first, last = np.array([0]), np.array([len(nn)])
    windows = NNWindows(nn, everything, follows, first, last, len(nn))
    of = {metric.name: float(metric.rows(windows)[0]) for metric in TIME_DOMAIN}
    entropy = entropies(nn)
    return {
        "mean NN": of["mean_nn_ms"],
        "mean HR": of["mean_hr_bpm"],
        "SDNN": of["sdnn_ms"],
        "RMSSD": of["rmssd_ms"],
        "SDSD": of["sdsd_ms"],
        "pNN50": of["pnn50_percent"],
        "pNN20": of["pnn20_percent"],
        "MAD": of["mad_ms"],
        "SD1": of["sd1_ms"],
        "SD2": of["sd2_ms"],
        "triangular index": len(nn) / int(np.max(histogram(nn))),
        "TINN": triangle_base(histogram(nn)),
        "HF": welch(np.cumsum(nn) / 1000, nn).band_ms2(*BANDS_HZ["hf"]),
        "SampEn": entropy.sample,
        "ApEn": entropy.approximate,
        "DFA alpha 1": float(dfa_alpha(CorrectedWindows(nn, follows, first, last), ALPHA_1)[0]),
    }


def ask(packages: list[str], script: str, recording: Path) -> dict[str, float]:
    """One peer's figures; none, with a word on stderr, where it does not run."""
    command = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable]
    for package in packages:
        command += ["--with", package]
    done = subprocess.run(
        [*command, "python", "-c", HEAD + script + TAIL, str(recording)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"{packages[0]} did not run: {done.stderr[-300:]}", file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    file = "shared/data/rr/rest_rri.txt"
    options.add_argument("--recording", type=Path, default=ROOT.parent / file)
    recording = options.parse_args().recording
    mine = ours(np.loadtxt(recording))
    theirs = {name: ask(*peer, recording) for name, peer in PEERS.items()}
    print(f"| figure | Ebbtide | {' | '.join(theirs)} |")
    print(f"| --- | --- |{' --- |' * len(theirs)}")
    for name, value in mine.items():
        cells = [f"{peer[name]:.4f}" if name in peer else "" for peer in theirs.values()]
        print(f"| {name} | {value:.4f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
