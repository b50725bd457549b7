"""Compares what a strap put on the air with what was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bluetooth.bumble_strap import Sent


@dataclass(frozen=True, slots=True)
class Reckoning:
    """``sent`` intervals on an intact link, ``kept`` of them, and ``in_flight``: those that left
    less than a moment before a cut, of which ``in_flight_kept`` arrived. ``lost`` and ``extra``
    must be 0.
    """

    sent: int
    kept: int
    in_flight: int
    in_flight_kept: int
    lost: int
    extra: int

    @property
    def exact(self) -> bool:
        """Every beat of an intact link once, and none that was not sent."""
        return self.lost == 0 and self.extra == 0

    def __str__(self) -> str:
        return (
            f"sent on an intact link {self.sent}, kept {self.kept}, lost {self.lost}, "
            f"doubled or invented {self.extra}; in flight at a cut {self.in_flight}, "
            f"of them kept {self.in_flight_kept}"
        )


def reckon(log: Sequence[Sent], kept: Sequence[int]) -> Reckoning:
    """Walk along both, in order. An interval that was in flight may be there or not."""
    at = kept_sure = kept_in_flight = lost = 0
    for index, sent in enumerate(log):
        if at < len(kept) and kept[at] == sent.ticks:
            # An interval in flight that was lost may look like the next sure one of the same
            # length only if all between were lost too; intervals count up, so that cannot be.
            at += 1
            if sent.sure:
                kept_sure += 1
            else:
                kept_in_flight += 1
        elif sent.sure:
            lost += 1
            if lost > 1000:
                raise AssertionError(f"far apart from {index} on: {kept[at : at + 5]} against log")
    return Reckoning(
        sent=sum(sent.sure for sent in log),
        kept=kept_sure,
        in_flight=sum(not sent.sure for sent in log),
        in_flight_kept=kept_in_flight,
        lost=lost,
        extra=len(kept) - at,
    )
