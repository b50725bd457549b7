"""A known effect is in its interval, in words; what cannot be said is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from analytics.practice import derive_nonce, make_draw
from analytics.practice.wording import OfferVerdict
from api.services.offers import safety
from api.services.offers.moment_rows import MomentRow, current_offer
from api.services.offers.results import OfferInputs, check_offers_harm, compute_offer_report
from ebbtide.timestamps import HOUR, MINUTE, SECOND
from store import Stores
from store.models import (
    DecisionPoint,
    OfferEnd,
    OfferPlan,
    Practice,
    PracticeKind,
    Rating,
)
from tests.support.accounts import add_account

START = int(datetime(2026, 6, 1, 9, tzinfo=UTC).timestamp()) * SECOND
ARM = str(PracticeKind.BREATHING)


def a_trial(
    effect: float, n: int = 150, lost_after_offer: float = 0.0, arms: tuple[str, ...] = (ARM,)
) -> OfferInputs:
    """Four moments a day; stress after is moved by the offer, pain is not."""
    rng = np.random.default_rng(5)
    rows, blocks = [], {}
    for number in range(n):
        sent = START + (number // 4) * 24 * HOUR + (number % 4) * 3 * HOUR
        name, block = f"point {number}", f"1/{number // 16} {number % 4}"
        nonce = derive_nonce(bytes(32), name)
        draw = make_draw(nonce, name, block, 0.5, blocks.setdefault(block, []), arms)
        blocks[block].append(draw.offered)
        point = DecisionPoint(
            *(name, "p", 1, f"b{number}", sent, "UTC", block, 0.5, ",".join(arms), 30),
            commitment=draw.commitment,
            committed_ns=sent - HOUR,
            available=True,
            nonce=nonce,
            probability=draw.probability,
            offered=draw.offered,
            arm=draw.arm,
            drawn_ns=sent,
            before_ns=sent + 2 * MINUTE,
            after_prompt_id=f"a{number}",
        )
        before, pain = int(rng.integers(3, 8)), int(rng.integers(2, 6))
        level = before + rng.normal(0, 0.8) + (effect if draw.offered else 0)
        after = int(np.clip(round(level), 0, 10))
        done = Practice("done", "p", PracticeKind.BREATHING, sent + 3 * MINUTE, sent + 8 * MINUTE)
        lost = draw.offered and rng.random() < lost_after_offer
        rows.append(
            MomentRow(
                point,
                _rating(sent + 2 * MINUTE, before, pain),
                None if lost else _rating(sent + 35 * MINUTE, after, pain + int(rng.integers(2))),
                (done,) if draw.offered and number % 3 else (),
                is_open=False,
            )
        )
    none = np.full((n, 2), -1, dtype=np.int64)
    return OfferInputs(tuple(rows), "UTC", False, {"at night": 2}, none, ())


def _rating(at_ns: int, stress: int, pain: int) -> Rating:
    return Rating("r", 1, "p", at_ns, at_ns, "UTC", pain, stress, None, False)


def test_a_known_effect_lies_in_its_interval_and_what_is_not_known_is_not_shown() -> None:
    report = compute_offer_report(a_trial(-1.5))
    by_name = {effect.outcome: effect for effect in report.effects}
    stress, pain, heart = by_name["stress"], by_name["pain"], by_name["mean_hr_bpm"]
    assert stress.low is not None and stress.high is not None
    assert stress.low < -1.5 < stress.high < 0 and stress.verdict is OfferVerdict.LOWER
    assert stress.sentence.startswith(
        "On the moments when Ebbtide offered breathing, your stress half an hour later was "
    )
    assert f"{-stress.high:.1f} to {-stress.low:.1f}) than when it did not." in stress.sentence
    assert pain.verdict in (OfferVerdict.UNCLEAR, OfferVerdict.NOT_SEEN)
    assert "0.5" in pain.sentence and "offered" not in pain.sentence
    assert (heart.verdict, heart.estimate) == (OfferVerdict.NOT_ENOUGH, None)
    assert (report.drawn, report.moments, report.not_available) == (150, 152, {"at night": 2})
    assert 0 < report.taken < report.offered and report.free == 0 and not report.harm.must_stop
    assert report.doing[0].estimate is not None and report.doing[0].estimate < -1.5
    others = compute_offer_report(a_trial(-1.5), is_own=False).effects[0].sentence
    assert others == stress.sentence.replace("your stress", "their stress")
    report.model_dump_json()  # which refuses what is no number


def test_answers_lost_after_offers_take_the_claim_away() -> None:
    report = compute_offer_report(a_trial(-1.5, lost_after_offer=0.6))
    (stress,) = [item for item in report.effects if item.outcome == "stress"]
    assert stress.verdict is OfferVerdict.MISSING and stress.missing_differs
    assert stress.estimate is stress.low is stress.p_value is None
    assert "missing more often" in stress.sentence and "can then not be compared" in stress.sentence


def test_few_moments_say_what_is_missing_and_each_practice_has_its_own_answer() -> None:
    report = compute_offer_report(a_trial(-1.5, n=6))
    assert all(effect.verdict is OfferVerdict.NOT_ENOUGH for effect in report.effects)
    assert "5 of each are needed" in report.effects[0].sentence
    assert compute_offer_report(a_trial(0, n=0)).effects == []
    arms = (ARM, str(PracticeKind.TRACKING))
    both = compute_offer_report(a_trial(-1.5, arms=arms))
    assert [effect.arm for effect in both.effects] == [*[None] * 4, ARM, ARM, arms[1], arms[1]]
    assert "offered a practice" in both.effects[0].sentence and len(both.notes) == 3


def test_harm_is_found_and_no_harm_is_not() -> None:
    worse, better = check_offers_harm(a_trial(1.5)), check_offers_harm(a_trial(-1.5))
    assert (worse.must_stop, worse.outcome, better.must_stop) == (True, "stress", False)


def test_an_offer_is_there_from_the_rating_before_until_the_one_after_is_near() -> None:
    rows = [row for row in a_trial(0, 12).rows if row.point.offered and not row.practices]
    row = rows[-1]
    begins = row.before_ns or 0
    assert current_offer(rows, begins) == row
    assert current_offer(rows, begins - 1) is None
    assert current_offer(rows, begins + 20 * MINUTE) is None
    declined = replace(row, point=replace(row.point, declined_ns=begins))
    assert current_offer([declined], begins) is None
    done = Practice("x", "p", PracticeKind.BREATHING, begins + 1, begins + 2)
    taken = replace(row, practices=(done,))
    assert (current_offer([taken], begins), taken.taken, taken.free) == (None, "x", ())
    other = replace(row, practices=(replace(done, kind=PracticeKind.TRACKING),))
    assert (other.taken, other.free) == (None, ("x",))


def test_offers_that_do_harm_end_and_others_are_judged_anew(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = add_account(stores, "ada@example.org")
    plan = OfferPlan(
        *(ada.id, 1, "ab" * 32, ARM, 0.5, 30, 3, 540, 1200, START),
        *(None, "offers-1", START, "2026-06-01"),
    )
    asked: list[int] = []

    def load(*_: object, first_plan: int, with_heart: bool) -> OfferInputs:
        asked.append(first_plan)
        return a_trial(1.5)

    monkeypatch.setattr(safety, "load_offer_inputs", load)
    assert safety.stop_if_harmful(stores, ada) is None and asked == []
    stores.offers.change_plans(ada.id, lambda _: [plan])
    assert safety.stop_if_harmful(stores, ada) is OfferEnd.HARM_STRESS
    assert safety.stop_if_harmful(stores, ada) is None
    (ended,) = stores.offers.plans(ada.id)
    assert (ended.is_active, ended.ended_why) == (False, "stress was higher after offers")
    stores.offers.change_plans(ada.id, lambda _: [replace(plan, number=2)])
    safety.stop_if_harmful(stores, ada)
    assert asked == [1, 2]
