"""Prometheus metrics of the API. They never hold what a request holds: a route is named by its
template, and neither query, body, address nor person is a label.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import Scope

REQUEST_SECONDS = Histogram(
    "ebbtide_request_seconds",
    "How long answers took",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
RESPONSES = Counter("ebbtide_answers", "Answers", ["method", "route", "status"])
IN_PROGRESS = Gauge("ebbtide_requests_under_way", "Requests under way", multiprocess_mode="livesum")
NOTIFICATIONS = Counter("ebbtide_notifications", "Notifications that were acknowledged")
BEATS = Counter("ebbtide_beats", "Beats in them, repeated ones too")
STORE_UNAVAILABLE = Counter("ebbtide_store_away", "Answers that a store was away", ["kind"])
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_template(scope: Scope) -> str:
    """The path template of the route; "none" for all unknown paths, whose number has no limit."""
    # With the prefix of included routers, which FastAPI keeps there.
    context = scope.get("fastapi", {}).get("effective_route_context")
    return str(getattr(context or scope.get("route"), "path", "none"))


def observe_request(scope: Scope, status: int, seconds: float) -> tuple[str, str]:
    """Count and time a request. Returns the method and the route that label it."""
    method = scope["method"] if scope["method"] in _METHODS else "other"
    route = route_template(scope)
    REQUEST_SECONDS.labels(method, route).observe(seconds)
    RESPONSES.labels(method, route, str(status)).inc()
    return method, route
