"""Nights of watches and rings as a table: a row a night and source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from api.services.export_scope import ExportQuery
from ebbtide._lazy import lazy_module
from ebbtide.nights import Night
from store import Stores
from store.models import Person, StoredNight

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")


def load_nights(stores: Stores, person: Person, query: ExportQuery) -> list[StoredNight]:
    """Load those that end in a range, in the order of a cursor: time, then id."""
    since = query.since_ns or 0
    found = [
        item
        for item in stores.nights.nights(person.id, values=False)
        if query.start_ns <= item.night.end_ns < query.end_ns and item.stored_ns >= since
    ]
    return sorted(found, key=lambda item: (item.night.end_ns, night_id(item.night)))


def night_id(night: Night) -> str:
    """Name a row: a source has a day once."""
    return f"{night.source} {night.day}"


def night_columns(
    nights: Sequence[Night], ids: Sequence[str], *, simulated: bool
) -> dict[str, Any]:
    """Make the columns of nights."""
    return {
        "night": list(ids),
        "start_ns": [night.start_ns for night in nights],
        "end_ns": [night.end_ns for night in nights],
        **{
            name: [getattr(night, name) for night in nights]
            for name in (
                *("day", "offset_s", "rmssd_ms", "sdnn_ms", "mean_hr_bpm", "low_quarter_hr_bpm"),
                *("windows", "steps"),
            )
        },
        "source": _words([night.source for night in nights]),
        "basis": _words([str(night.basis) for night in nights]),
        "missing": [night.missing_reason for night in nights],
        "simulated": [simulated] * len(nights),
    }


def _words(words: list[str]) -> pa.Array:
    return pa.array(words, pa.string()).dictionary_encode()
