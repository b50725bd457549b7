"""The link in a sentence. Never "because of": a correlation does not know causes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analytics.link import Link


class Verdict(StrEnum):
    """What can be said."""

    TOGETHER = "moved together"
    OPPOSITE = "moved opposite ways"
    UNCLEAR = "cannot tell yet"
    NOT_ENOUGH = "not enough yet"


@dataclass(frozen=True, slots=True)
class LinkWords:
    """A link as people read it: verdict, one sentence, what one unit of x is, and caveats."""

    verdict: Verdict
    sentence: str
    unit: str
    caveats: tuple[str, ...]


_CAVEATS = (
    "Moving together does not show that one brings the other; something else may move both.",
    "The fall that pain and stress share over the weeks is taken out first, so this is about the "
    "ups and downs around it.",
)


def words_for(
    link: Link,
    *,
    x_name: str = "stress",
    unit: str = "one point of stress",
    rise: str = "one point more stress than usual for the time",
) -> LinkWords:
    """Put a link with pain into words. ``unit``: what the slope is per; ``rise``: the same, as
    what a person would notice.
    """
    if link.missing is not None:
        return LinkWords(
            Verdict.NOT_ENOUGH,
            f"Not enough yet to say whether pain moved with {x_name}: {link.missing}.",
            unit,
            (),
        )
    assert link.estimate is not None and link.low is not None and link.high is not None
    span = f"95% interval {_points(link.low)} to {_points(link.high)}"
    if not link.clear:
        return LinkWords(
            Verdict.UNCLEAR,
            f"From {link.n} ratings we cannot tell whether pain moved with {x_name}: with {rise}, "
            f"pain may have been anything from {_change(link.low)} to {_change(link.high)}.",
            unit,
            _CAVEATS,
        )
    verdict = Verdict.TOGETHER if link.estimate > 0 else Verdict.OPPOSITE
    return LinkWords(
        verdict,
        f"Pain and {x_name} {verdict}: with {rise}, pain was about {_change(link.estimate)} "
        f"({span}; {link.n} ratings).",
        unit,
        _CAVEATS,
    )


def _points(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")


def _change(value: float) -> str:
    if round(abs(value), 1) == 0:
        return "the same"
    return f"{abs(value):.1f} points {'higher' if value > 0 else 'lower'}"
