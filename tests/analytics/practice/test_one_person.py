"""One person's trial: exact error rates by looking at every possible sequence of draws."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.practice import (
    PersonDraws,
    check_harm,
    draw_probability,
    missing_answers,
    more_moments,
    offer_effect,
    offer_effect_by_look,
    plan_person,
    randomisation_test,
    taking_effect,
)
from analytics.practice.confidence_sequence import is_rejected, is_rejected_below, variance_factor
from analytics.practice.forecasts import forecast
from analytics.practice.person import compare

Array = NDArray[np.float64]


def blocked(n: int, offered: NDArray[np.bool_], base: float = 0.5, a_block: int = 4) -> PersonDraws:
    """Draws with the probabilities that the biased coin gives for them."""
    block = [str(moment // a_block) for moment in range(n)]
    chance = [
        draw_probability(base, offered[moment - moment % a_block : moment].tolist())
        for moment in range(n)
    ]
    times = np.arange(n) * 10**13
    return PersonDraws(times, np.array(chance), offered, np.full(n, base), block)


def person(n: int, effect: float, seed: int) -> tuple[PersonDraws, Array, dict[str, Array]]:
    """A person whose mood has autocorrelation and falls."""
    rng = np.random.default_rng(seed)
    offered = np.zeros(n, np.bool_)
    for moment in range(n):
        before = offered[moment - moment % 4 : moment].tolist()
        offered[moment] = rng.random() < draw_probability(0.5, before)
    mood = np.zeros(n + 1)
    for moment in range(1, n + 1):
        mood[moment] = 0.6 * mood[moment - 1] + rng.standard_normal()
    mood += 7 - 3 * np.arange(n + 1) / max(n, 1)
    known = {"before": mood[:-1], "hour": np.arange(n) % 3.0}
    return blocked(n, offered), mood[1:] + effect * offered, known


@pytest.mark.parametrize("base", [0.5, 0.3])
def test_intervals_hold_at_every_look_over_all_sequences_of_draws(base: float) -> None:
    """The sum of the probabilities of the sequences with an error at any look is alpha at most.

    Nine draws of a moody person with a trend, an effect of -2 and carry-over from the draw before;
    no simulation, so no tolerance.
    """
    n, alpha, effect = 9, 0.8, np.full(7, -2.0)
    mood = np.array([8.0, 3, 7, 6, 2, 5, 6, 1, 4])
    wrong, wrong_lower, total = 0.0, 0.0, 0.0
    for sequence in itertools.product((False, True), repeat=n):
        offered = np.array(sequence)
        draws = blocked(n, offered, base)
        chance = float(np.prod(np.where(offered, draws.probability, 1 - draws.probability)))
        carried = np.concatenate([[0.0], -1.5 * offered[:-1]])
        sums = compare(draws, mood + carried + effect[0] * offered, np.empty((n, 0))).sums
        total += chance
        wrong += chance * is_rejected(sums, effect, 1.5, alpha).any()
        wrong_lower += chance * is_rejected_below(sums, effect, 1.5, alpha / 2).any()
    assert total == pytest.approx(1)
    assert 0 < wrong <= alpha
    assert 0 < wrong_lower <= alpha / 2


def test_randomisation_test_is_exact_over_its_own_draws() -> None:
    """Of no effect, p is at most 0.1 in a tenth of the sequences at most, and nearly in as many."""
    n, mood = 8, np.array([8.0, 3, 7, 6, 2, 5.5, 6.2, 1])
    below = 0.0
    for sequence in itertools.product((False, True), repeat=n):
        draws = blocked(n, np.array(sequence))
        found = randomisation_test(draws, mood)
        assert found.exact and found.n_sequences == 2**n
        chance = np.prod(np.where(draws.offered, draws.probability, 1 - draws.probability))
        below += float(chance) * (found.p_value <= 0.1)
    assert 0.06 < below <= 0.1
    draws, outcome, known = person(40, -0.7, 3)
    drawn = randomisation_test(draws, outcome, known)
    again = randomisation_test(draws, outcome, known, seed=5)
    assert not drawn.exact and 0 < drawn.p_value < 0.2
    assert abs(drawn.p_value - again.p_value) < 5 * max(drawn.error, again.error)
    with pytest.raises(ValueError, match="its block gives"):
        randomisation_test(replace(draws, probability=np.full(40, 0.5)), outcome)


def test_effect_is_found_and_its_parts_agree() -> None:
    draws, outcome, known = person(120, -1.5, 11)
    outcome[[7, 30]] = np.nan
    effect = offer_effect(draws, outcome, known, resamples=499)
    assert effect.is_clear and effect.anytime and effect.fixed and effect.estimate and effect.test
    narrow, wide = effect.fixed, effect.anytime
    assert wide.low < narrow.low < effect.estimate < narrow.high < wide.high < 0
    assert wide.low < -1.5 < wide.high
    assert effect.test.p_value == pytest.approx(1 / 500)
    assert effect.n_compared_offered + effect.n_compared_not == 120 - 2 - 2
    looks = offer_effect_by_look(draws, outcome, known)
    assert (looks.estimate[-1], looks.low[-1]) == pytest.approx((effect.estimate, wide.low))
    assert looks.p_value[-1] == effect.anytime_p_value
    assert np.all(np.diff(looks.p_value[2:]) <= 0)
    # A look uses nothing of what comes later.
    start = PersonDraws(draws.time_ns[:60], draws.probability[:60], draws.offered[:60])
    early = offer_effect_by_look(start, outcome[:60], {k: v[:60] for k, v in known.items()})
    assert early.low[-1] == pytest.approx(looks.low[59])
    # Other units change nothing but the units.
    tenfold = offer_effect(draws, 10 * outcome, known, scale=15, effect_to_show=5, resamples=99)
    assert tenfold.anytime and tenfold.anytime.low == pytest.approx(10 * wide.low, rel=1e-6)
    assert tenfold.more_offers == effect.more_offers


def test_too_little_says_why_and_bad_input_is_refused() -> None:
    draws, outcome, known = person(10, 0, 1)
    few = offer_effect(draws, outcome, known)
    assert few.estimate is None and few.missing_reason and "5 of each" in few.missing_reason
    assert not few.is_clear and few.more_offers is None
    for n in range(4):  # before there is anything
        draws, outcome, known = person(n, 0, 1)
        assert offer_effect(draws, outcome, known).missing_reason
        assert taking_effect(draws, outcome, draws.offered, known).missing_reason
        assert offer_effect_by_look(draws, outcome, known).low.shape == (n,)
        assert not check_harm(draws, {"pain": outcome}, known).must_stop
    draws, outcome, known = person(60, 0, 1)
    flat = offer_effect(draws, np.full(60, 4.0))
    assert flat.missing_reason and "same every time" in flat.missing_reason
    late = draws.time_ns + 10**12
    late[4] = draws.time_ns[5] + 1
    with pytest.raises(ValueError, match="draw 5 was measured after the next draw"):
        offer_effect(draws, outcome, measured_ns=late)
    with pytest.raises(ValueError, match="before has shape"):
        offer_effect(draws, outcome, {"before": known["before"][:-1]})
    with pytest.raises(ValueError, match="scale must be above 0"):
        offer_effect(draws, outcome, scale=0)
    with pytest.raises(ValueError, match="probability of draw 3 is 1"):
        PersonDraws(np.arange(3), np.array([0.5, 0.5, 1.0]), np.array([0, 1, 1]))
    with pytest.raises(ValueError, match="must increase"):
        PersonDraws(np.array([1, 1]), np.full(2, 0.5), np.array([0, 1]))


def test_answers_missing_after_offers_withhold_the_claim() -> None:
    draws, outcome, known = person(150, -1.5, 5)
    kept = missing_answers(draws, outcome, resamples=99)
    assert not kept.differs and kept.difference == 0 and kept.p_value == 1
    rng = np.random.default_rng(2)
    outcome[draws.offered & (rng.random(150) < 0.4)] = np.nan
    effect = offer_effect(draws, outcome, known, resamples=999)
    assert effect.missing.differs and not effect.is_clear
    assert effect.missing.p_value == pytest.approx(0.001)
    assert effect.anytime and effect.anytime.high < 0
    share = effect.missing.share_after_offer
    assert share and effect.shift_to_undo == pytest.approx(-effect.anytime.high / share)


def test_doing_it_is_estimated_through_the_draw_alone() -> None:
    """Who feels worse practises more: a comparison of done with not done would see harm."""
    draws, mood, known = person(200, 0, 8)
    rng = np.random.default_rng(1)
    done = draws.offered & (rng.random(200) < np.where(mood > np.median(mood), 0.9, 0.4))
    outcome = mood - 1.5 * done
    found = taking_effect(draws, outcome, done, known)
    assert found.fixed and found.anytime and found.estimate
    assert found.taken_after_none == 0
    assert found.anytime.low < found.fixed.low < -1.5 < found.fixed.high < 0
    # Where offers are never taken the instrument says nothing, whatever the outcome does.
    random = rng.random(200) < 0.5
    nothing = taking_effect(draws, outcome, random, known)
    assert nothing.fixed and nothing.anytime and np.isinf(nothing.anytime.low)
    # All offers taken and none else: doing is being offered.
    all_taken = taking_effect(draws, outcome, draws.offered, known)
    offered = offer_effect(draws, outcome, known, resamples=99)
    assert all_taken.estimate == pytest.approx(offered.estimate, abs=0.1)


def test_offers_stop_when_it_is_worse_with_certainty() -> None:
    draws, outcome, known = person(150, 1.5, 6)
    _, calm, _ = person(150, 0, 7)
    worse = check_harm(draws, {"pain": calm, "stress": outcome}, known)
    assert worse.must_stop and worse.outcome == "stress" and worse.draw is not None
    assert 15 < worse.draw < 150 and worse.lower["stress"] > 0 > worse.lower["pain"]
    better = check_harm(draws, {"pain": calm, "stress": 10 - outcome}, known)
    assert not better.must_stop and better.draw is None
    # It stays stopped when later moments are better.
    later = outcome.copy()
    later[worse.draw + 1 :] -= 4.0 * draws.offered[worse.draw + 1 :]
    assert check_harm(draws, {"pain": calm, "stress": later}, known).draw == worse.draw


def test_two_earlier_moments_alike_do_not_make_an_absurd_forecast() -> None:
    outcome, before = np.array([7.0, 5.0, 4.0, 6.0]), np.array([7.0, 7.01, 5.2, 5.5])
    values = forecast(outcome, before[:, None])
    assert np.isnan(values[0]) and values[1] == 7
    assert np.all((values[1:] >= 4) & (values[1:] <= 7))
    # On a line it comes near: the sixtieth outcome is 60 less what ridge takes.
    line = np.arange(60.0)
    assert 54 < forecast(line, line[:, None])[-1] <= 59


def test_planning_agrees_with_theory() -> None:
    half, one = plan_person(0.5, 1.2), plan_person(-1.0, 1.2)
    assert half.moments and one.moments and half.draws and half.offers
    assert half.moments > 2.5 * one.moments  # about four times as many
    assert abs(half.power - 0.8) < 0.01 and half.offers * 2 == pytest.approx(half.draws, abs=2)
    # One look: 4 (1.96 + 0.84)^2 sd^2 / effect^2.
    assert half.fixed_moments == pytest.approx(4 * 2.8016**2 * 1.44 / 0.25, abs=3)
    assert half.fixed_moments < half.moments < 3 * half.fixed_moments
    # The quick formula is within a tenth or so of the simulation, and on the careful side.
    quick = more_moments(0.5, 1.2, 0.5, 0)
    assert quick and half.moments * 0.95 < quick < half.moments * 1.25
    assert more_moments(0.5, 1.2, 0.5, 10_000) == 0
    assert more_moments(0.001, 1.2, 0.5, 0) is None
    assert plan_person(0.5, 1.2, answered=0.5).draws == 2 * half.moments
    with pytest.raises(ValueError, match="effect must not be 0"):
        plan_person(0, 1)


def test_variance_factor_bounds_a_bernoulli_variable() -> None:
    """Its moment-generating function lies below the Gaussian one, and touches it (Kearns, Saul)."""
    for p in (0.1, 0.3, 0.5, 0.77):
        t = np.linspace(-12, 12, 4001)
        cumulant = np.log(p * np.exp(t * (1 - p)) + (1 - p) * np.exp(-t * p))
        slack = float(variance_factor(np.array(p))) * t**2 / 2 - cumulant
        assert slack.min() > -1e-9
        assert np.sort(slack)[2] < 1e-4


def test_one_practice_is_compared_with_none() -> None:
    draws = PersonDraws(np.arange(4), np.full(4, 0.6), np.array([1, 0, 1, 1]))
    only = draws.compare_arm(["a", None, "b", "a"], "a", 2)
    assert only.time_ns.tolist() == [0, 1, 3] and only.offered.tolist() == [True, False, True]
    assert only.probability == pytest.approx(np.full(3, 0.3 / 0.7))
