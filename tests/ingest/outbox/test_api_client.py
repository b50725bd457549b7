"""What goes over the wire is what the outbox holds, and nothing that the API would refuse."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebbtide.beats import Activity, Gap, GapReason, Notification
from ebbtide.timestamps import EARLIEST, LATEST, SECOND
from ebbtide.upload_schema import ActivityBody, GapBody, NotificationBody
from ingest.outbox.api_client import IngestClient, RefusedError

START = 1_790_000_000 * SECOND
times_ns = st.integers(EARLIEST, LATEST - 1)


@st.composite
def notifications(draw: st.DrawFn) -> Notification:
    rr_ticks = tuple(draw(st.lists(st.integers(0, 0xFFFF), max_size=16)))
    return Notification(
        sequence=draw(st.integers(1, 2**53 - 1)),
        received_ns=draw(times_ns),
        heart_rate_bpm=draw(st.integers(0, 0xFFFF)),
        rr_ticks=rr_ticks,
        beat_times_ns=tuple(draw(times_ns) for _ in rr_ticks),
        contact=draw(st.none() | st.booleans()),
        energy_kj=draw(st.none() | st.integers(0, 0xFFFF)),
    )


@given(notifications())
def test_a_notification_comes_out_of_json_as_it_went_in(notification: Notification) -> None:
    sent = NotificationBody.from_notification(notification).model_dump(mode="json")
    assert NotificationBody.model_validate(json.loads(json.dumps(sent))).to_notification() == (
        notification
    )


def test_gaps_and_activity_come_out_of_json_as_they_went_in() -> None:
    gap = Gap(2, START, START + SECOND, GapReason.LINK_LOST)
    assert GapBody.model_validate_json(GapBody.from_gap(gap).model_dump_json()).to_gap() == gap
    activity = Activity(START, 18.5)
    sent = ActivityBody.from_activity(activity).model_dump_json()
    assert ActivityBody.model_validate_json(sent).to_activity() == activity


def test_what_the_format_cannot_hold_is_a_refusal_and_nothing_is_sent() -> None:
    async def upload() -> None:
        # Nothing listens at this address: a request would be UnavailableError.
        async with IngestClient("http://127.0.0.1:9") as client:
            early = Notification(1, EARLIEST - 1, 60, (1024,), (EARLIEST - 1,))
            await client.upload("stream", [early], [])

    with pytest.raises(RefusedError, match="cannot be uploaded: received_ns"):
        asyncio.run(upload())
