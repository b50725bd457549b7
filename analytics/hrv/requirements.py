"""What each figure needs to mean something, and in words why one is absent.

The shortest stretches: Task Force (1996) for frequencies (ten cycles of the slowest wave: HF 1
minute, LF 2 to 4, VLF 5 and more, of which a tenth may be missing) and for the geometric figures
(20 minutes, better 24 hours); Munoz et al. (2015), PLOS ONE 10:e0138921, for RMSSD and SDNN (1
minute, better 5); Yentes et al. (2013), Annals of Biomedical Engineering 41:349, for the entropies
(200 intervals); Peng et al. (1995) for DFA (four boxes of the longest size). Baevsky's index is
defined on 100 beats or more.
"""

from __future__ import annotations

MIN_SECONDS = {
    "mean_hr_bpm": 10,
    "mean_nn_ms": 10,
    "rmssd_ms": 60,
    "sdnn_ms": 60,
    "sdsd_ms": 60,
    "pnn20_percent": 60,
    "pnn50_percent": 60,
    "cvnn_percent": 60,
    "mad_ms": 60,
    "percentile_range_ms": 60,
    "sd1_ms": 60,
    "sd2_ms": 60,
    "triangular_index": 1200,
    "tinn_ms": 1200,
    "hf_ms2": 60,
    "lf_ms2": 120,
    "lf_hf": 120,
    "lf_nu": 120,
    "hf_nu": 120,
    "hf_peak_hz": 60,
    "breathing_per_min": 120,
    "total_ms2": 270,
    "vlf_ms2": 270,
}
MIN_INTERVALS = {
    "stress_index_baevsky": 100,
    "sampen": 200,
    "apen": 200,
    "dfa_alpha1": 64,
    "dfa_alpha2": 256,
}
MIN_NORMAL_SHARE = 0.8
MAX_FOR_ENTROPY = 20_000  # intervals: every pair is compared, and no heart stays the same so long
# Of the corrected series, not of measured NN intervals.
REQUIRES_CORRECTED = ("sampen", "apen", "dfa_alpha1", "dfa_alpha2")


def disturbed_reason(intervals: int, normal_share: float) -> str | None:
    """Why no figure at all is told; None where they may be."""
    if not intervals:
        return "there are no intervals"
    if normal_share < MIN_NORMAL_SHARE:
        needed = f"{MIN_NORMAL_SHARE:.0%} are needed"
        return f"only {normal_share:.0%} of the intervals are normal; {needed}"
    return None


def insufficient_reason(name: str, seconds: float, intervals: int) -> str | None:
    """Why this much is too little for a figure; None where it is enough. ``intervals``: of the
    series that the figure is of.
    """
    least = MIN_SECONDS.get(name, 0)
    if seconds < least:
        return f"{seconds:.0f} s of NN intervals; {least} s are needed"
    count = MIN_INTERVALS.get(name, 0)
    if intervals < count:
        return f"{intervals} NN intervals; {count} are needed"
    return None


def undefined_reason(name: str, intervals: int) -> str:
    """Why a figure is absent although there is enough to work it out of."""
    if name == "breathing_per_min":
        return "no narrow peak that would be breathing"
    if name in ("sampen", "apen") and intervals > MAX_FOR_ENTROPY:
        return f"longer than {MAX_FOR_ENTROPY:,} intervals; ask for windows of fewer"
    return "the intervals do not vary enough, or a hole is too long, to work it out"
