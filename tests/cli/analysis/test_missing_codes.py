"""Codes for missing values: off the scale they are missing, and where doubtful they are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.analysis.doubts import doubt_names, doubt_values, refuse_coded_groups
from cli.analysis.missing_codes import (
    CODES,
    doubtful_times,
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
    with pytest.raises(EbbtideError, match=r"-0\.5 is off"):
        remove_scale_codes(np.array([3.0, 8, -0.5]), "pain", NOTHING, None)
    with pytest.raises(EbbtideError, match="is no scale"):
        parse_scale("10-0")


@pytest.mark.parametrize("code", [-1, -2, -6])
def test_small_numbers_below_0_are_asked_where_no_other_value_is(code: int) -> None:
    values = np.array([4.0, 5, 3, 4, 5, 6, code, code])
    with pytest.raises(EbbtideError, match=f"{code} \\(2 times\\)"):
        remove_link_codes(values, "stress", NOTHING)
    changes = np.append(values, [-9.5, -3.5])
    assert remove_link_codes(changes, "change", NOTHING)[1] == {}


def test_9_beside_1_to_5_is_asked_when_it_comes_often() -> None:
    values = np.array([1.0, 2, 3, 2, 1, 5, 2, 3])
    with pytest.raises(EbbtideError, match="9 \\(3 times\\)"):
        remove_link_codes(np.append(values, [9, 9, 9]), "stress", NOTHING)
    with pytest.raises(EbbtideError, match="9 \\(3 times\\)"):
        remove_scale_codes(np.append(values, [9, 9, 9]), "pain", NOTHING, None)
    assert remove_link_codes(np.append(values, 9), "stress", NOTHING)[1] == {}  # one bad day
    assert remove_link_codes(np.append(values, [6, 7, 7, 7]), "stress", NOTHING)[1] == {}


def test_a_code_among_visits_is_asked() -> None:
    visits = np.repeat([0.0, 4, 26], 30)
    assert doubtful_times(visits) == set()
    assert doubtful_times(np.append(visits, -99)) == {-99.0}
    assert doubtful_times(np.append(visits, [999, 999])) == {999.0}
    assert doubtful_times(np.repeat([0.0, 99], 30)) == set()  # a visit at day 99


def test_a_value_far_from_all_others_is_named() -> None:
    values = np.array([4.0, 5, 3, 4, 5, 6, 0, 10, np.nan])
    assert doubt_values(values, "stress") == []
    (said,) = doubt_values(np.append(values, 55), "stress")
    assert "55 far from all other values (0 to 10)" in said
    assert doubt_values(np.array([1.0, 100]), "stress") == []


def test_names_that_differ_in_case_are_named() -> None:
    assert doubt_names(["P1", "P2", "Q1"], "who") == []
    (said,) = doubt_names(["P1", "p1", "P 1", "P2"], "who")
    assert "'P 1' and 'P1' and 'p1'" in said
    (said,) = doubt_names([f"{letter}{n}" for letter in "Pp" for n in range(9)], "who")
    assert "and 6 more" in said


def test_a_code_among_groups_is_asked() -> None:
    refuse_coded_groups(["1", "2"], "arm")
    refuse_coded_groups(["99"], "arm")
    with pytest.raises(EbbtideError, match="-99 beside prt, usual"):
        refuse_coded_groups(["usual", "prt", "-99"], "arm")
