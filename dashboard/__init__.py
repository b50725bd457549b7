"""The dashboard: a Streamlit client of the HTTP API. It opens no store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from dashboard.launch import start_dashboard
else:  # hidden from the type checker, to which other names stay errors
    # The launcher brings an HTTP client.
    __getattr__ = lazy_members(__name__, {"dashboard.launch": ("start_dashboard",)})

__all__ = ["start_dashboard"]
