"""The link in a sentence. Never "because of": a correlation does not know causes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analytics.association.within_person import Association

_ALPHA = 0.05


class Verdict(StrEnum):
    """What can be said."""

    TOGETHER = "moved together"
    OPPOSITE = "moved opposite ways"
    CAME_BEFORE = "came before"
    UNCLEAR = "cannot tell yet"
    NOT_ENOUGH = "not enough yet"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was looked at: ``x_name``; ``unit``, what the slope is per; ``rise``, the same as a
    person would notice it; ``came``: what an order in time is called, where that is the question;
    ``weak``: where the simulation showed this look to err more than it should.
    """

    x_name: str
    unit: str
    rise: str
    y_name: str = "pain"
    came: str | None = None
    weak: str | None = None


@dataclass(frozen=True, slots=True)
class AssociationText:
    """A link as people read it: verdict, one sentence, what one unit of x is, and caveats."""

    verdict: Verdict
    sentence: str
    unit: str
    caveats: tuple[str, ...]


STRESS = Comparison("stress", "one point of stress", "one point more stress than usual")
_TOGETHER = "Moving together does not show that one brings the other; something else may move both."
_EARLIER = "Coming before does not show that one brings the other; something else may bring both."
_COURSE = (
    "The fall that pain and stress share over the weeks is taken out first, so this is about the "
    "ups and downs around it."
)
_COMPARISONS = "This is one of several looks; it is called clear only after correction for that."


def association_text(
    link: Association, looked: Comparison = STRESS, p_adjusted: float | None = None
) -> AssociationText:
    """Put a link into words. ``p_adjusted`` decides what is clear, where it is given."""
    x, y = looked.x_name, looked.y_name
    if link.missing is not None:
        return AssociationText(
            Verdict.NOT_ENOUGH,
            f"Not enough yet to say whether {y} moved with {x}: {link.missing}.",
            looked.unit,
            (),
        )
    assert link.estimate is not None and link.low is not None and link.high is not None
    p_value = link.p_value if p_adjusted is None else p_adjusted
    corrected = p_adjusted is not None and p_adjusted != link.p_value
    caveats = (
        _EARLIER if looked.came else _TOGETHER,
        _COURSE,
        *((_COMPARISONS,) if corrected else ()),
        *((looked.weak,) if looked.weak else ()),
    )
    span = f"95% interval {_points(link.low)} to {_points(link.high)}"
    if p_value is None or p_value >= _ALPHA:
        return AssociationText(
            Verdict.UNCLEAR,
            f"From {link.n} ratings we cannot tell whether {y} moved with {x}: with "
            f"{looked.rise}, {y} may have been anything from {_change(link.low)} to "
            f"{_change(link.high)}.",
            looked.unit,
            caveats,
        )
    verdict = Verdict.TOGETHER if link.estimate > 0 else Verdict.OPPOSITE
    opening = f"{y.capitalize()} and {x} {verdict}"
    if looked.came is not None:
        verdict = Verdict.CAME_BEFORE
        opening = f"{looked.came.capitalize()}, beyond what moved at the same moment"
    return AssociationText(
        verdict,
        f"{opening}: with {looked.rise}, {y} was about {_change(link.estimate)} "
        f"({span}; {link.n} ratings).",
        looked.unit,
        caveats,
    )


def _points(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")


def _change(value: float) -> str:
    if round(abs(value), 1) == 0:
        return "the same"
    return f"{abs(value):.1f} points {'higher' if value > 0 else 'lower'}"
