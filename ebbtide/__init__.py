"""Shared types, settings and the Python client: the lowest layer, which imports no other package.

``__main__`` is the one exception: ``python -m ebbtide`` starts the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from ebbtide.client import ApiError, Client, SignedOutError, UnavailableError
else:  # hidden from the type checker, to which other names stay errors
    # ``ebbtide --help`` shall not load HTTPX.
    __getattr__ = lazy_members(
        __name__, {"ebbtide.client": ("ApiError", "Client", "SignedOutError", "UnavailableError")}
    )

__version__ = "0.1.0"

__all__ = ["ApiError", "Client", "SignedOutError", "UnavailableError", "__version__"]
