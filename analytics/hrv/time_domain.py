"""Time-domain and geometric metrics of many windows at once, one window a row.

They are of measured NN intervals alone; a difference is taken only between neighbours, never over
a gap or over an interval that was left out. ``tests/analytics/reference.py`` has each definition
for one window, written plainly; the tests compare every window with it.
"""

from __future__ import annotations

from functools import cached_property, partial
from types import ModuleType

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.metric import Domain, Metric

BIN_MS = 1000 / 128  # of the triangular index and of TINN, Task Force 1996
BAEVSKY_BIN_MS = 50.0
MAD_TO_SD = 1.4826  # makes the MAD of a normal distribution its standard deviation
MIN_GEOMETRIC_SECONDS = 1200


class NNWindows:
    """The intervals [first, last) of each row of a series, side by side.

    ``x``: RR intervals in ms, shape (w, widest); ``mask``: which of them are NN; ``count``: how
    many, ``total``: their sum in ms, both shape (w,). What several metrics need is computed once.
    """

    def __init__(
        self,
        rr_ms: FloatArray,
        normal: BoolArray,
        follows: BoolArray,
        first: IntArray,
        last: IntArray,
        widest: int,
    ) -> None:
        at = first[:, None] + np.arange(widest)
        inside = at < last[:, None]
        at = np.minimum(at, len(rr_ms) - 1)
        self.x = rr_ms[at]
        self.mask = inside & normal[at]
        self._follows = follows[at[:, 1:]]
        self.count: IntArray = self.mask.sum(axis=1)
        with np.errstate(all="ignore"):
            self.total: FloatArray = np.sum(self.x, axis=1, where=self.mask)

    @cached_property
    def mean(self) -> FloatArray:
        """Mean NN interval of each row, in ms."""
        result: FloatArray = self.total / self.count
        return result

    @cached_property
    def sdnn(self) -> FloatArray:
        """Standard deviation of NN intervals of each row, in ms."""
        return _row_sd(self.x, self.mask, self.count)

    @cached_property
    def pair(self) -> BoolArray:
        """Whether each interval and the one before it are neighbouring NN intervals."""
        result: BoolArray = self.mask[:, 1:] & self.mask[:, :-1] & self._follows
        return result

    @cached_property
    def pairs(self) -> IntArray:
        """Number of pairs of neighbouring NN intervals of each row."""
        result: IntArray = self.pair.sum(axis=1)
        return result

    @cached_property
    def step(self) -> FloatArray:
        """Difference of each interval from the one before it, in ms."""
        result: FloatArray = self.x[:, 1:] - self.x[:, :-1]
        return result

    @cached_property
    def sdsd(self) -> FloatArray:
        """Standard deviation of the differences of neighbours, in ms."""
        return _row_sd(self.step, self.pair, self.pairs)

    @cached_property
    def ordered(self) -> FloatArray:
        """NN intervals of each row, sorted, then infinity."""
        return np.sort(np.where(self.mask, self.x, np.inf), axis=1)

    @cached_property
    def range(self) -> FloatArray:
        """Longest less shortest NN interval in ms."""
        longest = self.ordered[np.arange(len(self.count)), np.maximum(self.count - 1, 0)]
        result: FloatArray = longest - self.ordered[:, 0]
        return result

    @cached_property
    def geometric(self) -> list[FloatArray | None]:
        """NN intervals of each row that is long enough for a histogram: there are never many."""
        enough = self.total / 1000 >= MIN_GEOMETRIC_SECONDS
        return [
            row[mask] if long else None
            for row, mask, long in zip(self.x, self.mask, enough, strict=True)
        ]


def _row_sd(values: FloatArray, mask: BoolArray, count: IntArray) -> FloatArray:
    mean = np.sum(values, axis=1, where=mask) / count
    squares = np.sum((values - mean[:, None]) ** 2, axis=1, where=mask)
    result: FloatArray = np.sqrt(squares / (count - 1))
    return result


def _row_percentile(ordered: FloatArray, count: IntArray, share: float) -> FloatArray:
    """Linear interpolation among the first ``count`` of each sorted row."""
    place = share * np.maximum(count - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    row = np.arange(len(count))
    below, above = ordered[row, low], ordered[row, high]
    result: FloatArray = below + (place - low) * (above - below)
    return np.where(count > 0, result, np.nan)


def rmssd(windows: NNWindows) -> FloatArray:
    """Root mean square of the differences of neighbouring NN intervals, in ms."""
    squares = np.sum(windows.step**2, axis=1, where=windows.pair)
    result: FloatArray = np.sqrt(squares / windows.pairs)
    return result


def pnn(windows: NNWindows, above_ms: float) -> FloatArray:
    """Share of the *differences* that are larger than ``above_ms``, in percent.

    Of the differences, as the Task Force defines NN50; NeuroKit2 divides by the intervals.
    """
    larger = np.sum((np.abs(windows.step) > above_ms) & windows.pair, axis=1)
    result: FloatArray = 100 * larger / windows.pairs
    return result


def mad(windows: NNWindows) -> FloatArray:
    """Median absolute deviation from the median, times 1.4826, in ms."""
    median = _row_percentile(windows.ordered, windows.count, 0.5)
    distance = np.where(windows.mask, np.abs(windows.x - median[:, None]), np.inf)
    return MAD_TO_SD * _row_percentile(np.sort(distance, axis=1), windows.count, 0.5)


def percentile_range(windows: NNWindows) -> FloatArray:
    """80th less 20th percentile, in ms."""
    ordered, count = windows.ordered, windows.count
    return _row_percentile(ordered, count, 0.8) - _row_percentile(ordered, count, 0.2)


def sd2(windows: NNWindows) -> FloatArray:
    """Compute the standard deviation of pairs along the line of identity, in ms."""
    both = windows.x[:, 1:] + windows.x[:, :-1]
    result: FloatArray = _row_sd(both, windows.pair, windows.pairs) / np.sqrt(2)
    return result


def baevsky(windows: NNWindows) -> FloatArray:
    """Compute Baevsky's stress index, AMo / (2 Mo MxDMn).

    It is the share of the fullest bin of 50 ms in percent, over twice the mode in s times the range
    in s. NaN when all intervals are equal.
    """
    x, mask = windows.x, windows.mask
    bins = np.where(mask, np.floor(x / BAEVSKY_BIN_MS), 0).astype(np.int64)
    width = int(np.max(bins, initial=0)) + 1
    flat = (np.arange(len(x))[:, None] * width + bins)[mask]
    histogram = np.bincount(flat, minlength=len(x) * width).reshape(len(x), width)
    mode = np.argmax(histogram, axis=1)
    height = histogram[np.arange(len(x)), mode]
    mode_s = (mode + 0.5) * BAEVSKY_BIN_MS / 1000
    result: FloatArray = 100 * height / windows.count / (2 * mode_s * windows.range / 1000)
    return np.where(windows.range > 0, result, np.nan)


def triangular_index(windows: NNWindows) -> FloatArray:
    """Divide the number of intervals by the height of their histogram with bins of 1/128 s."""
    return np.array(
        [np.nan if nn is None else len(nn) / np.max(histogram(nn)) for nn in windows.geometric]
    )


def tinn(windows: NNWindows) -> FloatArray:
    """Compute the base of the triangle that fits each histogram best, in ms."""
    return np.array(
        [np.nan if nn is None else triangle_base(histogram(nn)) for nn in windows.geometric]
    )


def histogram(nn_ms: FloatArray) -> IntArray:
    """Count in bins of 1/128 s, the first beginning at the shortest interval."""
    index = np.floor((nn_ms - np.min(nn_ms)) / BIN_MS + 1e-9).astype(np.int64)
    return np.bincount(index)


def triangle_base(counts: IntArray) -> float:
    """Fit a triangle to a histogram by least squares, and return its base in ms.

    The triangle has its top over the fullest bin; its corners are bin edges left and right of it,
    and it is zero outside. NaN when the histogram has one bin only.
    """
    padded = np.concatenate([[0.0], counts.astype(np.float64), [0.0]])
    top = int(np.argmax(padded))
    if np.count_nonzero(padded) < 2:
        return float("nan")
    at = np.arange(len(padded))
    left = padded[top] * np.clip((at[None, :] - at[:top, None]) / (top - at[:top, None]), 0, None)
    right_at = at[top + 1 :]
    right = padded[top] * np.clip(
        (right_at[:, None] - at[None, :]) / (right_at[:, None] - top), 0, None
    )
    # Each side is fitted by itself: together they are the fit of the whole.
    left_error = np.sum((left[:, : top + 1] - padded[: top + 1]) ** 2, axis=1)
    right_error = np.sum((right[:, top:] - padded[top:]) ** 2, axis=1)
    return float((right_at[np.argmin(right_error)] - at[np.argmin(left_error)]) * BIN_MS)


def compiled_metrics(
    loops: ModuleType,
    rr_ms: FloatArray,
    normal: BoolArray,
    follows: BoolArray,
    first: IntArray,
    last: IntArray,
) -> tuple[IntArray, FloatArray, dict[str, FloatArray]]:
    """Compute most metrics by compiled loops, which pad no window and sort none anew.

    Arguments as for ``NNWindows``. Returns how many NN intervals each window has, their seconds,
    and the metrics by name.
    """
    count, total, sums = loops.time_domain(rr_ms, normal, follows, first, last, BAEVSKY_BIN_MS)
    with np.errstate(all="ignore"):
        mean = total / count
        mode_s = (sums[9] + 0.5) * BAEVSKY_BIN_MS / 1000
        stress = 100 * sums[10] / count / (2 * mode_s * sums[8] / 1000)
        found = {
            "mean_hr_bpm": 60_000 / mean,
            "mean_nn_ms": mean,
            "sdnn_ms": sums[0],
            "rmssd_ms": sums[1],
            "sdsd_ms": sums[2],
            "pnn20_percent": sums[4],
            "pnn50_percent": sums[5],
            "cvnn_percent": 100 * sums[0] / mean,
            "mad_ms": MAD_TO_SD * sums[6],
            "percentile_range_ms": sums[7],
            "sd1_ms": sums[2] / np.sqrt(2),
            "sd2_ms": sums[3] / np.sqrt(2),
            "stress_index_baevsky": np.where(sums[8] > 0, stress, np.nan),
        }
    return count, total / 1000, found


_TASK_FORCE, _BRENNAN = "Task Force 1996", "Brennan et al. 2001"
_metric = partial(Metric[NNWindows], domain=Domain.TIME)

# fmt: off
TIME_DOMAIN: tuple[Metric[NNWindows], ...] = (
    _metric("mean_hr_bpm", "bpm", "60,000 over the mean NN interval",
            rows=lambda w: 60_000 / w.mean, source=_TASK_FORCE, min_seconds=10),
    _metric("mean_nn_ms", "ms", "mean NN interval",
            rows=lambda w: w.mean, source=_TASK_FORCE, min_seconds=10),
    _metric("sdnn_ms", "ms", "standard deviation (n - 1) of NN intervals",
            rows=lambda w: w.sdnn, source=_TASK_FORCE, min_seconds=60),
    _metric("rmssd_ms", "ms", "root mean square of differences of neighbours",
            rows=rmssd, source=_TASK_FORCE, min_seconds=60),
    _metric("sdsd_ms", "ms", "standard deviation (n - 1) of differences of neighbours",
            rows=lambda w: w.sdsd, source=_TASK_FORCE, min_seconds=60),
    _metric("pnn20_percent", "%", "share of *differences* above 20 ms",
            rows=lambda w: pnn(w, 20), source=_TASK_FORCE, min_seconds=60),
    _metric("pnn50_percent", "%", "share of *differences* above 50 ms",
            rows=lambda w: pnn(w, 50), source=_TASK_FORCE, min_seconds=60),
    _metric("cvnn_percent", "%", "`sdnn_ms` over `mean_nn_ms`",
            rows=lambda w: 100 * w.sdnn / w.mean, source=_TASK_FORCE, min_seconds=60),
    _metric("mad_ms", "ms", "median absolute deviation, times 1.4826",
            rows=mad, min_seconds=60),
    _metric("percentile_range_ms", "ms", "80th less 20th percentile",
            rows=percentile_range, min_seconds=60),
    _metric("sd1_ms", "ms", "spread of neighbours across the line of identity",
            rows=lambda w: w.sdsd / np.sqrt(2), source=_BRENNAN, min_seconds=60),
    _metric("sd2_ms", "ms", "spread of neighbours along the line of identity",
            rows=sd2, source=_BRENNAN, min_seconds=60),
    _metric("stress_index_baevsky", "", "AMo / (2 Mo MxDMn), bins of 50 ms",
            rows=baevsky, source="Baevsky and Chernikova 2017", min_intervals=100),
    _metric("triangular_index", "", "intervals over the height of their histogram, bins of 1/128 s",
            rows=triangular_index, source=_TASK_FORCE, min_seconds=MIN_GEOMETRIC_SECONDS),
    _metric("tinn_ms", "ms", "base of the triangle fitted to that histogram",
            rows=tinn, source=_TASK_FORCE, min_seconds=MIN_GEOMETRIC_SECONDS),
)
# fmt: on
