"""Content negotiation by ``Accept`` (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence


def negotiate(accept: str, offers: Sequence[str]) -> str | None:
    """Choose the media type with the highest weight, the first of several; None for none.

    Of ranges that match an offer the most specific counts: `text/csv;q=0, */*` is all but CSV.
    """
    ranges = _parse(accept)
    if not ranges:
        return offers[0]
    best, best_weight = None, 0.0
    for offer in offers:
        matching = [item for item in ranges if _matches(item[0], offer)]
        if not matching:
            continue
        weight = max(matching, key=lambda item: _specificity(item[0]))[1]
        if weight > best_weight:
            best, best_weight = offer, weight
    return best


def _parse(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for word in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in word.split(";"))
        if not kind:
            continue
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = min(1.0, max(0.0, float(value)))
                except ValueError:
                    weight = 0.0
        ranges.append((kind, weight if weight == weight else 0.0))
    return ranges


def _matches(media_range: str, offer: str) -> bool:
    if media_range == "*/*":
        return True
    kind, _, subtype = media_range.partition("/")
    return media_range == offer or (subtype == "*" and offer.startswith(f"{kind}/"))


def _specificity(media_range: str) -> int:
    return 0 if media_range == "*/*" else 1 if media_range.endswith("/*") else 2
