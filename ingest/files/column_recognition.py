"""Decide which column of a table holds the intervals, which the time, and in which units.

Names, units in brackets, comments and the numbers themselves are held against each other: a column
that only counts up is a time or an index; the steps of the time are the intervals; heart rate times
RR is 60,000. Where two readings stay possible the file is refused, naming both and the option.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ingest.files.text_table import TextTable

Floats = NDArray[np.float64]

_RR = re.compile(
    r"(^|[\W_])(rrs?|r-r|rri|nns?|n-n|nni|ibi|pp|p-p|ppi|(rr|nn|pp|beat)_?-?int\w*|interval\w*"
    r"|intervall\w*|duration|herzschlagabst\w*|schlagabst\w*|tachogram\w*)([\W_]|$)"
)
_PULSE = re.compile(
    r"(^|[\W_])(pp|p-p|ppi|pp_?-?int\w*|pulse[ _-]int\w*|pulsintervall\w*)([\W_]|$)"
)
_TIME = re.compile(
    r"(^|[\W_])(time\w*|t|timestamp|elapsed|date|datetime|datum|since[ _]start|epoch|clock|zeit\w*"
    r"|uhrzeit|temps|heure|hora|tiempo|tempo|ora|seconds|unix\w*|tid|tijd)([\W_]|$)"
)
_INDEX = re.compile(
    r"^(index|idx|nr\.?|no\.?|n|#|number|beat|beats|beat[ _](nr|no|number|index)|count|row|i|id"
    r"|sample|nummer|zeile|schlag|num[eé]ro|n[uú]mero|numero)$"
)
_RATE = re.compile(
    r"(^|[\W_])(hr|bpm|heart[ _-]?rate|heartrate|herzfrequenz|puls|pulse|fc|fr[eé]quence"
    r"|frecuencia|frequenza|1/min|beats/min)([\W_]|$)"
)
_OTHER = re.compile(
    r"(^|[\W_])(error|estimate|quality|blocker|contact|status|flag|artifact|artefact|offline|label"
    r"|symbol|note|rmssd|sdnn|lnrmssd|supported|temperature|battery)([\W_]|$)"
)
_ABSENT = ("offline", "blocker")  # not 0: no beat was seen
_UNITS = (  # ms of one unit, by the words that name it
    (re.compile(r"1\s*/\s*1024|(^|[\W_])ticks?([\W_]|$)"), "1/1024"),
    (re.compile(r"1\s*/\s*256"), "1/256"),
    (re.compile(r"(^|[\W_\d])(us|µs|μs|usec|microsec\w*|mikrosek\w*)([\W_]|$)"), "us"),
    (re.compile(r"(^|[\W_\d])(ms|msec|msek|millisec\w*|millisek\w*)([\W_]|$)"), "ms"),
    (
        re.compile(r"(^|[\W_\d])(s|sec|secs|sek|seconds?|sekunden?|secondes?|segundos?)([\W_]|$)"),
        "s",
    ),
)
UNIT_MS = {"ms": 1.0, "s": 1000.0, "1/1024": 1000 / 1024, "1/256": 1000 / 256, "us": 0.001}
_TIME_SECONDS = {
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
    "1/1024": 1 / 1024,
    "1/256": 1 / 256,
    "min": 60.0,
}
_EPOCHS = ((1e9, 4.1e9, "s"), (1e12, 4.1e12, "ms"), (1e15, 4.1e15, "us"), (1e18, 4.1e18, "ns"))
_MANY = 20  # rows from which the numbers themselves are evidence


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """``rr``: column of intervals, None where there are only beat times. ``unit`` of it.

    ``time``: column of elapsed seconds or epoch times; ``time_s`` its values in seconds, relative
    to its first, which is ``epoch_s`` in s since 1970 where it says so. ``clock``: column of dates.
    """

    rr: int | None
    rr_ms: Floats | None
    unit: str
    time: int | None
    time_s: Floats | None
    epoch_s: float | None
    clock: int | None
    absent: NDArray[np.bool_]
    is_pulse: bool


def unit_named(text: str) -> str | None:
    """The unit that a name or comment gives."""
    low = text.lower()
    return next((unit for pattern, unit in _UNITS if pattern.search(low)), None)


def is_interval_name(name: str) -> bool:
    """Whether a column of this name may hold intervals."""
    return _RR.search(name.lower()) is not None


def epoch_unit(value: float) -> str | None:
    """The unit of a time since 1970, by its size: s, ms, us or ns."""
    return next((unit for low, high, unit in _EPOCHS if low <= value < high), None)


def choose_columns(
    table: TextTable, path: str, column: str | None = None, unit: str | None = None
) -> ColumnChoice:
    """Decide what each column is. Raises EbbtideError where that cannot be done or is ambiguous."""
    if unit is not None and unit not in UNIT_MS:
        raise EbbtideError(f"'{unit}' is no unit.", f"Give one of: {', '.join(UNIT_MS)}.")
    width = len(table.names)
    names = [name.lower() for name in table.names]
    clocks = [c for c in range(width) if table.is_clock(c)]
    numbers = {c: table.numbers(c) for c in range(width) if c not in clocks}
    numbers = {c: v for c, v in numbers.items() if np.isfinite(v).any()}
    for c in range(width):
        if c in clocks or c in numbers or _RR.search(names[c]) or not _TIME.search(names[c]):
            continue
        cell = next((cell for cell in table.cells(c) if cell), None)
        if cell is not None:
            raise EbbtideError(
                f"{path} holds times that cannot be read (line {table.lines[0]}: {cell[:40]!r}).",
                "Write them like 2026-11-24T08:30:00.",
            )
    wanted = None if column is None else _wanted(table, column, path)
    absent = _absent(table, names, numbers)
    counting = {c for c, v in numbers.items() if _counts_up(v)}
    rates = {c for c in numbers if _RATE.search(names[c]) and not _RR.search(names[c])}
    times = [
        c
        for c in numbers
        if c != wanted
        and c not in rates
        and (
            (c in counting and not _INDEX.search(names[c]) and not _RR.search(names[c]))
            or (_TIME.search(names[c]) and not _RR.search(names[c]) and not _OTHER.search(names[c]))
        )
    ]
    if wanted is not None:
        if wanted not in numbers:
            raise EbbtideError(
                f"{table.name_of(wanted)} of {path} holds no numbers.", "Give --column."
            )
        candidates = [] if wanted in counting else [wanted]
        times = [wanted] if wanted in counting else times
    else:
        candidates = [
            c
            for c, v in numbers.items()
            if c not in times
            and c not in rates
            and not _OTHER.search(names[c])
            and not _INDEX.search(names[c])
            and (c not in counting or _RR.search(names[c]))
        ]
        named = [c for c in candidates if _RR.search(names[c])]
        strong = [c for c in named if not re.fullmatch(r"duration|interval", names[c])]
        candidates = strong or named or candidates
    clock = clocks[0] if clocks else None
    words = " ".join(table.words)
    # A count of the rows is neither a time nor a rate, whatever its numbers would agree with.
    indexes = {c for c in counting if not _TIME.search(names[c]) and _is_index(numbers[c])}
    evidence = {c: v for c, v in numbers.items() if c not in indexes}
    proofs = [c for c in times if c not in indexes]
    fits: list[tuple[int, str, Floats, tuple[int, str, Floats] | None]] = []
    reasons: list[EbbtideError] = []
    for c in candidates:
        try:
            of_unit, proved = _unit_of(
                table, c, {**evidence, c: numbers[c]}, proofs, rates, words, path, unit
            )
        except EbbtideError as error:
            reasons.append(error)
            continue
        is_named = bool(_RR.search(names[c])) or not any(names) or width == 1 or c == wanted
        has_unit = unit_named(names[c]) is not None
        if not is_named and not has_unit and not proved:
            continue
        fits.append((c, of_unit, numbers[c] * UNIT_MS[of_unit], proved))
    fits = _preferred(fits, table, path)
    if fits:
        c, of_unit, rr_ms, proved = fits[0]
        if wanted is None and c in counting and np.isfinite(rr_ms).sum() >= _MANY:
            raise EbbtideError(
                f"{table.name_of(c)} of {path} only counts up: a time or an index, not intervals.",
                "Name the column of intervals: --column.",
            )
        time = proved or _time_of(table, times, numbers, rr_ms, path)
        return ColumnChoice(
            c,
            rr_ms,
            of_unit,
            *_spread(time),
            clock,
            absent,
            bool(_PULSE.search(names[c]) or _PULSE.search(words.lower())),
        )
    if reasons and (wanted is not None or (len(candidates) == 1 and not times)):
        raise reasons[0]
    return _beat_times(table, names, numbers, times, rates, path, unit, clock, absent, reasons)


def _wanted(table: TextTable, column: str, path: str) -> int:
    names = [name.lower() for name in table.names]
    if column.strip().lower() in names:
        return names.index(column.strip().lower())
    if column.isdigit() and 1 <= int(column) <= len(names):
        return int(column) - 1
    columns = ", ".join(table.name_of(c) for c in range(len(names)))
    raise EbbtideError(f"{path} has no column '{column}'.", f"It has: {columns}.")


def _absent(table: TextTable, names: list[str], numbers: dict[int, Floats]) -> NDArray[np.bool_]:
    """Rows of which the file itself says that no beat was seen."""
    absent = np.zeros(len(table.rows), dtype=np.bool_)
    for c, values in numbers.items():
        if names[c] in _ABSENT:
            absent |= np.isfinite(values) & (values != 0)
        elif names[c] == "contact" and "contact supported" in names:
            supported = numbers.get(names.index("contact supported"))
            if supported is not None:
                absent |= (supported == 1) & (values == 0)
    return absent


def _counts_up(values: Floats) -> bool:
    finite = values[np.isfinite(values)]
    if len(finite) < 3:
        return False
    steps = np.diff(finite)
    if len(finite) < _MANY:
        return bool((steps > 0).all()) and (
            len(finite) >= 8 or (len(finite) >= 5 and bool(np.ptp(steps) == 0))
        )
    return bool((steps >= 0).mean() > 0.98) and bool(
        finite[-1] - finite[0] > 0.9 * np.abs(steps).sum() and (steps > 0).mean() > 0.3
    )


def _is_index(values: Floats) -> bool:
    steps = np.diff(values[np.isfinite(values)])
    return bool((steps == 1).all())


def _unit_of(
    table: TextTable,
    c: int,
    numbers: dict[int, Floats],
    times: list[int],
    rates: set[int],
    words: str,
    path: str,
    given: str | None,
) -> tuple[str, tuple[int, str, Floats] | None]:
    """The unit of column ``c``, and the time column that proves it. Raises EbbtideError."""
    values = numbers[c]
    middle = float(np.nanmedian(values))
    name = table.name_of(c)
    named_unit = given or unit_named(table.names[c]) or _unit_in_words(words)
    plausible = [u for u in UNIT_MS if 200 <= middle * UNIT_MS[u] <= 3000]
    if named_unit is not None:
        if named_unit not in plausible:
            raise EbbtideError(
                f"{name} of {path} (median {middle:g}) cannot be RR intervals in {named_unit}"
                + (f"; they could be in {' or '.join(plausible)}." if plausible else "."),
                "Give their unit, such as --unit ms or --unit s, or another --column.",
            )
        return named_unit, _proof(values * UNIT_MS[named_unit], times, numbers)
    if not plausible:
        raise EbbtideError(
            f"The numbers of {path} ({name}, median {middle:g}) are RR intervals neither in "
            "milliseconds (200 to 3000) nor in seconds (0.2 to 3)."
            + (" They look like heart rates, which hold no RR." if 30 <= middle <= 199 else ""),
            "Give RR intervals, or beat times in a column named time_s.",
        )
    for unit in plausible:
        proof = _proof(values * UNIT_MS[unit], times, numbers)
        if proof is not None:
            return unit, proof
    for rate in sorted(set(numbers) - {c}):
        per_minute = numbers[rate]
        usual = float(np.nanmedian(per_minute))
        if (rate in rates or not table.names[rate]) and 25 <= usual <= 230:
            product = float(np.nanmedian(per_minute * values))
            for unit in plausible:
                if abs(product * UNIT_MS[unit] / 60_000 - 1) < 0.012:
                    return unit, None
    if "ms" in plausible and "1/256" in plausible and middle < 300:
        raise EbbtideError(
            f"{name} of {path} (median {middle:g}) may be milliseconds (a heart rate of "
            f"{60_000 / middle:.0f}) or 1/256 s (a heart rate of {60 * 256 / middle:.0f}).",
            "Say which: --unit ms or --unit 1/256.",
        )
    return next(u for u in ("ms", "s", "us", "1/256", "1/1024") if u in plausible), None


def _unit_in_words(words: str) -> str | None:
    found = re.search(
        r"(?:unit\w*|einheit\w*|rr\w*|intervals?|ibi|nn|values?)\s*[:=(]?\s*(?:are|is|in)?\s*[\[(]?\s*"
        r"(1\s*/\s*\d+|ms|msec|milliseconds?|s|sec|seconds?|us|µs|ticks)\b",
        words.lower(),
    )
    return unit_named(found.group(1)) if found else None


def _proof(
    rr_ms: Floats, times: list[int], numbers: dict[int, Floats]
) -> tuple[int, str, Floats] | None:
    """The time column whose steps these intervals are, with its unit and seconds.

    A tick of 1/1024 s is 2.4% from a millisecond: the median must agree within 1%.
    """
    if np.isfinite(rr_ms).sum() < 5:
        return None
    for c in times:
        first = numbers[c][np.isfinite(numbers[c])][0]
        size = epoch_unit(float(first))
        for unit in (size,) if size else _TIME_SECONDS:
            time_s = (numbers[c] - first) * _TIME_SECONDS[unit]
            steps, spans = np.diff(time_s), rr_ms[1:] / 1000
            good = np.isfinite(steps) & np.isfinite(spans) & (steps > 0)
            if good.sum() < 5 or good.mean() < 0.3:
                continue
            # Several intervals may share the time of their arrival: compare what they add up to.
            finite = np.isfinite(spans)
            total, span = float(spans[finite].sum()), float(np.nansum(steps[steps > 0]))
            ratio = float(np.nanmedian(spans[good] / steps[good]))
            if abs(ratio - 1) < 0.01 or (good.mean() < 0.9 and abs(total / span - 1) < 0.012):
                return c, unit, time_s
    return None


def _time_of(
    table: TextTable, times: list[int], numbers: dict[int, Floats], rr_ms: Floats, path: str
) -> tuple[int, str, Floats] | None:
    """A time column that the intervals do not step through: one with gaps, or of a fixed rate."""
    median_s = float(np.nanmedian(rr_ms)) / 1000
    for c in times:
        values = numbers[c]
        finite = values[np.isfinite(values)]
        if len(finite) < _MANY or not _counts_up(values):
            continue
        steps = np.diff(finite)
        is_count = bool((steps == 1).all())
        if is_count and not _TIME.search(table.names[c].lower()):
            continue  # an index
        unit = epoch_unit(float(finite[0])) or unit_named(table.names[c])
        if unit is None:
            span = float(finite[-1] - finite[0])
            total = float(np.nansum(rr_ms)) / 1000
            unit = min(
                ("s", "ms", "us"), key=lambda u: abs(np.log(span * _TIME_SECONDS[u] / total))
            )
        time_s = (values - finite[0]) * _TIME_SECONDS[unit]
        if np.nanmax(time_s) < 3 * median_s:
            continue
        return c, unit, time_s
    return None


def _spread(
    time: tuple[int, str, Floats] | None,
) -> tuple[int | None, Floats | None, float | None]:
    return (None, None, None) if time is None else (time[0], time[2], None)


def _preferred(
    fits: list[tuple[int, str, Floats, tuple[int, str, Floats] | None]],
    table: TextTable,
    path: str,
) -> list[tuple[int, str, Floats, tuple[int, str, Floats] | None]]:
    """The one candidate. Raises EbbtideError where two differ and nothing settles which."""
    proved = [fit for fit in fits if fit[3] is not None]
    if (
        len(proved) == 1
        and len(fits) > 1
        and not all(_RR.search(table.names[f[0]].lower()) for f in fits)
    ):
        return proved
    different = [f for f in fits[1:] if not np.allclose(f[2], fits[0][2], atol=1.0, equal_nan=True)]
    if different:
        a, b = table.name_of(fits[0][0]), table.name_of(different[0][0])
        raise EbbtideError(
            f"Both {a} and {b} of {path} may be the RR intervals.",
            f"Say which: --column '{a}' or --column '{b}' (or its place, --column "
            f"{fits[0][0] + 1} or {different[0][0] + 1}).",
        )
    return fits


def _beat_times(
    table: TextTable,
    names: list[str],
    numbers: dict[int, Floats],
    times: list[int],
    rates: set[int],
    path: str,
    given: str | None,
    clock: int | None,
    absent: NDArray[np.bool_],
    reasons: list[EbbtideError],
) -> ColumnChoice:
    """Read beat times where there are no intervals, or say what is missing."""
    for c in times:
        finite = numbers[c][np.isfinite(numbers[c])]
        steps = np.diff(finite)
        if len(finite) < 2 or rates:
            continue
        middle = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
        size = epoch_unit(float(finite[0]))
        named_unit = given or size or unit_named(names[c])
        if named_unit == "ns" or (
            named_unit is None and not 0.2 <= middle <= 3 and 200 <= middle <= 3000
        ):
            named_unit = named_unit or "ms"
        unit = named_unit or "s"
        if not 0.2 <= middle * _TIME_SECONDS[unit] <= 3:
            continue
        many = _MANY if _TIME.search(names[c]) else 4
        if len(steps) >= many and float(np.mean(np.abs(steps - middle) <= 1e-6 * middle)) > 0.9:
            raise EbbtideError(
                f"{table.name_of(c)} of {path} counts up by {middle:g}: rows of a fixed rate or an "
                "index, not beats.",
                "Give RR intervals, or name their column: --column.",
            )
        time_s = (numbers[c] - finite[0]) * _TIME_SECONDS[unit]
        return ColumnChoice(None, None, unit, c, time_s, None, clock, absent, False)
    if rates or any(_RATE.search(name) for name in names):
        raise EbbtideError(
            f"{path} holds heart rates and no RR interval; beats cannot be had from rates.",
            "Export the RR (beat-to-beat) intervals of the recording.",
        )
    if reasons:
        raise reasons[0]
    if any(names) and len(names) > 1:
        raise EbbtideError(
            f"{path} has the columns {', '.join(table.names).lower()}, none of them known.",
            "Name the column of intervals: --column, or call it rr_ms, or that of beat times "
            "time_s.",
        )
    first = (
        f": line {table.lines[0]}: {table.rows[0][0][:40]!r} is not a number" if table.rows else ""
    )
    raise EbbtideError(
        f"{path} holds no RR interval{first}.",
        "Give one RR interval a line, in milliseconds or seconds, or name a column: --column.",
    )
