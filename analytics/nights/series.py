"""One series of nights a person, of devices that differ by a level.

A ring is not a strap: where two devices measured at least 14 of the same nights, the bias between
them (mean ratio, ``agreement``) brings them to one level; where they did not, a change from one to
the other is a step at a known night, which the link gets as a column and the ranks do not cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.nights.agreement import MIN_PAIRS

#: So many nights of one level are needed before one is compared with the others.
MIN_NIGHTS = 14


@dataclass(frozen=True, slots=True, eq=False)
class NightSeries:
    """One value a night, by day.

    ``days``: (n,) of days since 1970-01-01; ``log_value``: (n,), natural logarithm of the metric on
    the level of its group; ``level``: (n,), which group of devices, from 0; ``device``: (n,), the
    place of the device in ``devices``; ``shift``: (d,), taken from each device's logarithm.
    """

    days: IntArray
    log_value: FloatArray
    level: IntArray
    device: IntArray
    devices: tuple[str, ...]
    shift: FloatArray


def night_series(days: IntArray, devices: Sequence[str], values: FloatArray) -> NightSeries:
    """Join the nights of all devices of one person into one series.

    Parameters
    ----------
    days : array of int64, shape (n,)
        Day on which each night ends, since 1970-01-01; a device has a day once.
    devices : sequence of str, length n
        Which device, and whose average: another metric or basis is another device.
    values : array of float64, shape (n,)
        RMSSD (or SDNN, never both) in ms, above 0. Nights with NaN are dropped.

    Returns
    -------
    NightSeries
        One value a night: of two devices on one level their mean, of two levels the one with more
        nights.

    Raises
    ------
    ValueError
        If the arguments differ in length or a value is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.nights import night_series
    >>> days = np.concatenate([np.arange(20), np.arange(20)])
    >>> ring = 40 + np.arange(20.0)
    >>> one = night_series(days, ["ring"] * 20 + ["strap"] * 20, np.r_[ring, 1.2 * ring])
    >>> len(one.days), set(one.level.tolist()), bool(np.ptp(one.log_value - np.log(ring)) < 1e-9)
    (20, {0}, True)
    """
    days, values = np.asarray(days, np.int64), np.asarray(values, np.float64)
    if not len(days) == len(values) == len(devices):
        raise ValueError("days, devices and values need one entry a night")
    kept = np.isfinite(values)
    names = [name for name, is_kept in zip(devices, kept.tolist(), strict=True) if is_kept]
    days, values = days[kept], values[kept]
    if len(values) and values.min() <= 0:
        raise ValueError("values must be above 0")
    order = sorted(set(names), key=lambda name: (-names.count(name), name))
    place = np.array([order.index(name) for name in names], dtype=np.int64)
    logs = np.log(values)
    by_device = [
        dict(zip(days[place == k].tolist(), logs[place == k].tolist(), strict=True))
        for k in range(len(order))
    ]
    level, shift = _levels(by_device)
    chosen: dict[int, list[tuple[int, float]]] = {}
    for k, nights in enumerate(by_device):
        for day, value in nights.items():
            chosen.setdefault(day, []).append((k, value - shift[k]))
    weight = np.bincount(level, [len(nights) for nights in by_device]) if order else np.empty(0)
    rows = []
    for day in sorted(chosen):
        best = max((level[k] for k, _ in chosen[day]), key=lambda one: (weight[one], -one))
        same = [(k, value) for k, value in chosen[day] if level[k] == best]
        rows.append((day, float(np.mean([value for _, value in same])), best, same[0][0]))
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return NightSeries(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.float64),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=np.int64),
        tuple(order),
        shift,
    )


def _levels(by_device: list[dict[int, float]]) -> tuple[IntArray, FloatArray]:
    """Find the group of each device and its distance from the group's level, by overlap."""
    count = len(by_device)
    level = np.full(count, -1, dtype=np.int64)
    shift = np.zeros(count)
    for k in range(count):
        best = None
        for other in range(k):
            common = by_device[k].keys() & by_device[other].keys()
            if len(common) >= MIN_PAIRS and (best is None or len(common) > len(best[1])):
                best = (other, common)
        if best is None:
            level[k] = level.max() + 1
            continue
        other, common = best
        gap = [by_device[k][day] - by_device[other][day] for day in common]
        level[k], shift[k] = level[other], shift[other] + float(np.mean(gap))
    return level, shift


def calmer_than(series: NightSeries, day: int, window: int = 100) -> tuple[float | None, int]:
    """Count, of 100 of the person's nights, those less calm than that of ``day``.

    Compared with at most ``window`` nights before it on the same level of devices; ties count half.
    None with fewer than 14 of them, or without that night; then how many there are.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.nights import calmer_than, night_series
    >>> values = np.r_[np.full(10, 30.0), np.full(10, 50.0), 40.0]
    >>> calmer_than(night_series(np.arange(21), ["ring"] * 21, values), 20)
    (50.0, 20)
    """
    found = np.flatnonzero(series.days == day)
    if not len(found):
        return None, 0
    row = int(found[0])
    before = series.log_value[:row][series.level[:row] == series.level[row]][-window:]
    if len(before) < MIN_NIGHTS:
        return None, len(before)
    own = series.log_value[row]
    below = np.count_nonzero(before < own - 1e-12) + 0.5 * np.count_nonzero(
        np.abs(before - own) <= 1e-12
    )
    return float(100 * below / len(before)), len(before)
