"""Figures of the API as parts of a sentence, rounded alike on every page."""

from __future__ import annotations

from typing import Any

from dashboard.i18n.language import _, number, signed


def change_parts(change: dict[str, Any]) -> dict[str, str]:
    """``before`` and ``after``, and the ``change`` from ``low`` to ``high``."""
    return {
        "before": number(change["before"], 1),
        "after": number(change["after"], 1),
        **{key: signed(change[key]) for key in ("change", "low", "high")},
    }


def slope_parts(row: dict[str, Any]) -> dict[str, str]:
    """The ``estimate`` from ``low`` to ``high``, and ``p_value`` with its sign of relation."""
    p_value = row["p_value"]
    return {
        **{key: signed(row[key], 2) for key in ("estimate", "low", "high")},
        "p_value": _("under 0.001") if p_value < 0.001 else f"= {number(p_value, 3)}",
    }
