"""Tags of representations in conditions (RFC 9110, 8.8 and 13.1)."""

from __future__ import annotations

from collections.abc import Callable

ANY = "*"  # of a condition: whatever the tag is, as long as there is something


def parse_tags(header: str, *, strong: bool = False) -> list[str]:
    """Parse the tags of a list, without quotes; ``strong``: only those that are."""
    words = [word.strip() for word in header.split(",")]
    if strong:
        words = [word for word in words if not word.startswith("W/")]
    return [word.removeprefix("W/").strip('"') for word in words if word]


def find_tag(if_none_match: str, is_current: Callable[[str], bool]) -> str | None:
    """Find the first tag of an ``If-None-Match`` that is of what would be sent, by weak comparison
    (8.8.3.2); ANY is of whatever is sent (13.1.2).
    """
    return next((tag for tag in parse_tags(if_none_match) if tag == ANY or is_current(tag)), None)


def matches_etag(if_none_match: str, etag: str) -> bool:
    """Whether an ``If-None-Match`` lists this tag."""
    (current,) = parse_tags(etag)
    return find_tag(if_none_match, lambda tag: tag == current) is not None
