"""Shared types, settings and the Python client: the lowest layer, which imports no other package.

``__main__`` is the one exception: ``python -m ebbtide`` starts the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ebbtide.client import ApiError, Client, SignedOutError, UnavailableError

__all__ = ["ApiError", "Client", "SignedOutError", "UnavailableError", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the client at its first use: ``ebbtide --help`` shall not load HTTPX."""
    if name in __all__:
        from ebbtide import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
