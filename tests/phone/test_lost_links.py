"""Why the app says that a link was lost, by the battery that the strap told before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ebbtide.beats import LOW_BATTERY_PERCENT, GapReason
from tests.support.node import play

LOST, LOW = str(GapReason.LINK_LOST), str(GapReason.BATTERY_LOW)
UNITS = Path(__file__).parents[2] / "phone/static/js/timing/units.js"


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """The reasons of the breaks in each case of the script."""
    reasons: dict[str, list[str]] = play(Path(__file__).with_name("lost_links.mjs"))
    return reasons


@pytest.mark.parametrize(
    ("case", "reasons"),
    [
        ("full", [LOST]),
        ("eleven", [LOST]),
        ("ten", [LOW]),
        ("untold", [LOST]),  # many straps tell no level: nothing is known of it
        ("fell", [LOW]),  # the last level counts, not the first
        ("lowAndAway", [LOW, LOW, LOW]),
        # A browser does not say whether a strap that takes no connection was heard: no refusal.
        ("fullAndAway", [LOST, LOST, LOST]),
        ("batteryChanged", [LOW, LOST]),
    ],
)
def test_the_reason_follows_the_last_level(
    found: dict[str, list[str]], case: str, reasons: list[str]
) -> None:
    assert found[case] == reasons


def test_the_app_and_the_recorder_agree_on_what_is_low() -> None:
    written = re.search(r"LOW_BATTERY_PERCENT = (\d+);", UNITS.read_text())
    assert written is not None and int(written[1]) == LOW_BATTERY_PERCENT


def test_reasons_are_spelled_as_the_store_has_them() -> None:
    body = re.search(r"GapReason = Object\.freeze\(\{(.*?)\}\)", UNITS.read_text(), re.DOTALL)
    assert body is not None
    names = dict(re.findall(r'(\w+): "([^"]+)"', body[1]))
    assert names and all(GapReason[name] == word for name, word in names.items())
