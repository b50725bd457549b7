"""Draws: known probability, balance, and a proof that they were not changed later."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from analytics.practice import (
    Draw,
    DrawError,
    commitment,
    derive_nonce,
    draw_probability,
    make_draw,
    verify_draws,
)

SEED = bytes(range(32))
ARMS = ("breathing", "somatic tracking", "noticing")


def log(n: int, base: float = 0.5, a_block: int = 4) -> list[Draw]:
    draws: list[Draw] = []
    blocks: dict[str, list[bool]] = {}
    for point in range(n):
        name, block = f"point {point}", f"block {point // a_block}"
        earlier = blocks.setdefault(block, [])
        draws.append(make_draw(derive_nonce(SEED, name), name, block, base, earlier, ARMS))
        earlier.append(draws[-1].offered)
    return draws


def test_draws_are_the_same_everywhere_and_balanced() -> None:
    first = make_draw(derive_nonce(SEED, "point 0"), "point 0", "block 0", 0.5, [], ARMS)
    # Written out: another value would make every stored draw look changed.
    assert first.commitment == "3ac6a6db67bd32c3f40839e818922ca67757d5d52f3494ec8695dcfa6ed2f60d"
    assert log(40) == log(40)
    draws = log(2400)
    offered = np.array([draw.offered for draw in draws])
    probability = np.array([draw.probability for draw in draws])
    assert set(np.round(probability, 6)) == {0.333333, 0.5, 0.666667}
    # Each draw comes true as often as its probability says (3.5 standard errors).
    for value in np.unique(probability):
        chosen = probability == value
        error = (value * (1 - value) / chosen.sum()) ** 0.5
        assert abs(offered[chosen].mean() - value) < 3.5 * error
    # Four independent draws would have a variance of 1 a block.
    assert offered.reshape(-1, 4).sum(axis=1).var() < 0.6
    arms = [draw.arm for draw in draws if draw.arm]
    assert min(arms.count(arm) for arm in ARMS) > len(arms) / 3 * 0.9


def test_verify_finds_every_change() -> None:
    draws = log(12, 0.6)
    verify_draws(draws)
    changed = draws[5]
    other = derive_nonce(bytes(32), changed.decision_point)
    for bad, what in (
        (replace(changed, offered=not changed.offered), "offered|arm"),
        (replace(changed, probability=0.55), "probability"),
        (replace(changed, nonce=other), "commitment"),
        (replace(changed, base_probability=0.5), "commitment"),
        (replace(changed, commitment="0" * 64), "commitment"),
        (replace(changed, arms=ARMS[::-1]), "commitment"),
        (draws[4], "drawn twice"),
    ):
        with pytest.raises(DrawError, match=what):
            verify_draws([*draws[:5], bad, *draws[6:]])
    # A draw left out changes the probability of those after it in its block, or nothing.
    left_out = [draw for draw in draws if draw.decision_point != "point 4"]
    with pytest.raises(DrawError, match="point 5: probability"):
        verify_draws(left_out)


@pytest.mark.parametrize("base", [0.2, 0.37, 0.5, 0.8])
def test_no_draw_is_certain(base: float) -> None:
    for size in range(5):
        for earlier in itertools.product((False, True), repeat=size):
            chance = draw_probability(base, earlier)
            assert 0.1 <= chance <= 0.9
            surplus = sum(earlier) - base * size
            assert surplus == 0 or (chance < base) == (surplus > 0)


def test_bad_input_is_refused_in_words() -> None:
    nonce = derive_nonce(SEED, "p")
    with pytest.raises(DrawError, match="32 random"):
        derive_nonce(b"short", "p")
    with pytest.raises(DrawError, match="too rare"):
        draw_probability(0.95, [])
    with pytest.raises(DrawError, match="64 hexadecimal"):
        commitment("abc", "p", "b", 0.5, ("x",))
    with pytest.raises(DrawError, match="each once"):
        make_draw(nonce, "p", "b", 0.5, [], ())
    # Names that run into one another give other commitments.
    assert commitment(nonce, "p", "qr", 0.5, "x") != commitment(nonce, "pq", "r", 0.5, "x")
