"""A number with its sign, as people write it."""

from __future__ import annotations


def signed(value: float, digits: int = 1) -> str:
    """With a real minus, and no sign at 0."""
    rounded = round(value, digits)
    if rounded == 0:
        return f"{0:.{digits}f}"
    return f"{rounded:+.{digits}f}".replace("-", "\u2212")
