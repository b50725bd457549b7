"""All HRV metrics of one stretch of beats.

Each has the shortest stretch for which it means something; below that it is None, and
``missing_reason`` says why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, Int8Array, IntArray
from analytics.hrv.artefacts import Beat, BeatLabels
from analytics.hrv.correction import CorrectedSeries
from analytics.hrv.engine import LabelledSeries, WindowMetrics, label_series, series_metrics
from analytics.hrv.frequency_domain import WELCH
from analytics.hrv.gapped import GAPPED
from analytics.hrv.requirements import METRICS

# The order in which `ebbtide hrv` has listed metrics from the start; others follow these.
_LISTED_FIRST = (
    *("mean_hr_bpm", "mean_nn_ms", "rmssd_ms", "sdnn_ms", "sdsd_ms", "pnn20_percent"),
    *("pnn50_percent", "cvnn_percent", "mad_ms", "percentile_range_ms", "sd1_ms", "sd2_ms"),
    *("triangular_index", "tinn_ms", "hf_ms2", "lf_ms2", "lf_hf", "lf_nu", "hf_nu", "hf_peak_hz"),
    *("breathing_per_min", "total_ms2", "vlf_ms2", "stress_index_baevsky"),
)
SLOW_BREATHING = (
    "Breathing seems to be slower than 9 a minute: its waves are then in LF, not in HF, and LF, "
    "HF, LF/HF and RMSSD do not say what they usually say."
)


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the stretch is.

    ``normal_share`` of its intervals; ``filled_share`` of the corrected series; ``longest_gap_s``
    between two normal intervals that are not neighbours; ``labels`` counts each kind of beat.
    """

    intervals: int
    normal_share: float
    filled_share: float
    longest_gap_s: float
    labels: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class HrvSummary:
    """The metrics of a stretch of beats, and its quality.

    ``values``: metrics by name (``METRICS`` has their units), None with a reason in
    ``missing_reason``. ``seconds``: time that NN intervals fill.
    """

    values: dict[str, float | None]
    missing_reason: dict[str, str]
    quality: Quality
    labelled: BeatLabels
    seconds: float
    spectrum_method: str | None
    corrected: CorrectedSeries
    notes: tuple[str, ...]


def hrv_summary(
    rr_ms: FloatArray,
    time_s: FloatArray | None = None,
    run: IntArray | None = None,
    contact: Int8Array | None = None,
) -> HrvSummary:
    """Compute all HRV metrics of RR intervals.

    Parameters
    ----------
    rr_ms : array of float64, shape (n,)
        RR intervals in ms, in order of time.
    time_s : array of float64, shape (n,), optional
        When each interval ended, in s, increasing. The running sum of the intervals if left out.
    run : array of int64, shape (n,), optional
        A number per unbroken run of beats, not decreasing. One run if left out.
    contact : array of int8, shape (n,), optional
        0 where the strap touched no skin.

    Returns
    -------
    HrvSummary
        Metrics by name, each a number or None with its ``missing_reason``, and the quality.

    Raises
    ------
    ValueError
        If the arrays differ in shape or ``run`` decreases.

    Notes
    -----
    Task Force (1996), Circulation 93:1043; ``analytics.hrv.METRICS`` has the source of each metric.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import hrv_summary
    >>> rr_ms = 800 + 30 * np.sin(0.8 * np.arange(200))
    >>> summary = hrv_summary(rr_ms)
    >>> round(summary.values["mean_hr_bpm"], 1)
    75.0
    >>> summary.missing_reason["vlf_ms2"]
    '160 s of NN intervals; 270 s are needed'
    """
    rr = np.asarray(rr_ms, dtype=np.float64)
    if time_s is None:
        times = np.cumsum(np.nan_to_num(rr, nan=0.0, posinf=0.0, neginf=0.0)) / 1000
    else:
        times = np.asarray(time_s, dtype=np.float64)
    if times.shape != rr.shape:
        raise ValueError("time_s must have the shape of rr_ms")
    series = label_series(rr, times, run, contact)
    found = series_metrics(series)
    quality = _quality(series)
    unlabelled = quality.intervals > 0 and quality.labels["unknown"] == quality.intervals
    values: dict[str, float | None] = {}
    missing_reason: dict[str, str] = {}
    for name in dict.fromkeys((*_LISTED_FIRST, *METRICS)):
        reason = found.missing_reason(name, 0)
        if reason is not None and unlabelled:
            reason = "too few beats in a row to tell which are normal"
        values[name] = None if reason else float(found.values[name][0])
        if reason:
            missing_reason[name] = reason
    breaths = values["breathing_per_min"]
    return HrvSummary(
        values,
        missing_reason,
        quality,
        series.labels,
        float(found.nn_seconds[0]),
        _spectrum_method(found),
        series.corrected,
        notes=(SLOW_BREATHING,) if breaths is not None and breaths < 9 else (),
    )


def _spectrum_method(found: WindowMetrics) -> str | None:
    """Name the method of the spectrum; None where there is none."""
    if not math.isfinite(found.values["hf_ms2"][0]):
        return None
    return GAPPED if found.holed[0] else WELCH


def _quality(series: LabelledSeries) -> Quality:
    normal, filled = series.normal, series.corrected.filled
    nn, times = series.rr_ms[normal], series.time_s[normal]
    gap = 0.0
    if len(nn) > 1:
        gap = max(0.0, float(np.max(np.diff(times) - nn[1:] / 1000)))
    return Quality(
        intervals=len(normal),
        normal_share=float(np.mean(normal)) if len(normal) else 0.0,
        filled_share=float(np.mean(filled)) if len(filled) else 0.0,
        longest_gap_s=gap,
        labels={
            beat.name.lower(): int(np.count_nonzero(series.labels.beat == np.int8(beat)))
            for beat in Beat
        },
    )
