"""What a frozen page gets late and all at once: placed by the ticks, or a gap."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ebbtide.timestamps import SECOND
from tests.support.node import play
from tests.support.phone_vectors import Arrival, simulated_arrivals
from tests.support.strap_simulation import StrapModel

_FROZEN, _THAWED = 60, 660
_MODEL = StrapModel(rr_s=0.83, spread_s=0.04, skew_ppm=60, seed=11)


def _replay(folder: Path, events: Sequence[Arrival | str]) -> dict[str, Any]:
    """What the app's pipeline makes of these events."""
    rows = [
        [one.received, one.monotonic, one.payload.hex()] if isinstance(one, Arrival) else one
        for one in events
    ]
    path = folder / "events.json"
    path.write_text(json.dumps([{"is_pulse": False, "events": rows}]))
    found: dict[str, Any] = play(Path(__file__).with_name("replay_vectors.mjs"), path)[0]
    return found


def _is_late(one: Arrival) -> bool:
    return _FROZEN * SECOND <= one.received < _THAWED * SECOND


def _frozen(events: Sequence[Arrival]) -> list[Arrival]:
    thaw = _THAWED * SECOND
    return [replace(one, received=thaw, monotonic=thaw) if _is_late(one) else one for one in events]


def _beats(found: dict[str, Any]) -> list[int]:
    (stream,) = found["streams"]
    return [time for item in stream["notifications"] for time in item[6]]


@pytest.fixture(scope="module")
def awake() -> list[Arrival]:
    return simulated_arrivals(_MODEL, 760)


def test_late_beats_are_where_they_were(tmp_path: Path, awake: list[Arrival]) -> None:
    """Ten minutes late, each within 0.25 s of where an awake page has it (there was a minute to
    learn the delay and the drift), and marked by its arrival.
    """
    expected = _beats(_replay(tmp_path, awake))
    found = _replay(tmp_path, _frozen(awake))
    times = _beats(found)
    assert len(times) == len(expected)
    assert max(abs(a - b) for a, b in zip(times, expected, strict=True)) < SECOND // 4
    (stream,) = found["streams"]
    assert not stream["gaps"]
    late = [item for item in stream["notifications"] if item[1] == _THAWED * SECOND]
    assert len(late) == sum(map(_is_late, awake))


def test_sleep_that_stops_the_monotonic_clock_is_no_clock_that_was_set(
    tmp_path: Path, awake: list[Arrival]
) -> None:
    slept = (_THAWED - _FROZEN - 5) * SECOND
    events = [
        replace(one, monotonic=one.monotonic - slept) if one.received >= _THAWED * SECOND else one
        for one in _frozen(awake)
    ]
    found = _replay(tmp_path, events)
    assert not found["streams"][0]["gaps"]
    assert _beats(found) == _beats(_replay(tmp_path, _frozen(awake)))


def test_a_queue_that_lost_some_is_a_gap_and_no_wrong_time(
    tmp_path: Path, awake: list[Arrival]
) -> None:
    """Where a quarter is missing, nobody can say where the rest belongs."""
    events = [
        one
        for index, one in enumerate(_frozen(awake))
        if not (_is_late(awake[index]) and index % 4)
    ]
    found = _replay(tmp_path, events)
    (stream,) = found["streams"]
    (gap,) = stream["gaps"]
    assert gap[3] == "link lost"
    assert gap[1] <= _FROZEN * SECOND
    assert gap[2] >= _THAWED * SECOND - 2 * SECOND
    assert not [time for time in _beats(found) if gap[1] < time < gap[2]]
    unplaced = [item for item in stream["notifications"] if item[1] == _THAWED * SECOND]
    assert len(unplaced) > 100
    assert not any(item[5] for item in unplaced)


def test_more_than_the_time_holds_is_off_the_clock(tmp_path: Path, awake: list[Arrival]) -> None:
    """All of it twice."""
    late = [one for index, one in enumerate(_frozen(awake)) if _is_late(awake[index])]
    others = [one for one in awake if not _is_late(one)]
    before = [one for one in others if one.received < _FROZEN * SECOND]
    after = [one for one in others if one.received >= _THAWED * SECOND]
    found = _replay(tmp_path, [*before, *late, *late, *after])
    (gap,) = found["streams"][0]["gaps"]
    assert gap[3] == "intervals off the clock"
    assert not [time for time in _beats(found) if gap[1] < time < gap[2]]


def test_beats_before_a_lost_link_are_not_guessed(tmp_path: Path, awake: list[Arrival]) -> None:
    """The link was lost while the page was frozen: nobody knows when."""
    half = [one for one in awake if not (360 * SECOND < one.received < _THAWED * SECOND)]
    frozen = _frozen(half)
    at = next(index for index, one in enumerate(half) if one.received >= _THAWED * SECOND)
    found = _replay(tmp_path, [*frozen[:at], "link lost", *frozen[at:]])
    (gap,) = found["streams"][0]["gaps"]
    assert gap[3] == "link lost"
    assert gap[1] <= _FROZEN * SECOND
    assert gap[2] >= _THAWED * SECOND - 2 * SECOND
