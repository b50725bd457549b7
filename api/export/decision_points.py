"""Decision points of practice by lot as a table: a row each, in the shape of such trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from api.services.export_scope import ExportQuery
from api.services.offers.moment_rows import MomentRow, load_moments
from store import Stores
from store.models import Person


def load_decision_points(stores: Stores, person: Person, query: ExportQuery) -> list[MomentRow]:
    """Load those of a range whose draw is no secret any more, in the order of a cursor. An
    increment has all of them: what is rated later changes earlier rows.
    """
    return [
        row
        for row in load_moments(stores, person)
        if query.start_ns <= row.point.planned_ns < query.end_ns and not row.is_open
    ]


def decision_point_columns(rows: Sequence[MomentRow], local_hours: list[float]) -> dict[str, Any]:
    """Make the columns of decision points. What comes after a draw is null where none was made."""
    points = [row.point for row in rows]

    def after_draw(of: Callable[[MomentRow], object]) -> list[object]:
        return [None if row.point.drawn_ns is None else of(row) for row in rows]

    return {
        "decision_point": [point.id for point in points],
        "planned_ns": [point.planned_ns for point in points],
        "local_hour": local_hours,
        **{
            name: [getattr(point, name) for point in points]
            for name in (
                *("plan_number", "block", "base_probability", "available", "why_not"),
                *("probability", "offered", "arm", "delay_min", "commitment", "nonce"),
                "simulated",
            )
        },
        "arms": [len(point.arms.split(",")) for point in points],
        "answered": after_draw(lambda row: row.before_ns is not None),
        "shown": after_draw(lambda row: row.point.shown_ns is not None),
        "declined": after_draw(lambda row: row.point.declined_ns is not None),
        "taken": after_draw(lambda row: row.taken is not None),
        "practised": after_draw(lambda row: bool(row.practices)),
        "stress_before": [row.stress[0] for row in rows],
        "pain_before": [row.pain[0] for row in rows],
        "stress_after": [row.stress[1] for row in rows],
        "pain_after": [row.pain[1] for row in rows],
    }
