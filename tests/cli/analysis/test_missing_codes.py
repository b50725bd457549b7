"""Codes for missing values: off the scale they are missing, and where doubtful they are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.analysis.missing_codes import (
    CODES,
    parse_missing,
    parse_scale,
    remove_link_codes,
    remove_scale_codes,
)
from ebbtide.errors import EbbtideError

NOTHING = parse_missing(None)


@given(
    st.sampled_from(["0-10", "0-100", "1-5", "0-4"]),
    st.sampled_from(sorted(CODES)),
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    st.integers(1, 30),
)
@settings(max_examples=200)
def test_no_code_is_counted_as_a_rating(text: str, code: int, raw: list[int], n: int) -> None:
    scale = parse_scale(text)
    assert scale is not None
    ratings = np.array([max(scale[0], value) for value in raw])
    values = np.append(ratings, np.full(n, float(code)))
    try:
        left, taken, _ = remove_scale_codes(values, "pain", NOTHING, scale)
    except EbbtideError as error:
        assert scale[0] <= code <= scale[1] and f"{code} ({n} times)" in str(error)
        return
    assert not scale[0] <= code <= scale[1]
    assert taken == {str(code): n}
    assert np.array_equal(left[np.isfinite(left)], ratings)


@given(st.sampled_from(sorted(CODES)), st.integers(1, 30), st.integers(0, 2**32 - 1))
@settings(max_examples=200)
def test_link_asks_for_a_code_that_stands_apart(code: int, n: int, seed: int) -> None:
    ratings = np.random.default_rng(seed).integers(0, 11, 60).astype(float)
    values = np.append(ratings, np.full(n, float(code)))
    with pytest.raises(EbbtideError, match="missing value, or a value"):
        remove_link_codes(values, "pain", NOTHING)
    left, taken = remove_link_codes(values, "pain", parse_missing(f"pain={code}"))
    assert taken == {str(code): n} and np.array_equal(left[:60], ratings)
    unchanged, none = remove_link_codes(values, "pain", parse_missing("none"))
    assert none == {} and np.array_equal(unchanged, values)


def test_a_heart_rate_of_99_is_a_value() -> None:
    rates = np.array([70.0, 77, 81, 88, 90, 92, 95, 97, 99, 99, 101, 104])
    left, taken = remove_link_codes(rates, "rate", NOTHING)
    assert np.array_equal(left, rates) and taken == {}


def test_values_off_the_scale_that_are_no_code_are_refused() -> None:
    with pytest.raises(EbbtideError, match="11 is off the scale"):
        remove_scale_codes(np.array([3.0, 11]), "pain", NOTHING, (0, 10))
    with pytest.raises(EbbtideError, match="-1 is off"):
        remove_scale_codes(np.array([3.0, 8, -1]), "pain", NOTHING, None)
    with pytest.raises(EbbtideError, match="is no scale"):
        parse_scale("10-0")
