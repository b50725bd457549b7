"""Beats and windows for analysts: nothing in them says where midnight UTC is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from analytics.hrv.windows import WINDOW_NS, hrv_windows
from api.export.fhir.bulk import export_lines
from api.services.cache.analysis import AnalysisCache
from api.services.cohort import load_cohort
from api.services.inputs import load_beats
from api.services.research_identity import GRID, WEEK, ResearchIdentity
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, SECOND, to_datetime
from store import Stores
from tests.support.clinic import Clinic, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together, identity_of


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    """Ada's nights from Wednesday to Thursday, and from Saturday to Sunday."""
    with opened_clinic(stores) as opened:
        person, rng = opened.people["ada"], np.random.default_rng(3)
        wednesday = (stores.now() // WEEK - RELEASED_WEEKS) * WEEK + 6 * DAY
        for begin in (wednesday + 20 * HOUR, wednesday + 3 * DAY + 17 * HOUR):
            stream = Stream(new_id(), Origin.STRAP, "strap", begin)
            stores.beats.put_stream(person.subject_id, stream)
            ticks = rng.normal(930, 35, 12 * 3600).clip(600, 1400).astype(int)
            times = begin + np.cumsum(ticks * SECOND // 1024)
            items = [
                Notification(k + 1, int(times[k]), 60, (int(ticks[k]),), (int(times[k]),), True)
                for k in range(len(ticks))
            ]
            stores.beats.append(person.subject_id, stream.id, items)
        agree_together(opened, "ada")
        yield opened


@pytest.fixture
def ada(clinic: Clinic) -> ResearchIdentity:
    return identity_of(clinic.stores, clinic.people["ann"], clinic.people["ada"])


def test_batches_end_at_midnights_of_the_analysts_clock(clinic: Clinic) -> None:
    content = clinic["ann"].get("/v1/research/beats.arrows").raise_for_status().content
    batches = [batch for batch in pa.ipc.open_stream(io.BytesIO(content)) if len(batch)]
    assert len(batches) == 4
    for batch in batches:
        times = batch["time_ns"].to_numpy()
        assert len(set((times // DAY).tolist())) == 1
        assert np.all(times % 10**6 == 0)
    times = np.concatenate([batch["time_ns"].to_numpy() for batch in batches])
    assert np.all(np.diff(times) > 0)
    # Nothing of the night between two weeks, and nothing follows on what is not there.
    of_week = (times - 3 * DAY) % WEEK
    assert np.all((of_week >= 4 * HOUR) & (of_week < 6 * DAY + 22 * HOUR))
    follows = np.concatenate([batch["follows"].to_numpy(zero_copy_only=False) for batch in batches])
    gaps = np.flatnonzero(np.diff(times) > HOUR) + 1
    assert len(gaps) == 2
    assert not follows[gaps].any()
    assert follows.sum() == len(follows) - 3


def test_beats_are_all_those_of_the_weeks(clinic: Clinic, ada: ResearchIdentity) -> None:
    stored = clinic.stores.beats.read(clinic.people["ada"].subject_id, 0, 2**62)
    moved, inside = ada.clock.to_research(stored.time_ns)
    rows, cursor = [], None
    while True:
        query = {"limit": 7001, **({"cursor": cursor} if cursor else {})}
        page = clinic["ann"].get("/v1/research/beats", params=query).json()
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [row["time_ns"] for row in rows] == (moved[inside] // 10**6 * 10**6).tolist()
    assert [row["rr_ticks"] for row in rows] == stored.rr_ticks[inside].tolist()
    start = to_datetime(rows[500]["time_ns"]).isoformat()
    end = (to_datetime(rows[9000]["time_ns"]) + timedelta(microseconds=1)).isoformat()
    query = {"limit": 100_000, "start": start, "end": end}
    assert clinic["ann"].get("/v1/research/beats", params=query).json()["rows"] == rows[500:9001]


def test_windows_go_on_over_midnight_utc(clinic: Clinic, ada: ResearchIdentity) -> None:
    rows = clinic["ann"].get("/v1/research/hrv", params={"limit": 100_000}).json()["rows"]
    starts = np.array([row["start_ns"] for row in rows], dtype=np.int64)
    assert np.all(starts % GRID == 0)
    night = starts[starts < starts[0] + 20 * HOUR]
    assert np.array_equal(np.diff(night), np.full(len(night) - 1, GRID))
    assert [row["local_hour"] for row in rows] == (starts % DAY / HOUR).tolist()
    # They are the windows of these beats, from the person's true times.
    person = clinic.people["ada"]
    beats = load_beats(clinic.stores, person, 0, 2**62)
    true = np.array([ada.clock.to_true(int(start)) for start in starts], dtype=np.int64)
    expected = hrv_windows(beats, true, WINDOW_NS).value("rmssd_ms")
    found = np.array([np.nan if row["rmssd_ms"] is None else row["rmssd_ms"] for row in rows])
    assert np.isfinite(found).sum() > 150
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_people_are_counted_as_the_tables_have_them(clinic: Clinic, ada: ResearchIdentity) -> None:
    people = clinic["ann"].get("/v1/research/people").json()["people"]
    (subject,) = (row for row in people if row["beats"])
    beats = clinic["ann"].get("/v1/research/beats", params={"limit": 100_000}).json()["rows"]
    assert subject["person"] == ada.name
    assert subject["beats"] == len(beats)
    days = sorted({row["time_ns"] // DAY for row in beats})
    assert subject["days_with_beats"] == len(days)
    assert subject["first_beat"] == to_datetime(days[0] * DAY).replace(tzinfo=None).isoformat()
    assert subject["last_beat"] == to_datetime(days[-1] * DAY).replace(tzinfo=None).isoformat()


def put_beats(clinic: Clinic, name: str, origin: Origin, begin: int) -> None:
    """A minute of beats, one a second."""
    subject_id = clinic.people[name].subject_id
    stream = Stream(new_id(), origin, f"a {origin}", begin)
    clinic.stores.beats.put_stream(subject_id, stream)
    times = tuple(range(begin + SECOND, begin + 61 * SECOND, SECOND))
    item = Notification(1, times[-1], 60, (1024,) * 60, times, True)
    clinic.stores.beats.append(subject_id, stream.id, [item])


@pytest.mark.parametrize("origin", [Origin.PULSE, Origin.SIMULATED])
def test_where_beats_come_from_is_given_when_they_are_released(
    clinic: Clinic, ada: ResearchIdentity, origin: Origin
) -> None:
    def subject() -> dict[str, object]:
        people = clinic["ann"].get("/v1/research/people").raise_for_status().json()["people"]
        (found,) = (row for row in people if row["person"] == ada.name)
        return found

    def labels() -> str:
        cohort = load_cohort(clinic.stores, clinic.people["ann"], 5)
        return "".join(export_lines(clinic.stores, AnalysisCache(), cohort.subjects, "Patient"))

    before, labels_before = subject(), labels()
    assert before["origins"] == ["strap"]
    assert before["simulated"] is False
    # The last week before what is released ends, and the first that is not.
    end = ada.clock.released_end(clinic.stores.now())
    put_beats(clinic, "ada", origin, ada.clock.to_true(end + HOUR))
    assert subject() == before
    assert labels() == labels_before
    put_beats(clinic, "ada", origin, ada.clock.to_true(end - 8 * HOUR))
    after = subject()
    assert after["origins"] == sorted(["strap", origin])
    assert after["simulated"] is (origin is Origin.SIMULATED)
    assert (labels() != labels_before) is (origin is Origin.SIMULATED)
