"""Compare the intervals that a strap sent with those that were stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bluetooth.bumble_strap import Sent


@dataclass(frozen=True, slots=True)
class Comparison:
    """``sent`` intervals on an intact connection, ``stored`` of them, and ``in_flight``: those
    sent just before a cut, of which ``in_flight_stored`` arrived. ``lost`` and ``extra`` must be 0.
    """

    sent: int
    stored: int
    in_flight: int
    in_flight_stored: int
    lost: int
    extra: int

    @property
    def exact(self) -> bool:
        """Every beat of an intact connection once, and none that was not sent."""
        return self.lost == 0 and self.extra == 0

    def __str__(self) -> str:
        return (
            f"sent on an intact connection {self.sent}, stored {self.stored}, lost {self.lost}, "
            f"doubled or invented {self.extra}; in flight at a cut {self.in_flight}, "
            f"of them stored {self.in_flight_stored}"
        )


def compare(log: Sequence[Sent], stored: Sequence[int]) -> Comparison:
    """Walk along both, in order. An interval that was in flight may be there or not."""
    at = stored_sure = stored_in_flight = lost = 0
    for index, sent in enumerate(log):
        if at < len(stored) and stored[at] == sent.ticks:
            # An interval in flight that was lost may look like the next sure one of the same
            # length only if all between were lost too; intervals count up, so that cannot be.
            at += 1
            if sent.sure:
                stored_sure += 1
            else:
                stored_in_flight += 1
        elif sent.sure:
            lost += 1
            if lost > 1000:
                raise AssertionError(
                    f"far apart from {index} on: {stored[at : at + 5]} against log"
                )
    return Comparison(
        sent=sum(sent.sure for sent in log),
        stored=stored_sure,
        in_flight=sum(not sent.sure for sent in log),
        in_flight_stored=stored_in_flight,
        lost=lost,
        extra=len(stored) - at,
    )
