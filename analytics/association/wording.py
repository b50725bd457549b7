"""An association in a sentence. Never "because of": a correlation is no evidence of a cause."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analytics.association.within_person import Association


class Verdict(StrEnum):
    """What can be said."""

    TOGETHER = "moved together"
    OPPOSITE = "moved opposite ways"
    CAME_BEFORE = "came before"
    UNCLEAR = "cannot tell yet"
    NOT_ENOUGH = "not enough yet"


_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """Texts of one association.

    ``x_name``; ``unit``, what the slope is per; ``per_unit_text``, the same as a person would
    notice it; ``temporal_order_text``: for the order in time, where that is the question;
    ``known_bias_text``: where the simulation showed more false alarms than 5%.
    """

    x_name: str
    unit: str
    per_unit_text: str
    y_name: str = "pain"
    temporal_order_text: str | None = None
    known_bias_text: str | None = None


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
    link: Association, compared: Comparison = STRESS, p_adjusted: float | None = None
) -> AssociationText:
    """Put an association into words. ``p_adjusted`` decides what is clear, where it is given."""
    x, y = compared.x_name, compared.y_name
    if link.missing_reason is not None:
        return AssociationText(
            Verdict.NOT_ENOUGH,
            f"Not enough yet to say whether {y} moved with {x}: {link.missing_reason}.",
            compared.unit,
            (),
        )
    assert link.estimate is not None and link.low is not None and link.high is not None
    p_value = link.p_value if p_adjusted is None else p_adjusted
    corrected = p_adjusted is not None and p_adjusted != link.p_value
    caveats = (
        _EARLIER if compared.temporal_order_text else _TOGETHER,
        _COURSE,
        *((_COMPARISONS,) if corrected else ()),
        *((compared.known_bias_text,) if compared.known_bias_text else ()),
    )
    span = f"95% interval {_points(link.low)} to {_points(link.high)}"
    if p_value is None or p_value >= _ALPHA:
        return AssociationText(
            Verdict.UNCLEAR,
            f"From {link.n} ratings we cannot tell whether {y} moved with {x}: with "
            f"{compared.per_unit_text}, {y} may have been anything from {_change(link.low)} to "
            f"{_change(link.high)}.",
            compared.unit,
            caveats,
        )
    verdict = Verdict.TOGETHER if link.estimate > 0 else Verdict.OPPOSITE
    opening = f"{y.capitalize()} and {x} {verdict}"
    if compared.temporal_order_text is not None:
        verdict = Verdict.CAME_BEFORE
        opening = (
            f"{compared.temporal_order_text.capitalize()}, beyond what moved at the same moment"
        )
    return AssociationText(
        verdict,
        f"{opening}: with {compared.per_unit_text}, {y} was about {_change(link.estimate)} "
        f"({span}; {link.n} ratings).",
        compared.unit,
        caveats,
    )


def _points(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")


def _change(value: float) -> str:
    if round(abs(value), 1) == 0:
        return "the same"
    return f"{abs(value):.1f} points {'higher' if value > 0 else 'lower'}"
