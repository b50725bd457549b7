"""Nights in own recordings: found by the nightly analysis once, grown, and gone with them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from api.services.nightly import run_nightly
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import HOUR, SECOND
from store import Stores
from store.models import Person
from tests.support.assertions import assert_problem
from tests.support.beats import MIDNIGHT

EVENING = MIDNIGHT + 16 * HOUR
SignedIn = Callable[..., httpx.Client]


@pytest.fixture
def client(signed_in: SignedIn) -> httpx.Client:
    return signed_in("ada@example.org")


@pytest.fixture
def ada(stores: Stores, client: httpx.Client) -> Person:
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    return person


def record(
    stores: Stores,
    person: Person,
    parts: list[tuple[float, float]],
    *,
    at_ns: int = EVENING,
    origin: Origin = Origin.STRAP,
    source: str = "Polar H10 A1B2",
) -> str:
    """Beats of so many hours at a rate each."""
    rng = np.random.default_rng(1)
    rr = np.concatenate([np.full(round(hours * 60 * bpm), 60_000 / bpm) for hours, bpm in parts])
    rr = rr * np.exp(0.03 * rng.normal(size=len(rr)))
    ticks = np.round(rr * 1.024).astype(int)
    times = at_ns + np.cumsum(ticks) * (SECOND // 1024)
    stream = new_id()
    stores.beats.put_stream(person.subject_id, Stream(stream, origin, source, at_ns))
    beats = [
        Notification(k + 1, int(t), 70, (int(n),), (int(t),))
        for k, (t, n) in enumerate(zip(times, ticks, strict=True))
    ]
    for begin in range(0, len(beats), 5000):
        stores.beats.append(person.subject_id, stream, beats[begin : begin + 5000])
    return stream


def nightly(stores: Stores) -> int:
    with ThreadPoolExecutor(1) as executor:
        done = run_nightly(stores, executor, 1)
    assert done.failed == []
    return done.nights


def nights(stores: Stores, person: Person) -> list[Night]:
    return [item.night for item in stores.nights.nights(person.id)]


def test_a_night_in_a_recording_is_stored_once_grows_and_goes_with_it(
    stores: Stores, ada: Person, client: httpx.Client
) -> None:
    stream = record(stores, ada, [(7, 82), (5, 54)])
    assert nightly(stores) == 1
    (first,) = nights(stores, ada)
    assert (first.basis, first.source) == (NightBasis.RECORDING, "Polar H10 A1B2")
    assert abs(first.start_ns - (EVENING + 7 * HOUR)) <= HOUR / 4
    assert first.mean_hr_bpm == pytest.approx(54, abs=1)
    # Each interval varies by 3% on its own: neighbours differ by that times the root of two.
    assert first.rmssd_ms == pytest.approx(0.03 * 2**0.5 * 60_000 / 54, rel=0.05)
    assert first.sdnn_ms == pytest.approx(0.03 * 60_000 / 54, rel=0.05)
    assert first.low_quarter_hr_bpm is not None and first.low_quarter_hr_bpm <= first.mean_hr_bpm
    assert first.windows >= 0.9 * first.steps and len(first.values) == first.steps
    assert nightly(stores) == 0  # nothing changed
    rest = record(stores, ada, [(3, 54), (4, 82)], at_ns=EVENING + 12 * HOUR)
    assert nightly(stores) == 1
    (whole,) = nights(stores, ada)
    assert whole.day == first.day and whole.end_ns - first.end_ns == pytest.approx(
        3 * HOUR, abs=HOUR / 3
    )
    refused = client.delete("/v1/nights", params={"source": whole.source})
    assert_problem(refused, 422, "Remove the recording")
    assert client.delete(f"/v1/streams/{rest}").status_code == 200
    assert nights(stores, ada) == []  # at once: what was computed from it goes with a recording
    assert nightly(stores) == 1
    assert [night.end_ns for night in nights(stores, ada)] == [first.end_ns]  # of what is left
    assert client.delete(f"/v1/streams/{stream}").status_code == 200
    assert nights(stores, ada) == []
    assert nightly(stores) == 0


def test_a_night_that_was_imported_of_the_same_device_stays(stores: Stores, ada: Person) -> None:
    record(stores, ada, [(7, 82), (7, 54), (4, 82)], source="Watch (Apple Health)")
    nightly(stores)
    (own,) = nights(stores, ada)
    stores.nights.remove_nights(ada.id, own.source)
    imported = Night(
        *(own.day, own.source, own.start_ns, own.end_ns, own.offset_s, NightBasis.VALUES),
        sdnn_ms=50.0,
    )
    stores.nights.put_nights(ada.id, [imported], stores.now())
    assert nightly(stores) == 0
    assert nights(stores, ada) == [imported]


def test_naps_and_simulated_beats_are_no_nights_and_files_are_one_device(
    stores: Stores, ada: Person
) -> None:
    record(stores, ada, [(7, 82), (2, 54), (7, 82)])
    assert nightly(stores) == 0
    later = EVENING + 2016 * HOUR
    record(stores, ada, [(7, 82), (7, 54), (4, 82)], at_ns=later, origin=Origin.SIMULATED)
    assert nightly(stores) == 0
    for k in (2, 3):
        record(
            *(stores, ada, [(7, 82), (7, 54), (4, 82)]),
            at_ns=EVENING + 2016 * k * HOUR,
            origin=Origin.FILE,
            source=f"{k}.csv (RR intervals)",
        )
    assert nightly(stores) == 2
    assert {night.source for night in nights(stores, ada)} == {"Recordings (RR intervals)"}


def test_no_client_says_that_a_night_is_of_a_recording(
    stores: Stores, ada: Person, client: httpx.Client
) -> None:
    body = {
        "day": "2026-03-02",
        "source": "me",
        "start": "2026-03-01T23:00:00Z",
        "end": "2026-03-02T05:00:00Z",
        "basis": "found in an own recording",
        "rmssd_ms": 40.0,
    }
    response = client.put("/v1/nights", json={"nights": [body]})
    assert_problem(response, 422, "they are not sent")
