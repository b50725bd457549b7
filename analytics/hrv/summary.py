"""All HRV figures of one stretch of beats, each with the shortest stretch for which it means
something; below that it is absent, and ``missing`` says why.

Time-domain and geometric figures are of measured NN intervals alone, differences of neighbours
only. Spectrum, entropies and DFA need an unbroken series, and take the corrected one
(``analytics.hrv.correction``), of which at most a fifth was filled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.hrv import variability
from analytics.hrv.artefacts import Beat, BeatLabels, label_beats
from analytics.hrv.complexity import ALPHA_1, ALPHA_2, dfa_alpha, entropies
from analytics.hrv.correction import CorrectedSeries, correct_beats
from analytics.hrv.requirements import (
    MAX_FOR_ENTROPY,
    MIN_INTERVALS,
    MIN_SECONDS,
    REQUIRES_CORRECTED,
    disturbed_reason,
    insufficient_reason,
    undefined_reason,
)
from analytics.hrv.scalar_time_domain import mean_hr_bpm, sdnn_ms
from analytics.hrv.spectrum import BANDS_HZ, breathing_hz, spectrum

FloatArray = NDArray[np.float64]

SLOW_BREATHING = (
    "Breathing seems to be slower than 9 a minute: its waves are then in LF, not in HF, and LF, "
    "HF, LF/HF and RMSSD do not say what they usually say."
)


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the stretch is. ``normal_share`` of its intervals; ``filled_share`` of the corrected
    series; ``longest_gap_s`` between two normal intervals that are not neighbours; ``labels``
    counts each kind of beat.
    """

    intervals: int
    normal_share: float
    filled_share: float
    longest_gap_s: float
    labels: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class HrvSummary:
    """``values``: figures by name (ms, ms², percent, bpm or Hz, as the name ends), None with a
    reason in ``missing``. ``seconds``: time that NN intervals fill.
    """

    values: dict[str, float | None]
    missing: dict[str, str]
    quality: Quality
    labelled: BeatLabels
    seconds: float
    spectrum_method: str | None
    corrected: CorrectedSeries
    notes: tuple[str, ...]


def hrv_summary(
    rr_ms: FloatArray,
    time_s: FloatArray | None = None,
    run: NDArray[np.int64] | None = None,
    contact: NDArray[np.int8] | None = None,
) -> HrvSummary:
    """All figures of RR intervals.

    ``rr_ms``: shape (n,). ``time_s``: when each interval ended, increasing; the running sum of the
    intervals if left out. ``run``: a number per unbroken run. ``contact``: 0 where the strap
    touched no skin. Raises ValueError for other shapes.
    """
    rr = np.asarray(rr_ms, dtype=np.float64)
    labelled = label_beats(rr, run, contact)
    if time_s is None:
        times = np.cumsum(np.nan_to_num(rr, nan=0.0, posinf=0.0, neginf=0.0)) / 1000
    else:
        times = np.asarray(time_s, dtype=np.float64)
    if times.shape != rr.shape:
        raise ValueError("time_s must have the shape of rr_ms")
    normal = labelled.normal
    follows = np.ones(len(rr), dtype=np.bool_)
    follows[:1] = False
    if run is not None:
        follows[1:] &= np.diff(run) == 0
    nn, nn_times = rr[normal], times[normal]
    seconds = float(np.sum(nn) / 1000)
    corrected = correct_beats(rr, times, run, labelled)
    quality = _quality(rr, nn, nn_times, labelled, corrected)
    reason = _missing_reason(quality)
    values: dict[str, float | None] = {}
    missing: dict[str, str] = {}
    found: dict[str, float] = {}
    method = None
    if reason is None:
        found = _time_figures(rr, nn, normal, follows) | _nonlinear_figures(corrected)
        if seconds >= MIN_SECONDS["hf_ms2"]:
            more, method = _frequency_figures(corrected.time_s, corrected.nn_ms)
            found |= more
    for name in (*MIN_SECONDS, *MIN_INTERVALS):
        intervals = len(corrected.nn_ms) if name in REQUIRES_CORRECTED else len(nn)
        why = reason or insufficient_reason(name, seconds, intervals)
        value = found.get(name, math.nan)
        if why is None and not math.isfinite(value):
            why = undefined_reason(name, intervals)
        values[name] = None if why else value
        if why:
            missing[name] = why
    breaths = values["breathing_per_min"]
    notes = (SLOW_BREATHING,) if breaths is not None and breaths < 9 else ()
    return HrvSummary(values, missing, quality, labelled, seconds, method, corrected, notes)


def _time_figures(
    rr: FloatArray, nn: FloatArray, normal: NDArray[np.bool_], follows: NDArray[np.bool_]
) -> dict[str, float]:
    differences = variability.neighbour_differences(rr, normal, follows)
    sd1, sd2 = variability.poincare_ms(rr, normal, follows)
    mean, sdnn = float(np.mean(nn)), sdnn_ms(nn)
    rmssd = math.sqrt(float(np.mean(differences**2))) if len(differences) else math.nan
    return {
        "mean_hr_bpm": mean_hr_bpm(nn),
        "mean_nn_ms": mean,
        "sdnn_ms": sdnn,
        "rmssd_ms": rmssd,
        "sdsd_ms": variability.sdsd_ms(differences),
        "pnn20_percent": variability.pnn_percent(differences, 20),
        "pnn50_percent": variability.pnn_percent(differences, 50),
        "cvnn_percent": 100 * sdnn / mean,
        "mad_ms": variability.mad_ms(nn),
        "percentile_range_ms": variability.percentile_range_ms(nn),
        "sd1_ms": sd1,
        "sd2_ms": sd2,
        "triangular_index": variability.triangular_index(nn),
        "tinn_ms": variability.tinn_ms(nn),
        "stress_index_baevsky": variability.stress_index_baevsky(nn),
    }


def _nonlinear_figures(corrected: CorrectedSeries) -> dict[str, float]:
    nn, follows = corrected.nn_ms, corrected.follows
    found = {
        "dfa_alpha1": dfa_alpha(nn, *ALPHA_1, follows),
        "dfa_alpha2": dfa_alpha(nn, *ALPHA_2, follows),
    }
    if MIN_INTERVALS["sampen"] <= len(nn) <= MAX_FOR_ENTROPY:
        entropy = entropies(nn, follows)
        found |= {"sampen": entropy.sample, "apen": entropy.approximate}
    return found


def _frequency_figures(times: FloatArray, nn: FloatArray) -> tuple[dict[str, float], str]:
    found = spectrum(times, nn)
    power = {name: found.band_ms2(*band) for name, band in BANDS_HZ.items()}
    both = power["lf"] + power["hf"]
    flat = both <= 1e-12  # what rounding leaves of a constant heart
    return {
        "vlf_ms2": power["vlf"],
        "lf_ms2": power["lf"],
        "hf_ms2": power["hf"],
        "total_ms2": sum(power.values()),
        "lf_hf": math.nan if flat else power["lf"] / power["hf"],
        "lf_nu": math.nan if flat else 100 * power["lf"] / both,
        "hf_nu": math.nan if flat else 100 * power["hf"] / both,
        "hf_peak_hz": math.nan if flat else found.peak_hz(*BANDS_HZ["hf"]),
        "breathing_per_min": 60 * float(breathing_hz(found.hz, found.power_ms2_hz[None, :])[0]),
    }, found.method


def _quality(
    rr: FloatArray,
    nn: FloatArray,
    times: FloatArray,
    labelled: BeatLabels,
    corrected: CorrectedSeries,
) -> Quality:
    gap = 0.0
    if len(nn) > 1:
        gap = max(0.0, float(np.max(np.diff(times) - nn[1:] / 1000)))
    return Quality(
        intervals=len(rr),
        normal_share=float(np.mean(labelled.normal)) if len(rr) else 0.0,
        filled_share=float(np.mean(corrected.filled)) if len(corrected.filled) else 0.0,
        longest_gap_s=gap,
        labels={
            beat.name.lower(): int(np.count_nonzero(labelled.beat == np.int8(beat)))
            for beat in Beat
        },
    )


def _missing_reason(quality: Quality) -> str | None:
    if quality.intervals and quality.labels["unknown"] == quality.intervals:
        return "too few beats in a row to tell which are normal"
    return disturbed_reason(quality.intervals, quality.normal_share)
