"""What the lengths of past connections give away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ebbtide.timestamps import SECOND
from ingest.outbox.outbox import ConnectionRecord

_RECENT = 30  # of the newest connections of a strap
_MIN_DROPS = 2
_EARLY_S = 10 * SECOND


def rejected_parameters(spells: Sequence[ConnectionRecord]) -> dict[str, int]:
    """Straps whose connections ended after 30 or 150 s again and again, and how often.

    Polar straps ask, some seconds after connecting, for a longer interval between radio events
    (312 to 500 ms, seen in bluepy issue 53). A Linux kernel whose limit is lower says no, and the
    strap leaves at its next try, always after the same time (OpenHRV issue 39: 150 s).
    """
    found: dict[str, int] = {}
    for source, lengths in _lengths(spells).items():
        for seconds, tolerance in ((30, 2), (150, 3)):
            hits = sum(abs(length - seconds * SECOND) <= tolerance * SECOND for length in lengths)
            if hits >= _MIN_DROPS:
                found[source] = max(hits, found.get(source, 0))
    return found


def dropped_early(spells: Sequence[ConnectionRecord]) -> dict[str, int]:
    """Straps that left within 10 s of connecting, again and again, and how often of late."""
    return {
        source: hits
        for source, lengths in _lengths(spells).items()
        if (hits := sum(length < _EARLY_S for length in lengths[-10:])) >= 3
    }


def _lengths(spells: Sequence[ConnectionRecord]) -> dict[str, list[int]]:
    """Lengths of connections that the other side ended, newest last."""
    lengths: dict[str, list[int]] = defaultdict(list)
    for spell in spells:
        if spell.why != "recording ended":
            lengths[spell.source].append(spell.ended_ns - spell.connected_ns)
    return {source: found[-_RECENT:] for source, found in lengths.items()}
