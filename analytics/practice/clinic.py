"""What offers did over the people of a clinic, and how much of it on pain goes with stress."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.practice.excursion_effects import Coefficient, wcls
from analytics.practice.mediation import mediated_effects

METHOD = "clinic offers 1"
# Fewer people, or fewer moments of one, give no number: docs/evidence/practice.md has how often
# intervals of so few cover.
MIN_PEOPLE, MIN_MOMENTS, MIN_EACH_ARM = 8, 10, 3


@dataclass(frozen=True, slots=True)
class ClinicMoments:
    """Moments at which an offer was drawn, of several people; all of shape (n,).

    ``person``: whose each is. ``offered``, ``probability``: the draw. Ratings before are of before
    the draw was known, those after of the delay; NaN where not given. ``hour``: of the day, local.
    ``day``: since the person's first moment.
    """

    person: IntArray
    offered: BoolArray
    probability: FloatArray
    stress_before: FloatArray
    pain_before: FloatArray
    stress_after: FloatArray
    pain_after: FloatArray
    hour: FloatArray
    day: FloatArray


@dataclass(frozen=True, slots=True)
class ClinicEffects:
    """What ``clinic_effects`` found; effects are None where a reason says why.

    ``stress``, ``pain``: what an offer changed, in points. ``direct``, ``indirect``: of that on
    pain, what does not go with the change of stress, and what does. ``people``, ``moments``: used.
    ``people_left_out``: with too few moments. ``moments_left_out``: of those used, without all four
    ratings; ``left_out_offered`` and ``left_out_not``: as shares of each arm.
    ``split_missing_reason``: why there is no split, though there are effects.
    """

    people: int
    moments: int
    people_left_out: int
    moments_left_out: int
    left_out_offered: float | None = None
    left_out_not: float | None = None
    stress: Coefficient | None = None
    pain: Coefficient | None = None
    direct: Coefficient | None = None
    indirect: Coefficient | None = None
    missing_reason: str | None = None
    split_missing_reason: str | None = None


def clinic_effects(moments: ClinicMoments) -> ClinicEffects:
    """Estimate what offers did to stress and pain over people, and split what they did to pain.

    Parameters
    ----------
    moments : ClinicMoments
        Moments that are over.

    Returns
    -------
    ClinicEffects
        Causal excursion effects by weighted and centred least squares, and natural direct and
        indirect ones with stress as the mediator, of moments with all four ratings. Nothing where
        fewer than eight people have ten such moments, three of them with and three without an
        offer.

    Raises
    ------
    ValueError
        If the arrays differ in length.

    Notes
    -----
    Sources: ``wcls`` and ``mediated_effects``. Stress and pain after are rated at the same moment:
    that stress came first is assumed, like all else that the mediated effect rests on.
    """
    n = len(moments.person)
    if any(len(getattr(moments, name)) != n for name in ClinicMoments.__slots__):
        raise ValueError("the arrays of moments differ in length")
    ratings = np.column_stack(
        [moments.stress_before, moments.pain_before, moments.stress_after, moments.pain_after]
    )
    complete = np.all(np.isfinite(ratings), axis=1)
    people, who = np.unique(moments.person, return_inverse=True)

    def count(rows: BoolArray) -> IntArray:
        return np.bincount(who[rows], minlength=people.size)

    enough = (
        (count(complete) >= MIN_MOMENTS)
        & (count(complete & moments.offered) >= MIN_EACH_ARM)
        & (count(complete & ~moments.offered) >= MIN_EACH_ARM)
    )
    of_enough = enough[who] if n else np.zeros(0, bool)
    use = complete & of_enough
    lost = of_enough & ~complete
    n_people = int(enough.sum())
    counted = (n_people, int(use.sum()), int(people.size) - n_people, int(lost.sum()))
    if n_people < MIN_PEOPLE:
        return ClinicEffects(
            *counted,
            missing_reason=f"{n_people} people have {MIN_MOMENTS} moments with all ratings; at "
            f"least {MIN_PEOPLE} are needed",
        )
    lost_offered, lost_not = (
        float(np.mean(lost[of_enough & arm])) for arm in (moments.offered, ~moments.offered)
    )
    used = ClinicEffects(*counted, lost_offered, lost_not)
    controls = {
        "stress before": moments.stress_before[use],
        "pain before": moments.pain_before[use],
        "hour": moments.hour[use],
        "day": moments.day[use],
    }
    # A control that is the same in all moments, or nearly, tells nothing.
    controls = {name: values for name, values in controls.items() if np.ptp(values) > 1e-9}
    draw = (moments.person[use], moments.offered[use], moments.probability[use])
    stress, pain = moments.stress_after[use], moments.pain_after[use]
    try:
        on_stress, on_pain = (
            wcls(draw[0], outcome, draw[1], draw[2], controls=controls).effects[0]
            for outcome in (stress, pain)
        )
    except ValueError as error:  # such as controls that follow from one another
        return replace(used, missing_reason=str(error))
    found = replace(used, stress=on_stress, pain=on_pain)
    try:
        split = mediated_effects(
            draw[0], pain, draw[1], stress, draw[2], controls=controls, proximal=True
        )
    except ValueError as error:  # such as stress that tells the arms apart without error
        return replace(found, split_missing_reason=str(error))
    return replace(found, direct=split.direct[0], indirect=split.indirect[0])
