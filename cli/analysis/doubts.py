"""Find what looks like a slip in a table: a value far off, names that differ in case only."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from cli.analysis.missing_codes import CODES
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_MIN_VALUES = 8
_MAX_NAMED = 3
_FAR = 3.0  # times the range of all other values, from the nearest of them


def doubt_values(values: NDArray[np.float64], column: str) -> list[str]:
    """Say which one or two values stand so far from all others that they may be slips."""
    found = np.sort(values[np.isfinite(values)])
    if len(found) < _MIN_VALUES:
        return []
    for low, high in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 1)):
        inner = found[low : len(found) - high]
        step = float(np.min(np.diff(np.unique(inner)), initial=1))
        width = max(float(inner[-1] - inner[0]), step)
        away = [v for v in found[:low] if inner[0] - v > _FAR * width]
        away += [v for v in found[len(found) - high :] if v - inner[-1] > _FAR * width]
        if len(away) == low + high:
            named = " and ".join(f"{value:g}" for value in away)
            return [
                f"{column}: {named} far from all other values ({inner[0]:g} to {inner[-1]:g}): if "
                f"that is a slip, correct it, or leave it out with --missing {away[0]:g}."
            ]
    return []


def doubt_names(names: Iterable[str], column: str) -> list[str]:
    """Say which names differ in case or spaces only."""
    alike: dict[str, set[str]] = defaultdict(set)
    for name in names:
        alike[re.sub(r"[\s_-]+", "", name).casefold()].add(name)
    doubtful = [sorted(group) for group in alike.values() if len(group) > 1]
    if not doubtful:
        return []
    shown = "; ".join(" and ".join(map(repr, group)) for group in doubtful[:_MAX_NAMED])
    more = f" (and {len(doubtful) - _MAX_NAMED} more)" if len(doubtful) > _MAX_NAMED else ""
    return [
        f"{column}: {shown}{more} differ in case or spaces only, and are taken as different: make "
        "them the same if they are one."
    ]


def refuse_coded_groups(names: Iterable[str], column: str) -> None:
    """Raise EbbtideError where a group among named ones is called by a code for a missing value."""
    codes: set[str] = set()
    others: set[str] = set()
    for name in names:
        try:
            is_code = float(name) in CODES
        except ValueError:
            is_code = False
        (codes if is_code else others).add(name)
    if codes and others:
        raise EbbtideError(
            f"Column {column!r} holds {' and '.join(sorted(codes))} beside "
            f"{', '.join(sorted(others)[:5])}: a code for a missing value, or a group?",
            "Leave these cells empty where no group is meant, or rename the group.",
        )
