"""The HTTP API: routes, use cases and export formats. Together with the command line, the only
package that opens the stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.app import create_app, create_app_from_settings

__all__ = ["create_app", "create_app_from_settings"]


def __getattr__(name: str) -> Any:
    # Lazily: processes that import a use case alone do not load the web framework.
    if name in __all__:
        from api import app

        return getattr(app, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
