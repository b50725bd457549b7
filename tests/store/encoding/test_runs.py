"""What of an upload is new, beside what is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ebbtide.beats import Gap, GapReason
from ebbtide.timestamps import SECOND
from store.encoding import beat_block
from store.encoding.runs import Run, acknowledged_sequence, plan_append
from store.errors import BeatsOutOfOrderError
from tests.support.beats import START, made


def _run(first: int, last: int) -> Run:
    """The run of ``made(first, last)``."""
    beats = last - first + 1
    return Run(first, last, beats, START + first * SECOND, START + last * SECOND + 1)


def _gap(sequence: int, end_ns: int = 9) -> Gap:
    return Gap(sequence, 1, end_ns, GapReason.LINK_LOST)


def test_all_is_new_in_an_empty_stream() -> None:
    plan = plan_append("s", made(1, 9), [_gap(4)], [])
    assert [new.run for new in plan.runs] == [_run(1, 9)]
    assert plan.notifications == made(1, 9)
    assert plan.gaps == (_gap(4),)


def test_nothing_is_new_the_second_time() -> None:
    plan = plan_append("s", made(3, 7), [_gap(4)], [_run(1, 9)])
    assert plan.runs == ()
    assert plan.gaps == ()
    assert plan.notifications == []


def test_what_is_new_is_split_at_what_is_stored() -> None:
    stored = [_run(1, 2), _run(5, 6), _run(8, 8)]
    plan = plan_append("s", made(2, 10), [_gap(2), _gap(3), _gap(5), _gap(9)], stored)
    assert [new.run for new in plan.runs] == [_run(3, 4), _run(7, 7), _run(9, 10)]
    assert [gap.sequence for gap in plan.gaps] == [3, 9]


def test_of_two_gaps_before_one_notification_the_first_counts() -> None:
    assert plan_append("s", made(1, 3), [_gap(2, 8), _gap(2, 9)], []).gaps == (_gap(2, 8),)


def test_a_run_without_beats_has_no_time() -> None:
    silent = [replace(item, rr_ticks=(), beat_times_ns=()) for item in made(1, 3)]
    (new,) = plan_append("s", silent, [], []).runs
    # The second came while the strap touched no skin.
    assert [item.contact for item in silent] == [True, False, None]
    rates = (2, silent[0].received_ns, silent[2].received_ns + 1)
    assert new.run == Run(1, 3, 0, None, None, *rates)
    joined = Run(1, 5, 2, _run(4, 5).start_ns, _run(4, 5).end_ns, *rates)
    assert new.run.join(_run(4, 5)) == joined
    assert _run(4, 5).join(Run(6, 7, 0, None, None)) == replace(_run(4, 5), last=7)


@pytest.mark.parametrize(
    ("stored", "first", "last"),
    [
        (replace(_run(1, 2), end_ns=START + 3 * SECOND + 1), 3, 4),
        (replace(_run(5, 6), start_ns=START + 4 * SECOND), 3, 4),
    ],
)
def test_new_beats_lie_between_those_around_them(stored: Run, first: int, last: int) -> None:
    with pytest.raises(BeatsOutOfOrderError, match="stream s"):
        plan_append("s", made(first, last), [], [stored])


def test_new_runs_of_one_upload_are_in_order_among_themselves() -> None:
    # Between them lies a stored notification without beats, which compares with neither.
    late = [replace(made(1, 1)[0], beat_times_ns=(START + 60 * SECOND,))]
    with pytest.raises(BeatsOutOfOrderError):
        plan_append("s", [*late, *made(2, 3)], [], [Run(2, 2, 0, None, None)])


def test_stored_runs_are_not_compared_with_each_other() -> None:
    # A repeated upload is answered as the first time, whatever is stored.
    stored = [replace(_run(1, 2), end_ns=START + 9 * SECOND), _run(3, 4)]
    assert plan_append("s", made(1, 4), [], stored).runs == ()
    assert [new.run for new in plan_append("s", made(3, 6), [], stored).runs] == [_run(5, 6)]


def test_acknowledged_ends_at_the_first_hole() -> None:
    assert acknowledged_sequence([]) == 0
    assert acknowledged_sequence([(1, 4), (5, 6), (8, 9)]) == 6
    assert acknowledged_sequence([(2, 4)]) == 0


def test_merged_blocks_are_the_block_of_all() -> None:
    parts = [
        beat_block.encode(beat_block.from_notifications(made(*ends))) for ends in ((1, 3), (4, 5))
    ]
    data = beat_block.merge(parts, beat_block.from_notifications(made(6, 9)))
    assert beat_block.to_notifications(1, beat_block.decode(data)) == made(1, 9)
    assert data == beat_block.encode(beat_block.from_notifications(made(1, 9)))
