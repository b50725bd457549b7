"""Effects of the hour and the weekday that two series may share: which there may be.

A weekend, office hours or bad mornings move pain and stress alike and look like a link. Which of
them a person has is not known, so none is always removed: each possible set of columns is a model,
and ``slope_average`` weighs the models by their evidence. Here the sets are listed, with their
prior weights: half for no effect of the hour, and half for none of the weekday; the other half in
equal parts for one, two and three waves, office hours (or the weekend), and one block of hours (or
of days) that begins and ends anywhere. Beside the weekday stands, as one more such part, a cycle of
two to six days, such as that of a medication every three days: each of its days has its own level.
Beside the hour stands a block of hours on some days of the week (``hour_day_blocks``), of which
only those that explain most are looked at, with the prior of all.
Sets that span the same columns are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.association.hour_day_blocks import MIN_SPAN_DAYS, likely_blocks
from analytics.association.shift_cycles import likely_runs

DAY_NS = 86_400_000_000_000
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_BLOCK_HOURS = 1  # blocks of hours begin and end at full hours
_LONGEST_BLOCK_DAYS = 3  # the rest of a week of 4 days is a block of 3
CYCLES_DAYS = (2, 3, 4, 5, 6)
MIN_CYCLES = 3  # that the ratings must span
_MIN_RATINGS = 24  # for blocks of hours on some days
_MOST_ON_DAYS = 40  # blocks of hours on some days that are looked at
_MOST_RUNS = 20  # runs of days in longer cycles that are looked at
_LAST_HOUR = 24 * (1 - 1e-9)
NEW_SHARE = 0.02  # of a column beyond the basis and others, below which it adds nothing
_MAX_COLUMNS_SHARE = 0.2  # of the ratings: a set with more columns leaves too little


@dataclass(frozen=True, slots=True, eq=False)
class CalendarSets:
    """Columns, shape (n, c), and the sets of them that are models.

    ``hours`` and ``weeks``: pairs of column numbers and logarithm of the prior weight; the first of
    each is the empty set. ``cycles``: those sets of ``weeks`` that are no week but a cycle of days.
    """

    columns: FloatArray
    hours: tuple[tuple[tuple[int, ...], float], ...]
    weeks: tuple[tuple[tuple[int, ...], float], ...]
    cycles: frozenset[tuple[int, ...]] = frozenset()


def local_calendar(
    time_ns: IntArray, hour_of_day: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return local hours (0 to 24) and weekdays (Monday is 0) of each time, shape (n,).

    ``hour_of_day`` is the local hour; its distance from the hour of UTC is the zone's, from which
    the local date follows. Without it the times are local themselves.
    """
    utc_hours = (time_ns % DAY_NS) / 3_600e9
    hours = utc_hours
    if hour_of_day is not None:
        hours = np.where(np.isfinite(hour_of_day), hour_of_day, utc_hours)
    day = local_day(time_ns, hours)
    return hours, ((day + EPOCH_WEEKDAY) % 7).astype(np.float64)


def local_day(time_ns: IntArray, hours: FloatArray) -> IntArray:
    """Count the local days since 1970-01-01, shape (n,), by the local ``hours`` of the times."""
    utc_hours = (time_ns % DAY_NS) / 3_600e9
    offset_h = (hours - utc_hours + 10.5) % 24 - 10.5  # nearly all zones: -10 to +13
    local_ns = time_ns + np.round(offset_h * 3_600e9).astype(np.int64)
    result: IntArray = local_ns // DAY_NS
    return result


def calendar_sets(
    hours: FloatArray,
    weekday: FloatArray,
    span_days: float,
    basis: FloatArray,
    day: IntArray | None = None,
    values: FloatArray | None = None,
) -> CalendarSets:
    """List the models of hour and weekday beyond ``basis`` (n, q), orthonormal.

    ``day``: local day of each rating, a number (n,), for cycles of days; without it there are none.
    ``values``: both series net of ``basis``, (n, 2), for blocks of hours on some days; the same.
    """
    builder = _Builder(basis)
    angle = 2 * np.pi * hours / 24
    working = (weekday < 5) & (hours >= 9) & (hours < 17)
    edges = range(0, 24, _BLOCK_HOURS)
    hour_blocks = [
        (hours >= start) & (hours < end) for start in edges for end in edges if start < end
    ]
    office = [(hours >= 9) & (hours < 17), working]
    on_days: tuple[BoolArray, FloatArray] | None = None
    if values is not None and span_days >= MIN_SPAN_DAYS and len(hours) >= _MIN_RATINGS:
        local = weekday + np.minimum(hours, _LAST_HOUR) / 24
        on_days = likely_blocks(local, values[:, 0], values[:, 1], _MOST_ON_DAYS)
    hour_sets = builder.add_family(angle, office, hour_blocks, likely=on_days)
    week_sets: tuple[tuple[tuple[int, ...], float], ...] = (((), 0.0),)
    if span_days >= MIN_SPAN_DAYS:
        day_blocks = [
            (weekday - start) % 7 < length
            for length in range(1, _LONGEST_BLOCK_DAYS + 1)
            for start in range(7)
        ]
        cycles = [
            [day % length == k for k in range(length - 1)]
            for length in CYCLES_DAYS
            if day is not None and span_days >= MIN_CYCLES * length - 1
        ]
        runs: tuple[BoolArray, FloatArray] | None = None
        if values is not None and day is not None:
            runs = likely_runs(day, values[:, 0], values[:, 1], _MOST_RUNS)
        week_sets = builder.add_family(
            2 * np.pi * weekday / 7, [weekday >= 5], day_blocks, cycles, likely=runs
        )
    columns = np.column_stack(builder.columns) if builder.columns else np.empty((len(hours), 0))
    return CalendarSets(columns, hour_sets, week_sets, frozenset(builder.cycles))


class _Builder:
    """Collects columns net of a basis, and sets of them without those that span the same."""

    def __init__(self, basis: FloatArray) -> None:
        self._basis = basis
        self.columns: list[FloatArray] = []
        self._known: dict[bytes, int] = {}
        self.cycles: list[tuple[int, ...]] = []

    def add_family(
        self,
        angle: FloatArray,
        usual: list[BoolArray],
        blocks: list[BoolArray],
        cycles: Sequence[list[BoolArray]] = (),
        likely: tuple[BoolArray, FloatArray] | None = None,
    ) -> tuple[tuple[tuple[int, ...], float], ...]:
        """Add waves of one to three turns, the usual block, blocks anywhere, and cycles of days.

        ``likely``: columns (n, k) of the likeliest of many blocks, and their priors, (k,).
        """
        share = 0.5 / 5
        found: dict[tuple[int, ...], float] = {}

        def add(numbers: list[int], prior: float) -> None:
            if numbers and len(numbers) <= _MAX_COLUMNS_SHARE * len(angle):
                found[tuple(numbers)] = found.get(tuple(numbers), 0.0) + prior

        turns = [wave(k * angle) for k in (1, 2, 3) for wave in (np.cos, np.sin)]
        net, usable = self._net(np.column_stack([*turns, *usual, *blocks]).astype(np.float64))
        # The same whatever the sign, also that of zeros.
        first = np.argmax(np.abs(net) > 1e-6, axis=0)
        sign = np.where(net[first, np.arange(len(first))] > 0, 1.0, -1.0)
        keys = np.round((sign * net).T, 7) + 0.0
        waves: list[int] = []
        beside = np.empty((len(angle), 0))
        for k in range(len(turns)):
            # A wave that those before it can form adds nothing. Of what they leave twice, since
            # once leaves rounding.
            left = net[:, k] - beside @ (beside.T @ net[:, k])
            left = left - beside @ (beside.T @ left)
            size = float(np.linalg.norm(left))
            if usable[k] and size >= NEW_SHARE:
                waves.append(self._add_column(net[:, k], keys[k]))
                beside = np.column_stack([beside, left / size])
            if k % 2:
                add(list(waves), share)
        first_block = len(turns) + len(usual)
        for k in range(len(turns), net.shape[1]):
            if usable[k]:
                kind = usual if k < first_block else blocks
                add([self._add_column(net[:, k], keys[k])], share / len(kind))
        for levels in cycles:
            net, usable = self._net(np.column_stack(levels).astype(np.float64))
            # Of a cycle without any of its days there is nothing to tell.
            if np.all(usable) and np.linalg.matrix_rank(net, 1e-3) == len(levels):
                numbers = tuple(self._add_column(one, np.round(one, 7) + 0.0) for one in net.T)
                if numbers not in found and len(numbers) <= _MAX_COLUMNS_SHARE * len(angle):
                    self.cycles.append(numbers)
                    found[numbers] = share / len(cycles)
        total = sum(found.values())
        if likely is not None and len(likely[1]):
            net, usable = self._net(likely[0].astype(np.float64))
            for one, prior, good in zip(net.T, likely[1].tolist(), usable, strict=True):
                if good:
                    add([self._add_column(one, np.round(one, 7) + 0.0)], share * prior)
            total += share  # of all such blocks, also those that are not looked at
        if not total:
            return (((), 0.0),)
        return (
            ((), float(np.log(0.5))),
            *((columns, float(np.log(0.5 * prior / total))) for columns, prior in found.items()),
        )

    def _net(self, columns: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Columns (n, c) net of the basis, of unit length, and which have something left."""
        centred = columns - np.mean(columns, axis=0)
        size = np.linalg.norm(centred, axis=0)
        net = centred - self._basis @ (self._basis.T @ centred)
        left = np.linalg.norm(net, axis=0)
        usable: BoolArray = (size >= 1e-9) & (left >= NEW_SHARE * size)
        return net / np.where(usable, left, 1.0), usable

    def _add_column(self, net: FloatArray, rounded: FloatArray) -> int:
        """Give a column its number: the one it has, where it or its negative is there already."""
        key = rounded.tobytes()
        if key not in self._known:
            self._known[key] = len(self.columns)
            self.columns.append(net)
        return self._known[key]
