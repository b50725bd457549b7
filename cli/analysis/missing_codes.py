"""Decide which numbers of a table are codes for a missing value, and on which scale it is.

The rule: a listed code that lies off the scale is missing; where it could be a value, it is asked.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_VALUE_WORDS = {
    *("", "na", "nan", "n/a", "n.a.", "#n/a", "null", "none", "nil", ".", "-", "--", "?"),
    *("<undefined>", "<na>", "missing", "not given", "nat"),
}
_POSITIVE_CODES = (77, 88, 99, 777, 888, 999, 7777, 8888, 9999, 99999)
# Below 0, -1 to -9 as SPSS and survey tools write them.
CODES = frozenset({*_POSITIVE_CODES, *(-code for code in _POSITIVE_CODES), *range(-9, 0)})
# Of short scales only: 7 to 9 are values of 0 to 10.
_SHORT_CODES = frozenset({7, 8, 9})
_SCALES = ((0.0, 4.0), (1.0, 5.0), (0.0, 10.0), (0.0, 100.0))
_MIN_REPEATS = 3
_MIN_INNER_REPEATS = 5
_LONGEST_SHORT_SCALE, _MIN_SHORT_GAP = 5.0, 2.0

Scale = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MissingOption:
    """What ``--missing`` says: codes of all columns and of one, and whether no others are codes."""

    codes: frozenset[float] = frozenset()
    by_column: tuple[tuple[str, float], ...] = ()
    no_others: bool = False

    def codes_of(self, column: str) -> frozenset[float]:
        """Get the codes of a column."""
        return self.codes | {code for name, code in self.by_column if name == column}


def parse_missing(text: str | None) -> MissingOption:
    """Read ``--missing``: numbers, ``column=number``, and ``none`` for no (other) code."""
    codes: set[float] = set()
    by_column: list[tuple[str, float]] = []
    no_others = False
    for word in (text or "").split(","):
        column, _, code = word.strip().rpartition("=")
        if not code:
            continue
        if code.lower() == "none":
            no_others = True
            continue
        try:
            value = float(code.replace("\u2212", "-"))
        except ValueError:
            raise EbbtideError(
                f"--missing {text}: {code!r} is no number.",
                "Give codes with commas between, such as --missing -99,99; or --missing none.",
            ) from None
        if column:
            by_column.append((column.strip(), value))
        else:
            codes.add(value)
    return MissingOption(frozenset(codes), tuple(by_column), no_others)


def parse_scale(text: str | None) -> Scale | None:
    """Read ``--scale LOW-HIGH``. Raises EbbtideError where it is none."""
    if text is None:
        return None
    number = r"([-\u2212]?\d+(?:\.\d+)?)"
    found = re.fullmatch(rf"\s*{number}\s*(?:-|\u2013|to|:)\s*{number}\s*", text)
    low, high = (float(part.replace("\u2212", "-")) for part in found.groups()) if found else (0, 0)
    if not low < high:
        raise EbbtideError(f"--scale {text} is no scale.", "Write --scale 0-10 or --scale 0-100.")
    return low, high


def remove_link_codes(
    values: NDArray[np.float64], column: str, option: MissingOption
) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Remove the codes that ``--missing`` names. Raises EbbtideError where others stand apart."""
    left, taken = _remove(values, option.codes_of(column))
    if not option.no_others:
        apart = _apart(left)
        if apart:
            raise question(left, column, apart)
    return left, taken


def remove_scale_codes(
    values: NDArray[np.float64], column: str, option: MissingOption, scale: Scale | None
) -> tuple[NDArray[np.float64], dict[str, int], Scale | None]:
    """Remove codes that lie off the scale; give the scale too, None where it is not certain.

    Raises EbbtideError where a code could be a value, and for other ratings off a known scale.
    """
    left, taken = _remove(values, option.codes_of(column))
    listed = frozenset() if option.no_others else CODES
    others = left[np.isfinite(left) & ~np.isin(left, list(listed))]
    scales = [scale] if scale is not None else _fitting_scales(others)
    if scale is not None and scale[1] < min(_SHORT_CODES):
        listed = listed | _SHORT_CODES if not option.no_others else listed
    present = {float(v) for v in np.unique(left[np.isfinite(left)])} & listed
    off = (
        {code for code in present if all(not _on(code, one) for one in scales)} if scales else set()
    )
    left, more = _remove(left, frozenset(off))
    taken = {**taken, **more}
    if not option.no_others:
        doubtful = _apart(left) | (_outside(left) if scales else set())
        if doubtful:
            raise question(left, column, doubtful)
    if scale is not None or (len(others) and np.min(others) < 0):
        wrong = np.isfinite(left) & ~(
            (left >= (scale or (0, 0))[0]) & (left <= (scale or (0, math.inf))[1])
        )
        if wrong.any():
            at = int(np.argmax(wrong))
            name = f"the scale {scale[0]:g} to {scale[1]:g}" if scale else "every scale of pain"
            raise EbbtideError(
                f"Line {at + 2}, column {column!r}: {left[at]:g} is off {name}.",
                f"Correct it; or say --missing {left[at]:g} if it means that none was given, or "
                "--scale LOW-HIGH for the scale.",
            )
    return left, taken, scales[0] if len(scales) == 1 and _is_certain(scale, others) else None


def describe(taken: dict[str, dict[str, int]]) -> list[str]:
    """Say, by column, how many cells were taken for missing and as what."""
    lines = []
    for column, counts in taken.items():
        if counts:
            parts = ", ".join(f"{n} of {word or 'empty'!r}" for word, n in counts.items())
            lines.append(f"{column}: {sum(counts.values())} taken as missing ({parts})")
    return lines


def _remove(
    values: NDArray[np.float64], codes: frozenset[float]
) -> tuple[NDArray[np.float64], dict[str, int]]:
    taken = {f"{code:g}": int(np.sum(values == code)) for code in sorted(codes)}
    left = np.where(np.isin(values, sorted(codes)), np.nan, values)
    return left, {word: n for word, n in taken.items() if n}


def _fitting_scales(others: NDArray[np.float64]) -> list[Scale]:
    """The scales that hold every value; above 5 and up to 10 only 0 to 10 is likely."""
    if not len(others):
        return list(_SCALES)
    fitting = [one for one in _SCALES if np.all(_on(others, one))]
    return fitting[:1] if 5 < float(np.max(others)) <= 10 else fitting


def _is_certain(scale: Scale | None, others: NDArray[np.float64]) -> bool:
    return scale is not None or (len(others) > 0 and 5 < float(np.max(others)) <= 10)


def _on(value: float | NDArray[np.float64], scale: Scale) -> NDArray[np.bool_]:
    return np.asarray((value >= scale[0]) & (value <= scale[1]))


def _outside(values: NDArray[np.float64]) -> set[float]:
    """The listed codes beyond all other values."""
    found = values[np.isfinite(values)]
    is_code = np.isin(found, list(CODES))
    others = found[~is_code]
    codes = set(np.unique(found[is_code]).tolist())
    if not len(others):
        return codes
    return {code for code in codes if not np.min(others) <= code <= np.max(others)}


def _apart(values: NDArray[np.float64]) -> set[float]:
    """The listed codes that stand apart from all other values.

    Beyond them all by more than a quarter of their range and twice their widest gap, or more
    frequent than any; below 0 where nothing else is; or within them and by far the most frequent.
    """
    found = values[np.isfinite(values)]
    is_code = np.isin(found, list(CODES))
    codes, others = found[is_code], found[~is_code]
    if not len(codes):
        return _short_codes_apart(found)
    if not len(others):
        return set(np.unique(codes).tolist())
    low, high = float(np.min(others)), float(np.max(others))
    sizes = np.unique(others)
    widest = float(np.max(np.diff(sizes), initial=0.0))
    usual = max(Counter(others.tolist()).values())
    apart = _short_codes_apart(found)
    for code, n in Counter(codes.tolist()).items():
        gap = max(low - code, code - high)
        if gap <= 0:
            is_apart = n >= _MIN_INNER_REPEATS and n > 3 * usual
        else:
            is_apart = (
                gap > max((high - low) / 4, 2 * widest)
                or (code < 0 <= low)
                or (n >= _MIN_REPEATS and n > usual)
            )
        if is_apart:
            apart.add(float(code))
    return apart


def _short_codes_apart(found: NDArray[np.float64]) -> set[float]:
    """7, 8 or 9 where all other values are whole numbers up to 5, and none lies between.

    On 0 to 4 and 1 to 5 they are codes. Once or twice such a value may be a bad day of 0 to 10.
    """
    is_code = np.isin(found, list(_SHORT_CODES))
    codes, others = found[is_code], found[~is_code]
    if not len(others) or np.max(others) > _LONGEST_SHORT_SCALE or np.any(others % 1):
        return set()
    counts = Counter(codes.tolist())
    gap = min(counts, default=0.0) - float(np.max(others))
    return {code for code, n in counts.items() if n >= _MIN_REPEATS and gap >= _MIN_SHORT_GAP}


def doubtful_times(values: NDArray[np.float64]) -> set[float]:
    """The listed codes of a column of visits or days that are rarer than any time that is none."""
    found = values[np.isfinite(values)]
    counts = Counter(found[~np.isin(found, list(CODES))].tolist())
    rarest = min(counts.values(), default=0)
    return {
        code
        for code in _apart(found)
        if code in CODES and (code < 0 or int(np.sum(found == code)) < rarest)
    }


def question(values: NDArray[np.float64], column: str, codes: set[float]) -> EbbtideError:
    """Make the error that asks whether ``codes`` of a column are values."""
    first = sorted(codes)
    names = " and ".join(f"{code:g} ({int(np.sum(values == code))} times)" for code in first)
    option = ",".join(f"{code:g}" for code in first)
    return EbbtideError(
        f"Column {column!r} holds {names}: a code for a missing value, or a value?",
        f"If it is a code: --missing {option}. If it is a value: --missing none. For one column "
        f"only: --missing {column}={first[0]:g}.",
    )
