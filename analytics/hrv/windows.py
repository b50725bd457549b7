"""HRV of windows of beats as they come from the store, with its quality.

Where there is none, the reason is given. Two straps worn at once are not mixed: each window is of
the stream that covers most of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics._types import BoolArray, FloatArray, Int8Array, IntArray
from analytics.hrv import artefacts
from analytics.hrv.engine import (
    LabelledSeries,
    WindowMetrics,
    label_series,
    window_metrics,
    windows_without_beats,
)
from analytics.hrv.heart_rate import (
    WindowRates,
    accept_intervals,
    empty_rates,
    window_rates,
)
from analytics.hrv.metric import Domain
from analytics.hrv.requirements import MissingReason

# Five minutes: the length for short-term recordings (Task Force 1996).
WINDOW_NS = 300_000_000_000
# RMSSD of a minute agrees well with that of five (Munoz et al. 2015, PLOS ONE 10:e0138921);
# shorter says little.
MIN_WINDOW_S = 60.0
MIN_COVERAGE = 0.80
MAX_REMOVED = 0.10

METHOD = f"time domain; {artefacts.METHOD}"

TIME_ONLY = frozenset({Domain.TIME})


@dataclass(frozen=True, slots=True, eq=False)
class BeatArrays:
    """Beats in time order, all of shape (n,).

    ``time_ns``: UTC nanoseconds; ``rr_ms``: the interval that ended with the beat; ``follows``:
    whether it began at the beat before it of the same stream; ``contact``: 1, 0 (no skin) or -1
    (not known); ``stream``: a number per source.
    """

    time_ns: IntArray
    rr_ms: FloatArray
    follows: BoolArray
    contact: Int8Array
    stream: NDArray[np.int32]

    def of_stream(self, stream: int) -> BeatArrays:
        """Select the beats of one source."""
        return self.at(self.stream == stream)

    def at(self, rows: BoolArray | slice) -> BeatArrays:
        """Select some of the beats."""
        return BeatArrays(
            self.time_ns[rows],
            self.rr_ms[rows],
            self.follows[rows],
            self.contact[rows],
            self.stream[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """How much the wearer moved.

    Mean amplitude deviation in mg of the time from each ``time_ns``; both of shape (m,), by time.
    """

    time_ns: IntArray
    mad_mg: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PreparedStream:
    """Beats of one source, and what windows of any length take from them.

    ``time_s``: since the first beat of all sources; ``series``: labelled and corrected;
    ``accepted``: for the heart rate. All of shape (n,).
    """

    beats: BeatArrays
    time_s: FloatArray
    series: LabelledSeries
    accepted: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class HrvWindows:
    """Windows [start_ns, start_ns + window_ns), shape (w,).

    ``metrics`` has the values (NaN where missing) and the quality; ``missing_reason``, and
    ``missing_detail`` in words with what would be needed, are None where the window as a whole is
    usable. ``rates`` has heart rates that need five beats only, also of windows that are not usable
    for the rest. ``reported``: which of those are a device's own rate, in place of beats; none if
    left out.
    """

    start_ns: IntArray
    window_ns: int
    metrics: WindowMetrics
    missing_reason: list[MissingReason | None]
    missing_detail: list[str | None]
    rates: WindowRates
    reported: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def usable(self) -> BoolArray:
        """Which windows have values."""
        return np.array([reason is None for reason in self.missing_reason], dtype=np.bool_)

    def value(self, name: str) -> FloatArray:
        """One metric of each window; NaN where the window is unusable."""
        return np.where(self.usable, self.metrics.values[name], np.nan)


def hrv_windows(
    beats: BeatArrays,
    start_ns: IntArray,
    window_ns: int,
    domains: Collection[Domain] = TIME_ONLY,
    movement: Movement | None = None,
    prepared: list[PreparedStream] | None = None,
    origin_ns: int | None = None,
    with_rates: bool = True,
) -> HrvWindows:
    """Compute the HRV of the windows that begin at ``start_ns``.

    A window is unusable when it is under a minute, has less than 80% of its time in NN intervals,
    or more than 10% of its intervals not normal.

    Parameters
    ----------
    beats : BeatArrays
        Beats in order of time, of any number of straps.
    start_ns : array of int64, shape (w,)
        Starts of the windows in UTC nanoseconds, in any order.
    window_ns : int
        Length of each window in nanoseconds; ``analytics.hrv.WINDOW_NS`` is five minutes.
    domains : collection of Domain
        Which metrics to compute; the time domain if left out.
    movement : Movement, optional
        How much the wearer moved.
    prepared : list of PreparedStream, optional
        What ``prepare_beats`` made of these beats, for windows of several lengths over few beats.
    origin_ns : int, optional
        What times are counted from, the first beat if left out: where these beats are a part of
        others, theirs, so that what lies on an edge of a window is rounded to the same side.
    with_rates : bool
        Whether ``rates`` are computed too; NaN if not.

    Returns
    -------
    HrvWindows
        Metrics and quality of each window, shape (w,), or its ``missing_reason``.

    Raises
    ------
    ValueError
        If ``window_ns`` is not positive.

    Notes
    -----
    Minimum length: Munoz et al. (2015), PLOS ONE 10:e0138921. ``analytics.hrv.METRICS`` has the
    source of each metric.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import BeatArrays, hrv_windows
    >>> rr_ms = 800 + 30 * np.sin(0.8 * np.arange(450))
    >>> beats = BeatArrays(
    ...     time_ns=np.round(np.cumsum(rr_ms) * 1e6).astype(np.int64),
    ...     rr_ms=rr_ms,
    ...     follows=np.arange(450) > 0,
    ...     contact=np.full(450, -1, np.int8),
    ...     stream=np.zeros(450, np.int32),
    ... )
    >>> minute = 60_000_000_000
    >>> found = hrv_windows(beats, minute * np.array([0, 5]), 5 * minute)
    >>> found.value("mean_hr_bpm").round(1)
    array([75., nan])
    >>> found.missing_detail[1]
    'beats cover 20% of the window; at least 80% are needed'
    """
    if window_ns <= 0:
        raise ValueError("a window must end after it starts")
    starts = np.asarray(start_ns, np.int64)
    # Seconds from the first beat: a float64 of seconds since 1970 would be 200 ns coarse.
    origin = int(beats.time_ns[0]) if len(beats.time_ns) else 0
    if origin_ns is not None:
        origin = origin_ns
    length_s = window_ns / 1e9
    start_s = (starts - origin) / 1e9
    motion = None
    if movement is not None:
        motion = ((movement.time_ns - origin) / 1e9, movement.mad_mg)
    found = windows_without_beats(start_s, length_s, motion, domains)
    rates = empty_rates(len(starts), window_ns)
    streams: Iterable[tuple[BeatArrays, PreparedStream | None]] = (
        ((one.beats, one) for one in prepared)
        if prepared is not None
        else ((beats.of_stream(stream), None) for stream in np.unique(beats.stream).tolist())
    )
    for own, known in streams:
        # Recordings from files may be a thousand streams: each is read for its own time only.
        near = (starts <= own.time_ns[-1]) & (starts > own.time_ns[0] - window_ns)
        of_stream = window_metrics(
            own.rr_ms,
            (own.time_ns - origin) / 1e9 if known is None else known.time_s,
            start_s[near],
            length_s,
            np.cumsum(~own.follows).astype(np.int64),
            contact=own.contact,
            motion=motion,
            domains=domains,
            labelled=None if known is None else known.series,
        )
        _use_fuller(found, of_stream, np.flatnonzero(near))
        if not with_rates:
            continue
        use_more_known(
            rates,
            window_rates(
                *(own.time_ns, own.rr_ms, own.follows, own.contact, starts[near], window_ns),
                None if known is None else known.accepted,
            ),
            np.flatnonzero(near),
        )
    reasons = [
        _missing_reason(length_s, int(many), float(coverage), float(share))
        for many, coverage, share in zip(
            found.intervals, found.coverage, found.normal_share, strict=True
        )
    ]
    return HrvWindows(
        starts,
        window_ns,
        found,
        [None if reason is None else reason[0] for reason in reasons],
        [None if reason is None else reason[1] for reason in reasons],
        rates,
    )


def prepare_beats(beats: BeatArrays) -> list[PreparedStream]:
    """Label and correct beats once, for windows of several lengths. In memory as a whole: of hours.

    ``beats``: in order of time, of any number of straps.
    """
    found = []
    for stream in np.unique(beats.stream).tolist():
        own = beats.of_stream(stream)
        time_s = (own.time_ns - int(beats.time_ns[0])) / 1e9
        run = np.cumsum(~own.follows).astype(np.int64)
        series = label_series(own.rr_ms, time_s, run, own.contact)
        accepted = accept_intervals(own.time_ns, own.rr_ms, own.contact)
        found.append(PreparedStream(own, time_s, series, accepted))
    return found


def concat_windows(pieces: list[HrvWindows], order: IntArray, window_ns: int) -> HrvWindows:
    """Windows of several readings as one, put into ``order`` (places in the joined ones)."""
    if not pieces:
        nothing = BeatArrays(
            np.empty(0, np.int64),
            np.empty(0),
            np.empty(0, np.bool_),
            np.empty(0, np.int8),
            np.empty(0, np.int32),
        )
        return hrv_windows(nothing, np.empty(0, np.int64), window_ns)
    found = [piece.metrics for piece in pieces]
    arrays: dict[str, Any] = {
        field.name: np.concatenate([getattr(one, field.name) for one in found])[order]
        for field in fields(WindowMetrics)
        if field.name not in ("length_s", "values")
    }
    values = {
        name: np.concatenate([one.values[name] for one in found])[order] for name in found[0].values
    }
    reasons = [reason for piece in pieces for reason in piece.missing_reason]
    details = [detail for piece in pieces for detail in piece.missing_detail]
    return HrvWindows(
        np.concatenate([piece.start_ns for piece in pieces])[order],
        window_ns,
        replace(found[0], values=values, **arrays),
        [reasons[place] for place in order],
        [details[place] for place in order],
        WindowRates(
            np.concatenate([piece.rates.minute_bpm for piece in pieces])[order],
            np.concatenate([piece.rates.window_bpm for piece in pieces])[order],
            np.concatenate([piece.rates.vagal for piece in pieces])[order],
        ),
        _concat_reported(pieces, order),
    )


def slice_windows(windows: HrvWindows, begin: int, end: int) -> HrvWindows:
    """Windows of the places ``begin`` to ``end``, as views."""
    place = slice(begin, end)
    arrays: dict[str, Any] = {
        field.name: getattr(windows.metrics, field.name)[place]
        for field in fields(WindowMetrics)
        if field.name not in ("length_s", "values")
    }
    values = {name: column[place] for name, column in windows.metrics.values.items()}
    rates = windows.rates
    return HrvWindows(
        windows.start_ns[place],
        windows.window_ns,
        replace(windows.metrics, values=values, **arrays),
        windows.missing_reason[place],
        windows.missing_detail[place],
        WindowRates(rates.minute_bpm[place], rates.window_bpm[place], rates.vagal[place]),
        None if windows.reported is None else windows.reported[place],
    )


def _concat_reported(pieces: list[HrvWindows], order: IntArray) -> BoolArray | None:
    if all(piece.reported is None for piece in pieces):
        return None
    flags = [
        np.zeros(len(piece), np.bool_) if piece.reported is None else piece.reported
        for piece in pieces
    ]
    joined: BoolArray = np.concatenate(flags)[order]
    return joined


def starts_by_stretch(beats: BeatArrays, window_ns: int, step_ns: int) -> IntArray:
    """Compute starts of windows that fit the recording, shape (windows,).

    There is one every ``step_ns`` from the beginning of each stretch of beats, a stretch being
    ended by a silence longer than a window. A last window that would reach past the end of its
    stretch by more than a tenth is left out.
    """
    if not len(beats.time_ns):
        return np.empty(0, dtype=np.int64)
    breaks = np.flatnonzero(np.diff(beats.time_ns) > window_ns) + 1
    firsts = np.concatenate([[0], breaks])
    lasts = np.concatenate([breaks, [len(beats.time_ns)]]) - 1
    starts = []
    for first, last in zip(firsts, lasts, strict=True):
        begin = int(beats.time_ns[first] - beats.rr_ms[first] * 1e6)
        fits = int(beats.time_ns[last]) - begin - window_ns + window_ns // 10
        starts.append(begin + step_ns * np.arange(max(0, fits // step_ns + 1), dtype=np.int64))
    return np.concatenate(starts)


def _use_fuller(into: WindowMetrics, other: WindowMetrics, rows: IntArray) -> None:
    """Those of ``other`` that have more in them than what is in these rows."""
    better = (other.nn_seconds > into.nn_seconds[rows]) | (
        (other.nn_seconds == into.nn_seconds[rows]) & (other.intervals > into.intervals[rows])
    )
    chosen = rows[better]
    for field in fields(WindowMetrics):
        if field.name not in ("start_s", "length_s", "values"):
            getattr(into, field.name)[chosen] = getattr(other, field.name)[better]
    for name, column in into.values.items():
        column[chosen] = other.values[name][better]


def use_more_known(into: WindowRates, other: WindowRates, rows: IntArray) -> None:
    """Those of ``other`` that know more minutes than what is in these rows."""

    def known(rates: WindowRates) -> FloatArray:
        result: FloatArray = rates.known_share + 0.1 * np.isfinite(rates.window_bpm)
        return result

    better = known(other) > known(into.at(rows))
    chosen = rows[better]
    into.minute_bpm[chosen] = other.minute_bpm[better]
    into.window_bpm[chosen] = other.window_bpm[better]
    into.vagal[chosen] = other.vagal[better]


def _missing_reason(
    length_s: float, beats: int, coverage: float, normal_share: float
) -> tuple[MissingReason, str] | None:
    if length_s < MIN_WINDOW_S:
        needed = f"at least {MIN_WINDOW_S:.0f} s are needed"
        return MissingReason.TOO_SHORT, f"the window is {length_s:.0f} s long; {needed}"
    if not beats:
        return MissingReason.NO_BEATS, "no beats were recorded in this window"
    removed = 1 - normal_share
    if removed > MAX_REMOVED:
        allowed = f"at most {MAX_REMOVED:.0%} may be"
        return MissingReason.DISTURBED, f"{removed:.0%} of the intervals were disturbed; {allowed}"
    if coverage < MIN_COVERAGE:
        needed = f"at least {MIN_COVERAGE:.0%} are needed"
        return MissingReason.TOO_FEW_BEATS, f"beats cover {coverage:.0%} of the window; {needed}"
    return None
