"""Decision points joined with what was rated, practised and measured around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ebbtide.timestamps import FOREVER, MINUTE
from store import Stores
from store.models import DecisionPoint, Person, Practice, Prompt, PromptState, Rating

# Practices take three to seven minutes: one is over before the rating after.
_LAST_OFFER_MIN = 10


@dataclass(frozen=True, slots=True)
class MomentRow:
    """One decision point and what was around it.

    ``before``, ``after``: the ratings that its two prompts were answered with. ``practices``: those
    begun between the rating before and the delay after it, offered or not. ``is_open``: whether its
    prompt can still be answered; what was drawn is nobody's to see until then.
    """

    point: DecisionPoint
    before: Rating | None
    after: Rating | None
    practices: tuple[Practice, ...]
    is_open: bool

    @property
    def before_ns(self) -> int | None:
        """When it was rated before, which is when the draw was revealed."""
        if self.point.before_ns is not None:
            return self.point.before_ns
        return None if self.before is None else self.before.about_ns

    @property
    def measured_ns(self) -> int | None:
        """When the delay is over."""
        start = self.before_ns
        return None if start is None else start + self.point.delay_min * MINUTE

    @property
    def stress(self) -> tuple[int | None, int | None]:
        """Stress before and after, 0 to 10."""
        return _stress(self.before), _stress(self.after)

    @property
    def pain(self) -> tuple[int | None, int | None]:
        """Pain before and after, 0 to 10."""
        return _pain(self.before), _pain(self.after)

    @property
    def taken(self) -> str | None:
        """Id of the practice that was offered and done; None otherwise."""
        if not self.point.offered:
            return None
        kinds = {item.id: str(item.kind) for item in self.practices}
        return next((own for own, kind in kinds.items() if kind == self.point.arm), None)

    @property
    def free(self) -> tuple[str, ...]:
        """Ids of the practices done without being offered."""
        return tuple(item.id for item in self.practices if item.id != self.taken)


def load_moments(stores: Stores, person: Person, since_ns: int = 0) -> list[MomentRow]:
    """Load a person's moments that have come, planned from ``since_ns`` on, oldest first."""
    return load_around(stores, person, stores.offers.points(person.id, since_ns, stores.now() + 1))


def load_around(stores: Stores, person: Person, points: Sequence[DecisionPoint]) -> list[MomentRow]:
    """Load what was around those of a person's ``points`` that have come. By time, as they are."""
    now = stores.now()
    points = [point for point in points if point.available is not None and point.planned_ns <= now]
    if not points:
        return []
    start_ns = points[0].planned_ns - 1
    prompts = {item.id: item for item in stores.prompts.prompts(person.id, start_ns, 2**62)}
    ratings = {
        rating.prompt_id: rating
        for rating in stores.records.ratings(person.id, start_ns, FOREVER[1])
        if rating.prompt_id is not None and not rating.withdrawn
    }
    practices = [
        item for item in stores.programme.practices(person.id) if item.start_ns >= start_ns
    ]
    return [join_moment(point, prompts, ratings, practices, now) for point in points]


def join_moment(
    point: DecisionPoint,
    prompts: Mapping[str, Prompt],
    ratings: Mapping[str, Rating],
    practices: Sequence[Practice],
    now_ns: int,
) -> MomentRow:
    """Join one point. ``prompts`` by id, ``ratings`` by the id of the prompt that they answer."""
    prompt = prompts.get(point.prompt_id)
    before = ratings.get(point.prompt_id)
    start = point.before_ns
    if start is None and before is not None:
        start = before.about_ns
    done: list[Practice] = []
    if start is not None:
        end = start + point.delay_min * MINUTE
        done = [item for item in practices if start <= item.start_ns < end]
    after = None if point.after_prompt_id is None else ratings.get(point.after_prompt_id)
    # Also before it is sent: the draw is there already.
    is_open = (
        prompt is not None
        and start is None
        and prompt.let_go_ns is None
        and prompt.state is not PromptState.SKIPPED
        and now_ns < prompt.expires_ns
    )
    return MomentRow(point, before, after, tuple(done), is_open)


def current_offer(rows: Sequence[MomentRow], now_ns: int) -> MomentRow | None:
    """Find the offer that the person can take now; None without one.

    It is there from the rating before until the delay is over, unless it was taken or the person
    said not now.
    """
    for row in reversed(rows):
        start, end = row.before_ns, row.measured_ns
        if start is None or end is None or not row.point.offered:
            continue
        is_now = start <= now_ns < end - _LAST_OFFER_MIN * MINUTE
        if is_now and row.point.declined_ns is None and row.taken is None:
            return row
    return None


def _stress(rating: Rating | None) -> int | None:
    return None if rating is None else rating.stress


def _pain(rating: Rating | None) -> int | None:
    return None if rating is None else rating.pain
