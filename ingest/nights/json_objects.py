"""JSON of exports: read whole, and searched for the objects that are nights or sleeps.

What it may take is bounded before it is parsed: 20 MB of a device's values take 45 to 95 MB of
memory, and 20 MB of ``{},`` 460 MB.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from ebbtide.errors import EbbtideError
from ingest.nights.members import MAX_RATIO, Member, Members
from ingest.nights.night_file import Remarks

MAX_JSON_BYTES = 50_000_000
#: Those of devices have one in 50 bytes or more; a small one takes some 190 bytes of memory.
MAX_OBJECTS = 2_500_000
_PACKED_WELL_BYTES = 10_000_000  # from here on a packed file may not be all the same
DAMAGE = (ValueError, RecursionError)


class DamagedJsonError(EbbtideError):
    """A file that begins as JSON and is none."""


def load_json(members: Members, member: Member, remarks: Remarks, *, is_lines: bool = False) -> Any:
    """What a file of JSON holds; ``is_lines``: or a list of what each of its lines holds.

    Raises DamagedJsonError where it is damaged, and EbbtideError where it is too large.
    """
    text = _read_bounded(members, member)
    parse = partial(json.loads, object_pairs_hook=partial(_make_object, remarks=remarks))
    try:
        return parse(text)
    except DAMAGE as error:
        fault = error
    try:
        if is_lines:
            return [parse(line) for line in text.splitlines() if line.strip()]
    except DAMAGE:
        pass
    raise DamagedJsonError(
        f"{member.base} is damaged JSON ({fault}).", "Export it again."
    ) from fault


def _read_bounded(members: Members, member: Member) -> str:
    remedy = "Export a shorter time; do not open a file that somebody else made."
    if member.size > MAX_JSON_BYTES:
        raise EbbtideError(
            f"{member.base} is JSON of more than {MAX_JSON_BYTES // 1_000_000} MB.", remedy
        )
    if member.size > max(_PACKED_WELL_BYTES, MAX_RATIO * members.packed_size(member)):
        raise EbbtideError(
            f"{member.base} is more than {MAX_RATIO} times as large unpacked, as no export is.",
            remedy,
        )
    text = members.read_text(member)
    if text.count("{") + text.count("[") > MAX_OBJECTS:
        raise EbbtideError(
            f"{member.base} is JSON of more than {MAX_OBJECTS:,} objects and lists, as "
            "no export has.",
            remedy,
        )
    return text


def _make_object(pairs: list[tuple[str, Any]], remarks: Remarks) -> dict[str, Any]:
    """An object; where it has a name twice with other values, that is said."""
    made = dict(pairs)
    if len(made) < len(pairs):
        other = next((name for name, value in pairs if made[name] != value), None)
        if other is not None:
            kind = "objects have a name twice with other values; the last was kept"
            remarks.add(kind, repr(other[:40]))
    return made


def find_objects(whole: Any) -> Iterator[dict[str, Any]]:
    """All objects, in their order, wherever in the file they are."""
    waiting = [whole]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
        inside = list(item.values()) if isinstance(item, dict) else item
        waiting += [one for one in reversed(inside) if isinstance(one, dict | list)]


def first_of(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first value that is there, of names that mean the same."""
    return next((item[name] for name in names if item.get(name) is not None), None)
