"""Cursors: where the next page of a list begins, in a form that callers pass back unread."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Query

from api.http.problems import ProblemError

Cursor = Annotated[str | None, Query(max_length=300, description="From the link `next`")]
PageLimit = Annotated[int, Query(ge=1, le=10_000, description="Rows of a page")]
_First = TypeVar("_First")
_Second = TypeVar("_Second")


def encode_cursor(first: str | int, second: str | int) -> str:
    """Encode the two words that name a place in a list. Neither may hold a space."""
    return base64.urlsafe_b64encode(f"{first} {second}".encode()).decode()


def decode_cursor(
    cursor: str, parse_first: Callable[[str], _First], parse_second: Callable[[str], _Second]
) -> tuple[_First, _Second]:
    """Decode a cursor. Raises ProblemError for one that this API did not give."""
    try:
        first, second = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return parse_first(first), parse_second(second)
    except (ValueError, binascii.Error) as error:
        raise ProblemError(422, "is not one that this API gave.", field="query.cursor") from error


def decode_offset_cursor(cursor: str | None) -> tuple[str, int]:
    """Decode the cursor of a table: the key of a part, and an offset in it."""
    return ("", 0) if cursor is None else decode_cursor(cursor, str, _offset)


def _offset(text: str) -> int:
    offset = int(text)
    if offset < 0:
        raise ValueError("negative offset")
    return offset
