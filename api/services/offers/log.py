"""The log of draws: the hash that was stored before, and the draw, once it is no secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.practice import Draw, DrawError, verify_draws
from api.services.offers.moment_rows import MomentRow, load_around
from store import Stores
from store.models import DecisionPoint, Person


@dataclass(frozen=True, slots=True)
class OfferLog:
    """``coming``: commitments of moments that have not come, in no order that tells their times.
    ``rows``: those that have. ``problem``: what is wrong with the draws; None where each, done
    again from its nonce, is what was stored.
    """

    coming: tuple[str, ...]
    rows: tuple[MomentRow, ...]
    problem: str | None


def load_log(stores: Stores, person: Person) -> OfferLog:
    """Load the log, and do every draw again."""
    points = stores.offers.points(person.id, 0, 2**62)
    rows = load_around(stores, person, points)
    coming = sorted(point.commitment for point in points if point.available is None)
    return OfferLog(tuple(coming), tuple(rows), find_problem([row.point for row in rows]))


def find_problem(points: Sequence[DecisionPoint]) -> str | None:
    """Do every draw again, in the order in which they were made; None where nothing is wrong."""
    drawn = sorted(
        (point for point in points if point.drawn_ns is not None),
        key=lambda point: point.drawn_ns or 0,
    )
    late = [point for point in drawn if point.committed_ns >= (point.drawn_ns or 0)]
    if late:
        return f"decision point {late[0].id}: its hash was not stored before its draw"
    try:
        verify_draws([to_draw(point) for point in drawn])
    except DrawError as error:
        return str(error)
    return None


def to_draw(point: DecisionPoint) -> Draw:
    """Make the draw of a stored point. Raises DrawError where a part of it is missing."""
    if point.nonce is None or point.probability is None or point.offered is None:
        raise DrawError(f"decision point {point.id}: its draw is incomplete")
    return Draw(
        decision_point=point.id,
        block=point.block,
        base_probability=point.base_probability,
        arms=tuple(point.arms.split(",")),
        commitment=point.commitment,
        nonce=point.nonce,
        probability=point.probability,
        offered=point.offered,
        arm=point.arm,
    )
