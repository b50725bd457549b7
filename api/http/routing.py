"""Which methods a path takes."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Match
from starlette.types import Scope

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods(app: Starlette, scope: Scope) -> list[str]:
    """Of all routes with this path: each knows only its own."""
    return [method for method in _METHODS if matches_route(app, {**scope, "method": method})]


def matches_route(app: Starlette, scope: Scope) -> bool:
    """Whether the path takes the method."""
    return any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)
