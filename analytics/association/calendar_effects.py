"""Effects of the hour and the weekday that two series may share: which there may be.

A weekend, office hours or bad mornings move pain and stress alike and look like a link. Which of
them a person has is not known, so none is always removed: each possible set of columns is a model,
and ``slope_average`` weighs the models by their evidence. Here the sets are listed, with their
prior weights: half for no effect of the hour, and half for none of the weekday; the other half in
equal parts for one, two and three waves, office hours (or the weekend), and one block of hours (or
of days) that begins and ends anywhere. Sets that span the same columns are one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray

DAY_NS = 86_400_000_000_000
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_BLOCK_HOURS = 2  # blocks of hours begin and end at even hours
_LONGEST_BLOCK_DAYS = 3  # the rest of a week of 4 days is a block of 3
_MIN_SPAN_DAYS = 13.0  # with less, a weekday is one day or two
_RESIDUAL_SHARE = 1e-6  # of a column beyond the basis, below which it adds nothing
_MAX_COLUMNS_SHARE = 0.2  # of the ratings: a set with more columns leaves too little


@dataclass(frozen=True, slots=True, eq=False)
class CalendarSets:
    """Columns, shape (n, c), and the sets of them that are models.

    ``hours`` and ``weeks``: pairs of column numbers and logarithm of the prior weight; the first of
    each is the empty set.
    """

    columns: FloatArray
    hours: tuple[tuple[tuple[int, ...], float], ...]
    weeks: tuple[tuple[tuple[int, ...], float], ...]


def local_calendar(
    time_ns: IntArray, hour_of_day: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return local hours (0 to 24) and weekdays (Monday is 0) of each time, shape (n,).

    ``hour_of_day`` is the local hour; its distance from the hour of UTC is the zone's, from which
    the local date follows. Without it the times are local themselves.
    """
    utc_hours = (time_ns % DAY_NS) / 3_600e9
    if hour_of_day is None:
        return utc_hours, ((time_ns // DAY_NS + _EPOCH_WEEKDAY) % 7).astype(np.float64)
    hours = np.where(np.isfinite(hour_of_day), hour_of_day, utc_hours)
    offset_h = (hours - utc_hours + 10.5) % 24 - 10.5  # nearly all zones: -10 to +13
    local_ns = time_ns + np.round(offset_h * 3_600e9).astype(np.int64)
    return hours, ((local_ns // DAY_NS + _EPOCH_WEEKDAY) % 7).astype(np.float64)


def calendar_sets(
    hours: FloatArray, weekday: FloatArray, span_days: float, basis: FloatArray
) -> CalendarSets:
    """List the models of hour and weekday beyond ``basis`` (n, q), orthonormal."""
    builder = _Builder(basis)
    angle = 2 * np.pi * hours / 24
    working = (weekday < 5) & (hours >= 9) & (hours < 17)
    edges = range(0, 24, _BLOCK_HOURS)
    hour_blocks = [
        (hours >= start) & (hours < end) for start in edges for end in edges if start < end
    ]
    office = [(hours >= 9) & (hours < 17), working]
    hour_sets = builder.add_family(angle, office, hour_blocks)
    week_sets: tuple[tuple[tuple[int, ...], float], ...] = (((), 0.0),)
    if span_days >= _MIN_SPAN_DAYS:
        day_blocks = [
            (weekday - start) % 7 < length
            for length in range(1, _LONGEST_BLOCK_DAYS + 1)
            for start in range(7)
        ]
        week_sets = builder.add_family(2 * np.pi * weekday / 7, [weekday >= 5], day_blocks)
    columns = np.column_stack(builder.columns) if builder.columns else np.empty((len(hours), 0))
    return CalendarSets(columns, hour_sets, week_sets)


class _Builder:
    """Collects columns net of a basis, and sets of them without those that span the same."""

    def __init__(self, basis: FloatArray) -> None:
        self._basis = basis
        self.columns: list[FloatArray] = []
        self._known: dict[bytes, int] = {}
        # A set's span is told by what it makes of a few fixed vectors.
        self._probes = np.random.default_rng(0).standard_normal((len(basis), 2))

    def add_family(
        self, angle: FloatArray, usual: list[BoolArray], blocks: list[BoolArray]
    ) -> tuple[tuple[tuple[int, ...], float], ...]:
        """Add waves of one to three turns, the usual block, and blocks that may be anywhere."""
        waves: list[int] = []
        share = 0.5 / 5
        found: dict[bytes, tuple[tuple[int, ...], float]] = {}

        def add(numbers: list[int], prior: float) -> None:
            if not numbers or len(numbers) > _MAX_COLUMNS_SHARE * len(angle):
                return
            span = self._span(numbers)
            columns, before = found.get(span, (tuple(numbers), 0.0))
            found[span] = (columns, before + prior)

        for turns in (1, 2, 3):
            for wave in (np.cos(turns * angle), np.sin(turns * angle)):
                number = self._add_column(wave, waves)
                if number is not None:
                    waves.append(number)
            add(list(waves), share)
        for columns, prior in ((usual, share / len(usual)), (blocks, share / len(blocks))):
            for column in columns:
                number = self._add_column(column.astype(np.float64), [])
                if number is not None:
                    add([number], prior)
        total = sum(prior for _, prior in found.values())
        if not total:
            return (((), 0.0),)
        return (
            ((), float(np.log(0.5))),
            *((columns, float(np.log(0.5 * prior / total))) for columns, prior in found.values()),
        )

    def _add_column(self, column: FloatArray, beside: list[int]) -> int | None:
        """Add a column net of the basis; None where it adds nothing to those ``beside`` it."""
        centred = column - np.mean(column)
        size = float(np.linalg.norm(centred))
        if size < 1e-9:
            return None
        net = centred - self._basis @ (self._basis.T @ centred)
        left = float(np.linalg.norm(net))
        if left < _RESIDUAL_SHARE * size + 0.02 * size:
            return None
        net = net / left
        if beside:
            others = np.linalg.qr(np.column_stack([self.columns[k] for k in beside]))[0]
            if np.linalg.norm(net - others @ (others.T @ net)) < 0.02:
                return None
        sign = 1.0 if net[int(np.argmax(np.abs(net) > 1e-6))] > 0 else -1.0
        key = np.round(sign * net, 7).tobytes()
        if key not in self._known:
            self._known[key] = len(self.columns)
            self.columns.append(net)
        return self._known[key]

    def _span(self, numbers: list[int]) -> bytes:
        columns = np.column_stack([self.columns[k] for k in numbers])
        orthonormal = np.linalg.qr(columns)[0] if len(numbers) > 1 else columns
        return np.round(orthonormal @ (orthonormal.T @ self._probes), 6).tobytes()
