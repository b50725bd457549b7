"""The routes that the app on a phone uses: its token can reach nothing else.

A list of what is allowed: a route that is added is closed to phones until it is named here.
"""

from __future__ import annotations

import re

from starlette.types import Scope

from api.http.metrics import route_template

PHONE_ROUTES = frozenset(
    {
        ("GET", "/v1/me"),
        ("POST", "/v1/sign-out"),
        ("GET", "/v1/devices/current"),
        ("DELETE", "/v1/devices/current"),
        # Upload, as of ebbtide/upload_schema.py.
        ("GET", "/v1/generation"),
        ("GET", "/v1/streams"),
        ("GET", "/v1/streams/{stream_id}"),
        ("PUT", "/v1/streams/{stream_id}"),
        ("POST", "/v1/streams/{stream_id}/notifications"),
        ("POST", "/v1/streams/{stream_id}/activity"),
        ("GET", "/v1/ratings"),
        ("POST", "/v1/ratings"),
        ("GET", "/v1/ratings/{rating_id}"),
        ("PUT", "/v1/ratings/{rating_id}"),
        ("DELETE", "/v1/ratings/{rating_id}"),
        ("GET", "/v1/practices"),
        ("PUT", "/v1/practices/{practice_id}"),
        ("GET", "/v1/programme"),
        ("GET", "/v1/first-days"),
        ("GET", "/v1/link"),
        ("GET", "/v1/hrv/trend"),
        ("GET", "/v1/stress/baseline"),
        ("GET", "/v1/live"),
        ("GET", "/v1/live/now"),
        ("GET", "/v1/messages"),
        ("PUT", "/v1/messages/{message_id}/seen"),
        ("GET", "/v1/consents"),
        ("GET", "/v1/questionnaires"),
        ("GET", "/v1/questionnaires/due"),
        ("POST", "/v1/questionnaires/responses"),
        ("GET", "/v1/reminders"),
        ("PUT", "/v1/reminders"),
        ("PUT", "/v1/reminders/zone"),
        ("POST", "/v1/reminders/pause"),
        ("GET", "/v1/prompts/waiting"),
        ("PUT", "/v1/prompts/{prompt_id}"),
        ("GET", "/v1/offers"),
        ("POST", "/v1/offers"),
        ("DELETE", "/v1/offers"),
        ("GET", "/v1/offers/now"),
        ("PUT", "/v1/offers/points/{point_id}"),
        ("PUT", "/v1/push/subscription"),
        ("DELETE", "/v1/push/subscriptions/{subscription_id}"),
        # By the secret that came with a prompt, without a token.
        ("POST", "/v1/prompt-receipts"),
        ("POST", "/v1/prompt-answers"),
    }
)
# What a phone asks before it has a token.
SIGN_IN_PATH = "/v1/devices/sign-in"
_PATHS = re.compile(
    "|".join(
        re.sub(r"\{\w+\}", "[^/]+", path) for path in sorted({path for _, path in PHONE_ROUTES})
    )
)


def is_phone_route(scope: Scope) -> bool:
    """Whether the route of a request is one that the app on a phone uses."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    template = re.sub(r":\w+}", "}", route_template(scope))  # {practice_id:uuid}
    return (method, template) in PHONE_ROUTES


def is_phone_path(path: str) -> bool:
    """Whether a path is one that the app on a phone asks, with or without a token."""
    return path == SIGN_IN_PATH or _PATHS.fullmatch(path) is not None
