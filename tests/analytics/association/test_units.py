"""The link does not depend on the units of its columns, nor on where they begin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.association.group import group_link
from analytics.association.within_person import within_person_link
from tests.support.cohort import simulate_cohort

UNITS = st.floats(-9, 9).map(lambda power: 10.0**power)
OFFSETS = st.floats(-1e4, 1e4)  # in spreads of the column


@given(UNITS, UNITS, OFFSETS, OFFSETS)
@settings(deadline=None, max_examples=12)
def test_units_and_offsets_of_a_group(x_unit: float, y_unit: float, x0: float, y0: float) -> None:
    who, day, x, y = simulate_cohort(np.random.default_rng(3), 6, 30, 0.3)
    one = group_link(who, day, x, y, resamples=200)
    two = group_link(who, day, (x + x0) * x_unit, (y + y0) * y_unit, resamples=200)
    assert one.estimate is not None and two.estimate is not None
    assert two.estimate / y_unit * x_unit == pytest.approx(one.estimate, rel=1e-6)
    assert two.p_value == pytest.approx(one.p_value, rel=1e-5)
    assert two.rmcorr.r == pytest.approx(one.rmcorr.r, rel=1e-7)
    assert two.detrended_rmcorr.r == pytest.approx(one.detrended_rmcorr.r, rel=1e-7)
    assert two.detrended_rmcorr.p_value == pytest.approx(one.detrended_rmcorr.p_value, rel=1e-5)


@given(UNITS, UNITS, OFFSETS, OFFSETS)
@settings(deadline=None, max_examples=12)
def test_units_and_offsets_of_a_person(x_unit: float, y_unit: float, x0: float, y0: float) -> None:
    _, day, x, y = simulate_cohort(np.random.default_rng(4), 1, 45, 0.3)
    ns = (day * 86_400e9).astype(np.int64)
    one = within_person_link(ns, x, y)
    two = within_person_link(ns, (x + x0) * x_unit, (y + y0) * y_unit)
    assert one.estimate is not None and two.estimate is not None
    assert two.estimate / y_unit * x_unit == pytest.approx(one.estimate, rel=1e-6)
    assert two.p_value == pytest.approx(one.p_value, rel=1e-5)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_what_never_varies_has_no_link_in_any_unit(unit: float) -> None:
    who, day, x, _ = simulate_cohort(np.random.default_rng(5), 6, 30, 0.3)
    found = group_link(who, day, x * unit, (0.1 * who + 0.3) * unit, resamples=50)
    assert found.estimate is None and found.rmcorr.r is None and found.detrended_rmcorr.r is None
