"""JSON of exports: read whole, and searched for the objects that are nights or sleeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ebbtide.errors import EbbtideError
from ingest.nights.members import Member, Members


def load_json(members: Members, member: Member) -> Any:
    """What a file of JSON holds. Raises EbbtideError where it is damaged."""
    try:
        return json.loads(members.read_text(member))
    except (ValueError, RecursionError) as error:
        raise EbbtideError(
            f"{member.base} is damaged JSON ({error}).", "Export it again."
        ) from error


def find_objects(whole: Any) -> Iterator[dict[str, Any]]:
    """All objects, in their order, wherever in the file they are."""
    waiting = [whole]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
        inside = list(item.values()) if isinstance(item, dict) else item
        waiting += [one for one in reversed(inside) if isinstance(one, dict | list)]
