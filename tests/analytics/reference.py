"""HRV metrics of one window, each written plainly from its definition: the tests' oracle.

``METRICS`` computes the same of many windows at once. A metric that is added there gets its
definition here, in ``time_domain``, ``frequency_domain`` or ``nonlinear``.

Sources: Task Force of the European Society of Cardiology and NASPE (1996), Circulation 93:1043
(SDNN, RMSSD, SDSD, pNNx, triangular index, TINN, bands); Brennan, Palaniswami and Kamen (2001),
IEEE TBME 48:1342 (SD1, SD2); Baevsky and Chernikova (2017), Cardiometry 10:66 (stress index);
Richman and Moorman (2000), Pincus (1991): entropies; Peng et al. (1995): DFA.

``nn_ms``: NN intervals in ms, shape (n,). ``differences_ms``: differences of *neighbouring* NN
intervals, shape (m,): none is taken over a gap or over an interval that was left out.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.interpolate import CubicSpline

from analytics._types import BoolArray, FloatArray, IntArray

BIN_MS = 1000 / 128  # of the triangular index and of TINN, Task Force 1996
BAEVSKY_BIN_MS = 50.0
MAD_TO_SD = 1.4826  # makes the MAD of a normal distribution its standard deviation
BANDS_HZ = {"vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.40)}


def mean_hr_bpm(nn_ms: FloatArray) -> float:
    """60,000 over the mean NN, beats a minute (not the mean of the instantaneous rates).

    NaN for no interval.
    """
    return float(60_000 / np.mean(nn_ms)) if len(nn_ms) else float("nan")


def sdnn_ms(nn_ms: FloatArray) -> float:
    """Standard deviation of the NN intervals, n - 1 in the denominator. NaN for fewer than 2."""
    return float(np.std(nn_ms, ddof=1)) if len(nn_ms) > 1 else float("nan")


def rmssd_ms(rr_ms: FloatArray, neighbours: BoolArray) -> float:
    """Root mean square of the differences of neighbouring NN intervals.

    ``rr_ms``: shape (n,). ``neighbours``: shape (n,), True where interval i and i - 1 are both NN
    and nothing lies between them; the first is ignored. NaN when there is no such pair.
    """
    pairs = np.array(neighbours, dtype=np.bool_)
    pairs[:1] = False
    if not pairs.any():
        return float("nan")
    differences = (rr_ms[1:] - rr_ms[:-1])[pairs[1:]]
    return float(np.sqrt(np.mean(differences**2)))


def neighbour_differences(rr_ms: FloatArray, normal: BoolArray, follows: BoolArray) -> FloatArray:
    """NN(i) - NN(i - 1) where both are normal and the one began where the other ended."""
    pairs = normal[1:] & normal[:-1] & follows[1:]
    result: FloatArray = (rr_ms[1:] - rr_ms[:-1])[pairs]
    return result


def sdsd_ms(differences_ms: FloatArray) -> float:
    """Standard deviation of the differences, n - 1. NaN for fewer than 2."""
    return float(np.std(differences_ms, ddof=1)) if len(differences_ms) > 1 else float("nan")


def pnn_percent(differences_ms: FloatArray, above_ms: float) -> float:
    """Share of the *differences* that are larger than ``above_ms``, in percent. NaN for none.

    Of the differences, as the Task Force defines NN50; NeuroKit2 divides by the intervals.
    """
    if not len(differences_ms):
        return float("nan")
    return float(100 * np.mean(np.abs(differences_ms) > above_ms))


def mad_ms(nn_ms: FloatArray) -> float:
    """Median absolute deviation from the median, times 1.4826. NaN for none."""
    if not len(nn_ms):
        return float("nan")
    return float(MAD_TO_SD * np.median(np.abs(nn_ms - np.median(nn_ms))))


def percentile_range_ms(nn_ms: FloatArray, low: float = 20, high: float = 80) -> float:
    """Distance of two percentiles (linear interpolation). NaN for none."""
    if not len(nn_ms):
        return float("nan")
    below, above = np.percentile(nn_ms, [low, high])
    return float(above - below)


def triangular_index(nn_ms: FloatArray) -> float:
    """Number of intervals over the height of their histogram with bins of 1/128 s."""
    return float(len(nn_ms) / np.max(_histogram(nn_ms))) if len(nn_ms) else float("nan")


def tinn_ms(nn_ms: FloatArray) -> float:
    """Base of the best triangle over the histogram of one series, in ms; NaN for a single bin."""
    if not len(nn_ms):
        return float("nan")
    counts = np.concatenate([[0.0], _histogram(nn_ms).astype(np.float64), [0.0]])
    top = int(np.argmax(counts))
    if np.count_nonzero(counts) < 2:
        return float("nan")
    at = np.arange(len(counts))
    left = counts[top] * np.clip((at[None, :] - at[:top, None]) / (top - at[:top, None]), 0, None)
    right_at = at[top + 1 :]
    right = counts[top] * np.clip(
        (right_at[:, None] - at[None, :]) / (right_at[:, None] - top), 0, None
    )
    # Each side is fitted by itself: together they are the fit of the whole.
    left_error = np.sum((left[:, : top + 1] - counts[: top + 1]) ** 2, axis=1)
    right_error = np.sum((right[:, top:] - counts[top:]) ** 2, axis=1)
    return float((right_at[np.argmin(right_error)] - at[np.argmin(left_error)]) * BIN_MS)


def _histogram(nn_ms: FloatArray) -> IntArray:
    """Counts in bins of 1/128 s, the first beginning at the shortest interval."""
    index = np.floor((nn_ms - np.min(nn_ms)) / BIN_MS + 1e-9).astype(np.int64)
    return np.bincount(index)


def stress_index_baevsky(nn_ms: FloatArray) -> float:
    """AMo / (2 Mo MxDMn): the share of the fullest bin of 50 ms in percent, over twice the mode in
    s times the range in s. NaN for none, or when all are equal.
    """
    if not len(nn_ms) or np.ptp(nn_ms) == 0:
        return float("nan")
    index = np.floor(nn_ms / BAEVSKY_BIN_MS).astype(np.int64)
    counts = np.bincount(index)
    mode = int(np.argmax(counts))
    mode_s = (mode + 0.5) * BAEVSKY_BIN_MS / 1000
    return float(100 * counts[mode] / len(nn_ms) / (2 * mode_s * np.ptp(nn_ms) / 1000))


def poincare_ms(rr_ms: FloatArray, normal: BoolArray, follows: BoolArray) -> tuple[float, float]:
    """SD1 and SD2: standard deviations (n - 1) of pairs of neighbours across and along the line of
    identity. NaN for fewer than 2 pairs.
    """
    pairs = normal[1:] & normal[:-1] & follows[1:]
    first, second = rr_ms[:-1][pairs], rr_ms[1:][pairs]
    if len(first) < 2:
        return float("nan"), float("nan")
    return (
        float(np.std(second - first, ddof=1) / np.sqrt(2)),
        float(np.std(second + first, ddof=1) / np.sqrt(2)),
    )


def dfa_alpha(
    nn_ms: FloatArray, shortest: int, longest: int, follows: BoolArray | None = None
) -> float:
    """Slope of log F(n) on log n for box sizes from ``shortest`` to ``longest`` beats.

    Detrended fluctuation analysis of first order (Peng, Havlin, Stanley and Goldberger 1995, Chaos
    5:82): the running sum of the deviations from the mean, in boxes that do not overlap, each less
    its straight line. Short-term alpha 1: 4 to 16; long-term alpha 2: 16 to 64. NaN when there
    are fewer than two boxes of the longest size, or no fluctuation at all.
    """
    n = len(nn_ms)
    if n < 2 * longest:
        return float("nan")
    profile = np.cumsum(nn_ms - np.mean(nn_ms))
    breaks = np.zeros(n, np.int64) if follows is None else np.cumsum(~follows)
    sizes = np.arange(shortest, longest + 1)
    fluctuation = np.empty(len(sizes))
    for index, size in enumerate(sizes):
        boxes = profile[: n // size * size].reshape(-1, size)
        within = breaks[: n // size * size].reshape(-1, size)
        boxes = boxes[within[:, 0] == within[:, -1]]
        if not len(boxes):
            return float("nan")
        x = np.arange(size) - (size - 1) / 2
        centred = boxes - boxes.mean(axis=1, keepdims=True)
        slope = centred @ x / (x @ x)
        left = centred - slope[:, None] * x
        fluctuation[index] = np.sqrt(np.mean(left**2))
    if np.any(fluctuation <= 0):
        return float("nan")
    slope, _ = np.polyfit(np.log(sizes), np.log(fluctuation), 1)
    return float(slope)


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def deviation(values: list[float]) -> float:
    middle = mean(values)
    return math.sqrt(math.fsum((v - middle) ** 2 for v in values) / (len(values) - 1))


def plain_time_domain(rr: list[float], normal: list[bool]) -> dict[str, float]:
    nn = [v for v, ok in zip(rr, normal, strict=True) if ok]
    pairs = [(rr[i - 1], rr[i]) for i in range(1, len(rr)) if normal[i] and normal[i - 1]]
    steps = [b - a for a, b in pairs]
    ordered = sorted(nn)

    def percentile(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    middle = percentile(0.5)
    away = sorted(abs(v - middle) for v in nn)
    half = (len(away) - 1) / 2
    mad = (away[math.floor(half)] + away[math.ceil(half)]) / 2
    bins: dict[int, int] = {}
    for v in nn:
        index = math.floor((v - min(nn)) / (1000 / 128) + 1e-9)
        bins[index] = bins.get(index, 0) + 1
    wide: dict[int, int] = {}
    for v in nn:
        wide[math.floor(v / 50)] = wide.get(math.floor(v / 50), 0) + 1
    mode = min(k for k, count in wide.items() if count == max(wide.values()))
    return {
        "mean_nn_ms": mean(nn),
        "mean_hr_bpm": 60_000 / mean(nn),
        "sdnn_ms": deviation(nn),
        "rmssd_ms": math.sqrt(mean([s * s for s in steps])),
        "sdsd_ms": deviation(steps),
        "pnn20_percent": 100 * sum(abs(s) > 20 for s in steps) / len(steps),
        "pnn50_percent": 100 * sum(abs(s) > 50 for s in steps) / len(steps),
        "cvnn_percent": 100 * deviation(nn) / mean(nn),
        "mad_ms": 1.4826 * mad,
        "percentile_range_ms": percentile(0.8) - percentile(0.2),
        "sd1_ms": deviation([(b - a) / math.sqrt(2) for a, b in pairs]),
        "sd2_ms": deviation([(b + a) / math.sqrt(2) for a, b in pairs]),
        "triangular_index": len(nn) / max(bins.values()),
        "stress_index_baevsky": 100
        * max(wide.values())
        / len(nn)
        / (2 * (mode + 0.5) * 0.05 * (max(nn) - min(nn)) / 1000),
    }


def plain_entropies(nn: list[float], follows: list[bool]) -> tuple[float, float]:
    """Sample and approximate entropy, template by template."""
    reach = 0.2 * deviation(nn)
    n = len(nn)

    def templates(length: int) -> list[int]:
        return [
            i for i in range(n - length + 1) if all(follows[j] for j in range(i + 1, i + length))
        ]

    def alike(i: int, j: int, length: int) -> bool:
        return all(abs(nn[i + k] - nn[j + k]) <= reach for k in range(length))

    three = templates(3)
    a = b = 0
    for place, i in enumerate(three):
        for j in three[place + 1 :]:
            if alike(i, j, 2):
                b += 1
                a += abs(nn[i + 2] - nn[j + 2]) <= reach

    def phi(length: int) -> float:
        some = templates(length)
        shares = [sum(alike(i, j, length) for j in some) / len(some) for i in some]
        return mean([math.log(share) for share in shares])

    return -math.log(a / b), phi(2) - phi(3)


def plain_dfa(nn: list[float], shortest: int, longest: int) -> float:
    middle, total, profile = mean(nn), 0.0, []
    for v in nn:
        total += v - middle
        profile.append(total)
    logs = []
    for size in range(shortest, longest + 1):
        squares = []
        for start in range(0, len(profile) - size + 1, size):
            box = profile[start : start + size]
            line = np.polynomial.Polynomial.fit(np.arange(size), box, 1)
            squares += [(y - line(x)) ** 2 for x, y in enumerate(box)]
        logs.append((math.log(size), math.log(math.sqrt(mean([float(s) for s in squares])))))
    mx, my = mean([x for x, _ in logs]), mean([y for _, y in logs])
    return sum((x - mx) * (y - my) for x, y in logs) / sum((x - mx) ** 2 for x, _ in logs)


def plain_welch(times: list[float], nn: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """The definition by a discrete Fourier sum, segment by segment."""
    even = np.arange(times[0], times[-1], 0.25)
    series = CubicSpline(times, nn)(even)
    n = min(600, len(series))
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * k / n) for k in range(n)])
    powers = []
    for start in range(0, len(series) - n + 1, n - n // 2):
        part = series[start : start + n]
        line = np.polynomial.Polynomial.fit(np.arange(n), part, 1)
        left = (part - line(np.arange(n))) * window
        k = np.arange(n // 2 + 1)[:, None]
        transform = np.exp(-2j * np.pi * k * np.arange(n)[None, :] / n) @ left
        power = np.abs(transform) ** 2 / (4 * np.sum(window**2))
        power[1 : None if n % 2 else -1] *= 2
        powers.append(power)
    return np.arange(n // 2 + 1) * 4 / n, np.mean(powers, axis=0)


def time_domain(rr_ms: FloatArray, normal: BoolArray, follows: BoolArray) -> dict[str, float]:
    """Time-domain metrics of the intervals of one window."""
    nn = rr_ms[normal]
    differences = neighbour_differences(rr_ms, normal, follows)
    sd1, sd2 = poincare_ms(rr_ms, normal, follows)
    return {
        "mean_hr_bpm": mean_hr_bpm(nn),
        "mean_nn_ms": float(np.mean(nn)),
        "sdnn_ms": sdnn_ms(nn),
        "rmssd_ms": math.sqrt(float(np.mean(differences**2))),
        "sdsd_ms": sdsd_ms(differences),
        "pnn20_percent": pnn_percent(differences, 20),
        "pnn50_percent": pnn_percent(differences, 50),
        "cvnn_percent": 100 * sdnn_ms(nn) / float(np.mean(nn)),
        "mad_ms": mad_ms(nn),
        "percentile_range_ms": percentile_range_ms(nn),
        "sd1_ms": sd1,
        "sd2_ms": sd2,
        "stress_index_baevsky": stress_index_baevsky(nn),
        "triangular_index": triangular_index(nn),
        "tinn_ms": tinn_ms(nn),
    }


def frequency_domain(hz: FloatArray, power: FloatArray) -> dict[str, float]:
    """Frequency-domain metrics of a spectrum, ms²/Hz at ``hz``; both of shape (k,)."""

    def band(low: float, high: float) -> float:
        inside = [float(p) for f, p in zip(hz, power, strict=True) if low <= f < high]
        return math.fsum(inside) * float(hz[1] - hz[0])

    vlf, lf, hf = (band(*BANDS_HZ[name]) for name in ("vlf", "lf", "hf"))

    def peak(low: float, high: float) -> float:
        return float(max((p, f) for f, p in zip(hz, power, strict=True) if low <= f < high)[1])

    breath = peak(0.07, 0.40)
    share = band(max(0.07, breath - 0.02 - 1e-9), min(0.40, breath + 0.02 + 2e-9)) / band(
        0.07, 0.40
    )
    narrow = share >= (0.7 if breath < 0.15 else 0.5)
    return {
        "vlf_ms2": vlf,
        "lf_ms2": lf,
        "hf_ms2": hf,
        "total_ms2": vlf + lf + hf,
        "lf_hf": lf / hf,
        "lf_nu": 100 * lf / (lf + hf),
        "hf_nu": 100 * hf / (lf + hf),
        "hf_peak_hz": peak(0.15, 0.40),
        "breathing_per_min": 60 * breath if narrow else math.nan,
    }


def nonlinear(nn_ms: FloatArray, follows: BoolArray) -> dict[str, float]:
    """Nonlinear metrics of a corrected series."""
    sample, approximate = plain_entropies(nn_ms.tolist(), follows.tolist())
    return {
        "sampen": sample,
        "apen": approximate,
        "dfa_alpha1": dfa_alpha(nn_ms, 4, 16, follows),
        "dfa_alpha2": dfa_alpha(nn_ms, 16, 64, follows),
    }
