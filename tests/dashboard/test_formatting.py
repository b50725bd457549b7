"""Numbers as people read them."""

from __future__ import annotations

from babel import Locale

from dashboard.i18n.formatting import slope_parts
from dashboard.i18n.language import reading_as

SLOPE = {"estimate": 0.3, "low": 0.1, "high": 0.5}


def test_the_p_value_is_the_one_that_the_words_rest_on() -> None:
    """Beside two answers stood the one before the correction for two looks."""
    with reading_as(Locale("en", "GB")):
        alone = slope_parts({**SLOPE, "p_value": 0.03, "p_adjusted": 0.03})["p_value"]
        both = slope_parts({**SLOPE, "p_value": 0.03, "p_adjusted": 0.06})["p_value"]
        small = slope_parts({**SLOPE, "p_value": 0.0002, "p_adjusted": 0.0004})["p_value"]
        clinic = slope_parts({**SLOPE, "p_value": 0.03})["p_value"]
    assert alone == clinic == "= 0.030"
    assert both == "= 0.060 (corrected for several looks)"
    assert small == "under 0.001 (corrected for several looks)"
