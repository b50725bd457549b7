"""The HTTP API: routes, use cases and export formats.

Together with the command line, the only package that opens the stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from api.app import create_app, create_app_from_settings
else:  # hidden from the type checker, to which other names stay errors
    # Processes that import a use case alone do not load the web framework.
    __getattr__ = lazy_members(__name__, {"api.app": ("create_app", "create_app_from_settings")})

__all__ = ["create_app", "create_app_from_settings"]
