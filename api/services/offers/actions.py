"""What a person does with an offer: see it, or say not now."""

from __future__ import annotations

from dataclasses import replace

from api.services.offers.moment_rows import MomentRow, current_offer, load_moments
from api.services.offers.plans import load_active, not_now
from ebbtide.timestamps import DAY
from store import Stores
from store.models import DecisionPoint, Person


def load_current_offer(stores: Stores, person: Person) -> MomentRow | None:
    """Load the offer that the person can take now; None without one, or where offers ended."""
    if load_active(stores, person.id) is None:
        return None
    now = stores.now()
    return current_offer(load_moments(stores, person, now - DAY), now)


def act_on_offer(
    stores: Stores, person: Person, point_id: str, *, declined: bool
) -> MomentRow | None:
    """Note that an offer was seen, or that the person said not now, after which nothing is offered
    for three hours. Once each; its moment as it is then, None where there is no such offer.
    """
    now = stores.now()
    recent = load_moments(stores, person, now - DAY)
    found = next((row for row in recent if row.point.id == point_id), None)
    if found is None or not found.point.offered or found.before_ns is None:
        return None

    def act(point: DecisionPoint) -> DecisionPoint | None:
        shown = point.shown_ns if point.shown_ns is not None else now
        gone = now if declined and point.declined_ns is None else point.declined_ns
        return replace(point, shown_ns=shown, declined_ns=gone)

    if declined:  # first: a request that is cut off in between keeps offers away
        not_now(stores, person.id)
    changed = stores.offers.change_point(person.id, point_id, act)
    return None if changed is None else replace(found, point=changed)
