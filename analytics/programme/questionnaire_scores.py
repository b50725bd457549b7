"""Score a questionnaire: sums, means, subscales, T scores, and change against what matters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ebbtide.questionnaires import TOTAL, Questionnaire, Score

_ALMOST = 1e-9  # a sum that is whole but for the rounding of floats is not rounded up


@dataclass(frozen=True, slots=True)
class ScoreValue:
    """A score.

    ``value``: None where ``missing_reason`` says why. ``missing_items`` were left out; the mean of
    the others stands for them where there is a value. ``t_score``: where its questionnaire has a
    table.
    """

    id: str
    name: str
    value: float | None
    lowest: float
    highest: float
    missing_items: tuple[str, ...] = ()
    t_score: float | None = None
    missing_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """The later score minus the earlier one.

    ``smallest``: the change that matters, where one was published; ``matters``: whether the change
    is at least so large, None without one. ``better``: whether it is towards better; None for none
    at all.
    """

    change: float
    better: bool | None
    smallest: float | None
    smallest_source: str | None
    matters: bool | None


def score_answers(
    questionnaire: Questionnaire, answers: Mapping[str, int]
) -> tuple[ScoreValue, ...]:
    """Compute all scores of a questionnaire.

    Parameters
    ----------
    questionnaire : Questionnaire
        The version that was answered.
    answers : mapping of str to int
        The value of each answered item by its id, as chosen: reverse items are turned here.

    Returns
    -------
    tuple of ScoreValue
        In the order of the file.

    Raises
    ------
    ValueError
        If an answer is to no item, or none of its item's answers; the sentence names the item.

    Examples
    --------
    >>> from ebbtide.questionnaires import load_library
    >>> gad7 = load_library().find("gad7")
    >>> score_answers(gad7, {str(item): 1 for item in range(1, 8)})[0].value
    7.0
    """
    check_answers(questionnaire, answers)
    return tuple(_score(questionnaire, score, answers) for score in questionnaire.scores)


def check_answers(questionnaire: Questionnaire, answers: Mapping[str, int]) -> None:
    """Raise ValueError, which names the item, for an answer that is none of the questionnaire's.

    Parameters
    ----------
    questionnaire : Questionnaire
        The version that was answered.
    answers : mapping of str to int
        Values by item.

    Raises
    ------
    ValueError
        If an answer is to no item, or none of its item's answers.
    """
    for name, value in answers.items():
        item = questionnaire.find_item(name)
        if item is None:
            raise ValueError(f"{questionnaire.short_name} has no item {name!r}")
        allowed = [option.value for option in questionnaire.options_of(item)]
        if isinstance(value, bool) or value not in allowed:
            words = ", ".join(map(str, allowed))
            raise ValueError(f"item {name!r} takes {words}, not {value}")


def find_concerns(questionnaire: Questionnaire, answers: Mapping[str, int]) -> tuple[str, ...]:
    """List the items whose answers call for words of help.

    Parameters
    ----------
    questionnaire : Questionnaire
        The version that was answered.
    answers : mapping of str to int
        Values by item.

    Returns
    -------
    tuple of str
        Ids of items.
    """
    return tuple(
        concern.item
        for concern in questionnaire.concerns
        if concern.item in answers and answers[concern.item] >= concern.at_least
    )


def score_change(questionnaire: Questionnaire, earlier: float, later: float) -> ScoreChange:
    """Compare two totals with the smallest change that matters.

    Parameters
    ----------
    questionnaire : Questionnaire
        That both are of.
    earlier, later : float
        The score that its smallest change is of (the total where there is none).

    Returns
    -------
    ScoreChange
        Of one person; what a change of a group is, it does not say.
    """
    change = later - earlier
    is_up_better = questionnaire.higher_is == "better"
    smallest = questionnaire.smallest_change
    return ScoreChange(
        change=change,
        better=None if change == 0 else (change > 0) == is_up_better,
        smallest=None if smallest is None else smallest.points,
        smallest_source=None if smallest is None else smallest.source,
        matters=None if smallest is None else abs(change) >= smallest.points - _ALMOST,
    )


def changing_score(questionnaire: Questionnaire) -> str:
    """Return the id of the score that is compared over time.

    Parameters
    ----------
    questionnaire : Questionnaire
        Any.

    Returns
    -------
    str
        Of the smallest change, or ``total``.
    """
    smallest = questionnaire.smallest_change
    return TOTAL if smallest is None else smallest.score


def _score(questionnaire: Questionnaire, score: Score, answers: Mapping[str, int]) -> ScoreValue:
    items = questionnaire.items_of(score)
    ranges = {item.id: questionnaire.range_of(item) for item in items}
    divisor = 1 if score.method == "sum" else len(items)
    lowest = sum(low for low, _ in ranges.values()) / divisor
    highest = sum(high for _, high in ranges.values()) / divisor
    values = []
    for item in items:
        if item.id in answers:
            low, high = ranges[item.id]
            values.append(low + high - answers[item.id] if item.reverse else answers[item.id])
    missing = tuple(item.id for item in items if item.id not in answers)
    if len(missing) > score.max_missing:
        allowed = "none may be" if not score.max_missing else f"at most {score.max_missing} may be"
        reason = f"{len(missing)} of {len(items)} questions left out; {allowed}"
        return ScoreValue(score.id, score.name, None, lowest, highest, missing, None, reason)
    mean = sum(values) / len(values)
    total = float(sum(values)) if not missing else mean * len(items)
    t_score = None
    if score.t_scores:
        # PROMIS rounds a sum that stands for missing answers up to the next whole number.
        t_score = score.t_scores.get(str(math.ceil(total - _ALMOST)))
    value = total if score.method == "sum" else mean
    return ScoreValue(score.id, score.name, value, lowest, highest, missing, t_score)
