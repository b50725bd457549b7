"""Find text that a store cannot hold: the NUL character, and half of a surrogate pair.

PostgreSQL refuses both; neither is a character that a person types, and UTF-8 has no form for the
second (RFC 3629, section 3).
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Only with one of these in its bytes can a JSON document hold such text.
_SUSPECT = re.compile(rb"\x00|\\u0000|\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")

PROBLEM = "holds a NUL character or half of a surrogate pair, which are not text."


def find_unstorable(value: Any, path: str = "") -> str | None:
    """The path of the first text in a JSON value that no store can hold, or None."""
    waiting = [(value, path)]
    while waiting:
        item, at = waiting.pop()
        if isinstance(item, str):
            if _UNSTORABLE.search(item):
                return at
        elif isinstance(item, dict):
            if any(_UNSTORABLE.search(key) for key in item if isinstance(key, str)):
                return at
            waiting += [(child, f"{at}.{key}") for key, child in reversed(item.items())]
        elif isinstance(item, list):
            waiting += [(child, f"{at}.{i}") for i, child in reversed(list(enumerate(item)))]
    return None


def find_unstorable_in_body(body: bytes) -> str | None:
    """As ``find_unstorable``, for a request body. What is no JSON is left to the application."""
    if not _SUSPECT.search(body):
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return find_unstorable(document, "body")
