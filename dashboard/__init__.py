"""The dashboard: a Streamlit client of the HTTP API. It opens no store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dashboard.launch import start_dashboard

__all__ = ["start_dashboard"]


def __getattr__(name: str) -> Any:
    """Import the launcher, with its HTTP client, when it is first used (PEP 562)."""
    if name == "start_dashboard":
        from dashboard.launch import start_dashboard

        return start_dashboard
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
