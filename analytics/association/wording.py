"""An association in a sentence. Never "because of": a correlation is no evidence of a cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from analytics.association.prompts_let_go import LetGo
from analytics.association.within_person import Association


class Verdict(StrEnum):
    """What can be said."""

    TOGETHER = "moved together"
    OPPOSITE = "moved opposite ways"
    CAME_BEFORE = "came before"
    UNCLEAR = "cannot tell yet"
    NOT_ENOUGH = "not enough yet"


_ALPHA = 0.05
_FEW_CHANGES_SHARE = 0.4  # of the ratings


@dataclass(frozen=True, slots=True)
class Comparison:
    """Texts of one association.

    ``x_name``; ``unit``, what the slope is per; ``per_unit_text``, the same as a person would
    notice it; ``temporal_order_text``: for the order in time, where that is the question;
    ``both_rated``: both are what the person ticked, so a habit of ticking may move both;
    ``counted``: what n counts; ``asked_apart``: the two were asked for at different moments;
    ``known_bias_text``: where the simulation showed more false alarms than 5%.
    """

    x_name: str
    unit: str
    per_unit_text: str
    y_name: str = "pain"
    temporal_order_text: str | None = None
    both_rated: bool = False
    counted: str = "ratings"
    asked_apart: bool = False
    known_bias_text: str | None = None


@dataclass(frozen=True, slots=True)
class AssociationText:
    """A link as people read it: verdict, one sentence, what one unit of x is, and caveats."""

    verdict: Verdict
    sentence: str
    unit: str
    caveats: tuple[str, ...]


STRESS = Comparison(
    "stress", "one point of stress", "one point more stress than usual", both_rated=True
)
ASKED_APART = Comparison(
    "stress",
    "one point of stress",
    "one point more stress than usual",
    both_rated=True,
    counted="pairs of ratings",
    asked_apart=True,
)
_TOGETHER = "Moving together does not show that one brings the other; something else may move both."
_EARLIER = "Coming before does not show that one brings the other; something else may bring both."
_COURSE = (
    "The fall that pain and stress share over the weeks is taken out first, so this is about the "
    "ups and downs around it."
)
_APART = (
    "Pain and stress were asked for at different moments. So a habit of one moment cannot make "
    "this. A mood that lasts for hours still could."
)
_APART_WEAKER = (
    "Stress changes between the two moments, so a link looks weaker here than at one moment."
)
_COMPARISONS = "This is one of several looks; it is called clear only after correction for that."
_INTERVAL_ALONE = (
    "The interval is of this look by itself. It leaves out zero, but among several looks that is "
    "not clear enough."
)


def association_text(
    link: Association,
    compared: Comparison = STRESS,
    p_adjusted: float | None = None,
    moment_text: Callable[[int], str] | None = None,
    let_go: LetGo | None = None,
) -> AssociationText:
    """Put an association into words.

    ``p_adjusted`` decides what is clear, where it is given. ``moment_text`` puts a time (UTC ns)
    into words; without it the date is that of UTC. ``let_go``: what letting prompts go went with,
    where there were prompts.
    """
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
        *((_APART, _APART_WEAKER) if compared.asked_apart else ()),
        *((_COMPARISONS,) if corrected else ()),
        *((_INTERVAL_ALONE,) if corrected and _only_alone(link, p_value) else ()),
        *_describe_doubts(link, compared, p_value, moment_text or _utc_date, let_go),
        *((compared.known_bias_text,) if compared.known_bias_text else ()),
    )
    of = compared.counted
    span = f"95% interval {_points(link.low)} to {_points(link.high)}"
    if p_value is None or p_value >= _ALPHA:
        if link.order_p is not None and link.order_p >= _ALPHA and not link.low <= 0 <= link.high:
            return AssociationText(
                Verdict.UNCLEAR,
                f"{y.capitalize()} and {x} go "
                f"{'together' if link.estimate > 0 else 'opposite ways'}, but from {link.n} "
                "ratings we cannot tell which of them comes first.",
                compared.unit,
                caveats,
            )
        return AssociationText(
            Verdict.UNCLEAR,
            f"From {link.n} {of} we cannot tell whether {y} moved with {x}: with "
            f"{compared.per_unit_text}, {y} may have been anything from "
            f"{_range(link.low, link.high)}.",
            compared.unit,
            caveats,
        )
    verdict = Verdict.TOGETHER if link.estimate > 0 else Verdict.OPPOSITE
    opening = f"{y.capitalize()} and {x} {verdict}"
    if compared.both_rated:
        opening = f"Rated {y} and rated {x} {verdict}"
    if compared.temporal_order_text is not None:
        verdict = Verdict.CAME_BEFORE
        opening = (
            f"{compared.temporal_order_text.capitalize()}, beyond what moved at the same moment"
        )
    return AssociationText(
        verdict,
        f"{opening}: with {compared.per_unit_text}, {y} was about {_change(link.estimate)} "
        f"({span}; {link.n} {of}).",
        compared.unit,
        caveats,
    )


def _only_alone(link: Association, p_value: float | None) -> bool:
    """Whether it would be clear if it were the only look."""
    return link.clear and (p_value is None or p_value >= _ALPHA)


def _describe_doubts(
    link: Association,
    compared: Comparison,
    p_value: float | None,
    moment_text: Callable[[int], str],
    let_go: LetGo | None,
) -> list[str]:
    """Say what makes this answer less sure, or what it was held back for; one line each."""
    x, y = compared.x_name, compared.y_name
    clear = p_value is not None and p_value < _ALPHA
    said = []
    if link.held_back_for and not clear:
        what = " and the ".join(link.held_back_for)
        said.append(
            f"Both follow the {what}. Without taking that out it would look as if they moved "
            "together; with it taken out, we cannot tell."
        )
    if link.outlying_ns is not None and link.without_outlying is not None:
        estimate, low, high = link.without_outlying
        moment = moment_text(link.outlying_ns)
        rest = f"{_points(estimate)} (95% interval {_points(low)} to {_points(high)})"
        if clear and not link.clear_without_outlying:
            said.append(f"One moment carries this: {moment}. Without it we could not tell: {rest}.")
        elif clear:
            said.append(f"One moment stands out: {moment}. Without it the slope is {rest}.")
        elif link.clear_without_outlying:
            said.append(
                f"One moment hides it: {moment}. Without it, {y} would seem to move with {x}: "
                f"{rest}."
            )
        else:
            said.append(
                f"One moment stands out: {moment}. With it or without it we cannot tell: {rest}."
            )
    if clear and link.few_moments and link.without_few is not None:
        estimate, low, high = link.without_few
        said.append(
            f"A few moments carry this: {link.few_moments} at which both were far from the ratings "
            f"around them. Without them we could not tell: {_points(estimate)} (95% interval "
            f"{_points(low)} to {_points(high)})."
        )
    of_prompts = [] if let_go is None else _describe_let_go(let_go)
    said += of_prompts
    if not of_prompts and link.missing_when_bad_p is not None and link.missing_when_bad_p < _ALPHA:
        said.append(
            "Ratings seem to be missing when things were bad. What was not rated cannot be known, "
            "and the true link may be another."
        )
    if link.changes is not None and link.changes < _FEW_CHANGES_SHARE * link.n:
        said.append(
            f"Few changes: {y} and {x} were the same as the rating before in most of them "
            f"({link.changes} of {link.n - 1} differ). An answer needs ups and downs."
        )
    if link.copies:
        rows = "row was" if link.copies == 1 else "rows were"
        said.append(f"{link.copies} {rows} the same as another of the same moment, and left out.")
    if not clear or not compared.both_rated:
        return said
    if not compared.asked_apart:
        said.append(
            "Both come from one form. A way of filling in the form that moves both would look the "
            "same."
        )
    if link.robustness is not None:
        line = (
            f"Something else that explains {link.robustness:.0%} of what is left of both would be "
            "enough to make this unclear."
        )
        if link.day_share is not None:
            share = (
                f"{link.day_share:.0%} at most" if link.day_share >= 0.005 else "next to nothing"
            )
            line += f" For comparison, the time of day explains {share}."
        said.append(line)
    if link.reliability is not None and link.estimate is not None and link.reliability < 1:
        said.append(
            f"Rated again within half an hour, {x} differed a little at times. Allowing for that, "
            f"the slope would be about "
            f"{_points(link.estimate / link.reliability)}."
        )
    elif link.reliability is None and not compared.asked_apart:
        said.append("A rating is only roughly right, so a link looks weaker than it is.")
    return said


def _describe_let_go(let_go: LetGo) -> list[str]:
    """Say what letting prompts go went with: nothing where it went with nothing."""
    said = []
    if let_go.goes_with_rating and let_go.worse_by is not None:
        how = "worse" if let_go.worse_by > 0 else "better"
        said.append(f"after {how} ratings")
    if let_go.goes_with_heart and let_go.faster_by is not None:
        how = "faster" if let_go.faster_by > 0 else "slower"
        said.append(f"while the heart was {how} than usual at that time of day")
    if not said:
        return []
    gone = let_go.sent - let_go.answered
    return [
        f"Questions were left more often {' and '.join(said)} ({gone} of {let_go.sent} were left). "
        "What was not rated cannot be known, and the true link may be another."
    ]


def _utc_date(time_ns: int) -> str:
    when = datetime.fromtimestamp(time_ns / 1e9, UTC)
    return f"{when.day} {when:%B %Y}, {when:%H:%M} UTC"


def _points(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")


def _change(value: float) -> str:
    """Put a change that is not nothing into words: a small one is not called the same."""
    digits = 1 if round(abs(value), 1) else 2
    return _rounded(value, digits)


def _range(low: float, high: float) -> str:
    digits = 1 if round(abs(low), 1) or round(abs(high), 1) else 2
    return f"{_rounded(low, digits)} to {_rounded(high, digits)}"


def _rounded(value: float, digits: int) -> str:
    if round(abs(value), digits) == 0:
        return "the same"
    return f"{abs(value):.{digits}f} points {'higher' if value > 0 else 'lower'}"
