"""HRV windows before a person's ratings, kept in the store beside the report that is made of them:
of a year of ratings, one more day is one more day of work.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import Span
from analytics.hrv import MissingReason
from analytics.hrv.engine import WindowMetrics
from analytics.hrv.heart_rate import METHOD as RATES_METHOD
from analytics.hrv.heart_rate import WindowRates
from analytics.hrv.reported import METHOD as REPORTED_METHOD
from analytics.hrv.windows import (
    METHOD,
    WINDOW_NS,
    HrvWindows,
    concat_windows,
    slice_windows,
)
from api.services.rating_windows import WindowGroup, read_group
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY
from store import Stores
from store.models import Person, StoredReport

GroupKey = tuple[int, int, int]
"""The first start of a group of windows, the last, and how many."""

_MAX_GROUPS = 5000  # some MB
_METHOD = hashlib.sha256(
    repr((METHOD, RATES_METHOD, REPORTED_METHOD, WINDOW_NS, "layout 1")).encode()
).hexdigest()
_COLUMNS = tuple(
    field.name for field in fields(WindowMetrics) if field.name not in ("length_s", "values")
)
_RATES = tuple(field.name for field in fields(WindowRates))


@dataclass(frozen=True, slots=True, eq=False)
class KeptGroup:
    """The windows of a group, and what they were made from. ``days``: the fingerprints of the UTC
    days that it touches; ``beats``: the fingerprint of exactly its beats.
    """

    days: tuple[str | None, ...]
    beats: str
    origins: frozenset[Origin]
    windows: HrvWindows


@dataclass(frozen=True, slots=True, eq=False)
class NewGroup:
    """A group whose windows are to be computed, and what will be noted of them."""

    key: GroupKey
    days: tuple[str | None, ...]
    beats: str
    group: WindowGroup

    def with_windows(self, windows: HrvWindows) -> KeptGroup:
        """What is kept once they are computed."""
        return KeptGroup(self.days, self.beats, self.group.origins, windows)


def find_group(
    stores: Stores,
    person: Person,
    starts: NDArray[np.int64],
    kept: Mapping[GroupKey, KeptGroup],
    days: Mapping[int, str],
) -> KeptGroup | NewGroup:
    """Find the group of these windows among those that were kept; what its beats are is read only
    where a day that it touches has changed. ``days``: the fingerprints of all UTC days with any.
    """
    key = group_key(starts)
    first, last = key[0] // DAY, (key[1] + WINDOW_NS - 1) // DAY
    touched = tuple(days.get(day) for day in range(first, last + 1))
    before = kept.get(key)
    if before is not None and before.days == touched:
        return before
    group = read_group(stores, person, starts)
    beats = _fingerprint(group)
    if before is not None and before.beats == beats:
        return replace(before, days=touched, origins=group.origins)
    return NewGroup(key, touched, beats, group)


def group_key(starts: NDArray[np.int64]) -> GroupKey:
    """Name the group of these windows."""
    return int(starts[0]), int(starts[-1]), len(starts)


def _fingerprint(group: WindowGroup) -> str:
    """Name exactly the beats, movement and reported rates of a group."""
    beats, movement, rates = group.beats, group.movement, group.rates
    digest = hashlib.sha256(repr((group.starts.tolist(), sorted(group.origins))).encode())
    for column in (
        *(beats.time_ns, beats.rr_ms, beats.follows, beats.contact, beats.stream),
        *(movement.time_ns, movement.mad_mg),
        *(rates.time_ns, rates.bpm, rates.source),
    ):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def keep_windows(
    stores: Stores, person: Person, span: Span, groups: Mapping[GroupKey, KeptGroup]
) -> None:
    """Keep these, in place of those that were kept."""
    if 0 < len(groups) <= _MAX_GROUPS:
        stores.records.put_report(StoredReport(person.id, _kind(span), _METHOD, encode(groups)))


def load_kept_windows(stores: Stores, person: Person, span: Span) -> dict[GroupKey, KeptGroup]:
    """Load what was kept; nothing where it is of another version, or cannot be read."""
    stored = stores.records.report(person.id, _kind(span))
    if stored is None or stored.fingerprint != _METHOD:
        return {}
    try:
        return decode(stored.body)
    except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile, zlib.error):
        return {}


def _kind(span: Span) -> str:
    return f"windows before, {span}"


def encode(groups: Mapping[GroupKey, KeptGroup]) -> str:
    """Pack groups as text: NumPy's compressed arrays, and JSON for what is no number."""
    pieces = [group.windows for group in groups.values()]
    windows = concat_windows(pieces, np.arange(sum(map(len, pieces))), WINDOW_NS)
    details: dict[str | None, int] = {}
    for detail in windows.missing_detail:
        details.setdefault(detail, len(details))
    words = {
        "groups": [
            [*key, group.days, group.beats, sorted(group.origins)] for key, group in groups.items()
        ],
        "window_ns": windows.window_ns,
        "length_s": windows.metrics.length_s,
        "names": list(windows.metrics.values),
        "reasons": windows.missing_reason,
        "details": list(details),
    }
    arrays: dict[str, NDArray[Any]] = {
        "words": np.frombuffer(json.dumps(words).encode(), np.uint8),
        "start_ns": windows.start_ns,
        "detail": np.array([details[detail] for detail in windows.missing_detail], np.int32),
        **{f"metric {name}": getattr(windows.metrics, name) for name in _COLUMNS},
        **{f"value {name}": column for name, column in windows.metrics.values.items()},
        **{f"rate {name}": getattr(windows.rates, name) for name in _RATES},
    }
    if windows.reported is not None:
        arrays["reported"] = windows.reported
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return base64.b64encode(packed.getvalue()).decode()


def decode(body: str) -> dict[GroupKey, KeptGroup]:
    """Unpack what ``encode`` packed. Raises one of several errors for anything else."""
    with np.load(io.BytesIO(base64.b64decode(body, validate=True)), allow_pickle=False) as packed:
        arrays = dict(packed)
    words = json.loads(arrays["words"].tobytes())
    reasons = [None if word is None else MissingReason(word) for word in words["reasons"]]
    windows = HrvWindows(
        arrays["start_ns"],
        words["window_ns"],
        WindowMetrics(
            length_s=words["length_s"],
            values={name: arrays[f"value {name}"] for name in words["names"]},
            **{name: arrays[f"metric {name}"] for name in _COLUMNS},
        ),
        reasons,
        [words["details"][place] for place in arrays["detail"].tolist()],
        WindowRates(**{name: arrays[f"rate {name}"] for name in _RATES}),
        arrays.get("reported"),
    )
    found: dict[GroupKey, KeptGroup] = {}
    at = 0
    for first, last, count, days, beats, origins in words["groups"]:
        found[first, last, count] = KeptGroup(
            tuple(days),
            beats,
            frozenset(map(Origin, origins)),
            slice_windows(windows, at, at + count),
        )
        at += count
    if at != len(windows):
        raise ValueError(f"{len(windows)} windows, and not {at}")
    return found
