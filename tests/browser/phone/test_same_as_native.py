"""The same notifications through the phone and the native recorder give the same in the store."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Playwright

from api.services.access_tokens import issue_token
from ebbtide.beats import GapReason, Origin
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import HOUR, MILLISECOND, to_datetime
from ingest import BatchWriter, Outbox, Recorder
from ingest.outbox.api_client import IngestClient
from ingest.outbox.uploader import Uploader
from ingest.straps.heart_rate import HeartRateMeasurement, decode
from ingest.straps.strap import RawNotification, SignalBreak
from tests.support.accounts import add_account
from tests.support.phone_recording import (
    Phone,
    open_page,
    pair,
    running_browser,
    stop,
    wait_for,
    wait_in,
    wait_until_recording,
)
from tests.support.played_bluez import PlayedStrap

pytestmark = pytest.mark.browser


class _Played:
    """The strap again, for the native recorder: what it sent, by the page's clock."""

    origin = Origin.STRAP
    ticks_per_second = STRAP_TICKS_PER_SECOND

    def __init__(self, name: str, start_ms: int) -> None:
        self.name = name
        self._start_ms = start_ms
        self.events_: list[bytes | GapReason] = []

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        return decode(payload)

    def stop(self) -> None:
        pass

    async def events(self) -> AsyncIterator[RawNotification | SignalBreak]:
        """Time passes as in recorder_page.js, in the same floating-point numbers."""
        time = now = float(self._start_ms)
        count = 0
        for event in self.events_:
            if isinstance(event, GapReason):
                yield SignalBreak(event)
                continue
            for at in range(2, len(event) - 1, 2) if event[0] & 0x10 else ():
                time += int.from_bytes(event[at : at + 2], "little") * 1000 / 1024
            count += 1
            now = max(now + 1, time + count * 7919 % 400)
            yield RawNotification(event, _to_ns(now), _to_ns(now - self._start_ms))


def _to_ns(ms: float) -> int:
    return math.floor(ms * 1000 + 0.5) * 1000


async def _record_natively(played: _Played, url: str, token: str, folder: Path) -> None:
    with Outbox(folder / "outbox.sqlite") as outbox, BatchWriter(outbox) as writer:
        await Recorder(played, writer, "account").run()
        async with IngestClient(url, token) as client:
            await Uploader(outbox, client, "account").upload_waiting()


def test_phone_and_native_recorder_give_the_same_beats_gaps_and_hrv(
    playwright: Playwright, phone: Phone, strap: PlayedStrap, tmp_path: Path
) -> None:
    chance = random.Random(7)
    start_ms = (phone.stores.now() - 2 * HOUR) // MILLISECOND
    played = _Played(strap.name, start_ms)

    def payload() -> bytes:
        rr = [chance.randrange(780, 900) for _ in range(chance.choice((0, 1, 1, 1, 2)))]
        flags = (0x10 if rr else 0) | (0x06 if chance.random() < 0.97 else 0x04)
        return bytes([flags, 72]) + b"".join(one.to_bytes(2, "little") for one in rr)

    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address(clock=str(start_ms), late="1"))
        pair(page, strap)
        for run in range(6):
            if run in (2, 4):
                strap.lose_link(refuse=run // 4)
                played.events_.append(GapReason.LINK_LOST)
                wait_for(lambda: strap.notifying, page, "a new link")
                wait_until_recording(page)
            before = len(played.events_)
            for number in range(150):
                one = bytes([0x01, 0x40]) if (run, number) == (1, 70) else payload()
                assert strap.notify(one)
                played.events_.append(one)
            count = sum(isinstance(one, bytes) for one in played.events_)
            assert len(played.events_) == before + 150
            seen = "window.durable + window.recorder.malformed + window.recorder.repeated"
            wait_in(page, f"{seen} === {count}")
        stop(page)

    native = add_account(phone.stores, "native@example.org", zone="Europe/Berlin")
    token, _ = issue_token(phone.stores, native)
    with ThreadPoolExecutor(1) as other_thread:  # Playwright's loop runs in this one
        other_thread.submit(
            asyncio.run, _record_natively(played, phone.site.url, token, tmp_path)
        ).result()

    stores = phone.stores
    mine, theirs = (
        stores.beats.read(person.subject_id, 0, 2**62) for person in (phone.person, native)
    )
    assert len(theirs) > 800
    for column in ("time_ns", "rr_ticks", "ticks_per_second", "contact", "follows"):
        assert np.array_equal(getattr(mine, column), getattr(theirs, column)), column
    gaps = [
        [
            (gap.gap.sequence, gap.gap.start_ns, gap.gap.end_ns, gap.gap.reason)
            for gap in stores.beats.gaps(person.subject_id, 0, 2**62)
        ]
        for person in (phone.person, native)
    ]
    assert gaps[0] == gaps[1]
    assert len(gaps[0]) >= 3
    start = to_datetime(start_ms * MILLISECOND)
    span = {"start": start.isoformat(), "end": (start + timedelta(minutes=20)).isoformat()}
    reports = []
    for one in (phone.token, token):
        headers = {"Authorization": f"Bearer {one}"}
        answer = httpx.get(f"{phone.site.url}/v1/hrv", params=span, headers=headers, timeout=60)
        assert answer.is_success, answer.text
        reports.append(answer.json())
    assert reports[0] == reports[1]
    assert "rmssd" in str(reports[0]).lower()
