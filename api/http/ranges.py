"""The ``Range`` header: one range of bytes (RFC 9110, 14.1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD = "ebbtide.head"  # key of a request's scope: it was HEAD, which routes see as GET
_BYTES = re.compile(r"bytes\s*=\s*(\d{0,18})-(\d{0,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from ``first`` to ``last``, both in; without ``first``, the ``last`` bytes of all."""

    first: int | None
    last: int | None

    @property
    def begins_file(self) -> bool:
        """Whether a client may ask for it without having anything: a beginning or an end."""
        return self.first is None or self.first == 0

    def within(self, size: int) -> tuple[int, int] | None:
        """The first and the last byte of it in a file of this size; None for none."""
        if self.first is None:
            count = min(self.last or 0, size)
            return (size - count, size - 1) if count else None
        if self.first >= size:
            return None
        return self.first, size - 1 if self.last is None else min(self.last, size - 1)


def parse_range(header: str) -> ByteRange | None:
    """Parse a single range; None for several, other units or what is no range, which a server may
    ignore.
    """
    found = _BYTES.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    first = int(found[1]) if found[1] else None
    last = int(found[2]) if found[2] else None
    if first is not None and last is not None and last < first:
        return None
    return ByteRange(first, last)
