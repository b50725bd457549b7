"""Match a request against the routes of an application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Match
from starlette.types import Scope

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods(app: Starlette, scope: Scope) -> list[str]:
    """The methods that the path takes, over all routes: each route knows only its own."""
    methods = [method for method in _METHODS if matches_route(app, {**scope, "method": method})]
    return ["GET", "HEAD", *methods[1:]] if methods[:1] == ["GET"] else methods


def matches_route(app: Starlette, scope: Scope) -> bool:
    """Whether any route takes the path with the method."""
    return any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)
