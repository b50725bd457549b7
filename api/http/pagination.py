"""Cursors: where the next page of a list begins, in a form that callers pass back unread.

A cursor names the last row of a page by what the list is ordered by (a keyset), never by its
number: rows that are added, corrected or withdrawn between two pages then move no other row.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Query

from api.http.problems import ProblemError

Cursor = Annotated[str | None, Query(max_length=500, description="From the link `next`")]
PageLimit = Annotated[int, Query(ge=1, le=10_000, description="Rows of a page")]
_First = TypeVar("_First")
_Second = TypeVar("_Second")
_INT64 = 2**63


@dataclass(frozen=True, slots=True, order=True)
class Keyset:
    """The place of a row in a list: ordered by ``group`` (a person, a kind of row), then
    ``position`` (mostly a time), then ``tie`` (an id). ``until``: the moment at which the first
    page was read, as the caller is given it. ``question``: a hash of what the list is of.
    """

    group: str
    position: int
    tie: str
    until: str = ""
    question: str = ""

    def require_question(self, question: str) -> None:
        """Raise ProblemError where the cursor is of another list, of which it would skip rows."""
        if self.question != question:
            raise ProblemError(
                422,
                "is of another list: a cursor goes on with the query that gave it, which only "
                "`limit` may differ from.",
                field="query.cursor",
            )


def hash_question(*words: object) -> str:
    """Hash what a list is of, for its cursors."""
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16]


def encode_keyset(place: Keyset) -> str:
    """Encode a place as an opaque cursor."""
    words = [place.group, place.position, place.tie, place.until, place.question]
    text = json.dumps(words, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_keyset(cursor: str | None) -> Keyset | None:
    """Decode a cursor; None for the first page. Raises ProblemError for one that this API did not
    give.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        words = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        group, position, tie, until, question = words
        if not all(isinstance(word, str) for word in (group, tie, until, question)):
            raise ValueError("a word of the cursor is no text")
        if type(position) is not int or not -_INT64 <= position < _INT64:
            raise ValueError("the position is no 64-bit integer")
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise _foreign_cursor() from error
    return Keyset(group, position, tie, until, question)


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
        raise _foreign_cursor() from error


def _foreign_cursor() -> ProblemError:
    return ProblemError(422, "is not one that this API gave.", field="query.cursor")
