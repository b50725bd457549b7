"""The contract of a store of nights, on every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ebbtide.nights import Night, NightBasis, NightValue
from ebbtide.timestamps import HOUR
from store import NightStore, RecordStore
from store.errors import ConsentMissingError
from store.models import Consent, NightsPut, Purpose
from tests.support.records import NOW, a_person


def a_night(day: str = "2026-03-02", source: str = "Oura", **changes: object) -> Night:
    night = Night(
        *(day, source, NOW, NOW + 7 * HOUR, 3600, NightBasis.VALUES, 41.25, None, 55.5, 51.0),
        windows=2,
        steps=84,
        values=(NightValue(0, 40.123, None, 56.0), NightValue(300, 42.377, None, 55.0)),
    )
    return replace(night, **changes)  # type: ignore[arg-type]


def test_a_night_is_stored_as_it_is_and_once(
    record_store: RecordStore, night_store: NightStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    first = a_night()
    empty = a_night(
        "2026-03-03", missing_reason="not worn", rmssd_ms=None, mean_hr_bpm=None, values=()
    )
    other = a_night(source="Fitbit", basis=NightBasis.DEVICE)
    assert night_store.put_nights(ada.id, [first, empty, other], NOW) == NightsPut(3, 0, 0)
    assert night_store.put_nights(ada.id, [first, empty, first], NOW + 5) == NightsPut(0, 0, 3)
    assert [item.night for item in night_store.nights(ada.id)] == [other, first, empty]
    assert {item.stored_ns for item in night_store.nights(ada.id)} == {NOW}
    assert [n.night for n in night_store.nights(ada.id, "2026-03-03", "2026-03-03")] == [empty]
    (bare, *_) = night_store.nights(ada.id, values=False)
    assert bare.night == replace(other, values=())
    assert night_store.count_nights(ada.id) == {"Fitbit": 1, "Oura": 2}
    assert night_store.nights(eve.id) == [] and night_store.count_nights(eve.id) == {}
    assert night_store.put_nights(eve.id, [first], NOW) == NightsPut(1, 0, 0)


def test_the_fuller_night_stays_whatever_the_order(
    record_store: RecordStore, night_store: NightStore
) -> None:
    ada = a_person(record_store)
    whole, cut = a_night(), a_night(windows=1, steps=40, end_ns=NOW + 4 * HOUR)
    unworn = a_night(rmssd_ms=None, mean_hr_bpm=None, windows=0, missing_reason="not worn")
    assert night_store.put_nights(ada.id, [unworn, cut], NOW) == NightsPut(1, 1, 0)
    assert night_store.put_nights(ada.id, [whole], NOW + 1) == NightsPut(0, 1, 0)
    assert night_store.put_nights(ada.id, [cut, unworn], NOW + 2) == NightsPut(0, 0, 2)
    (stored,) = night_store.nights(ada.id)
    assert (stored.night, stored.stored_ns) == (whole, NOW + 1)


def test_nights_of_recordings_are_replaced_as_a_whole_and_go_with_their_time(
    record_store: RecordStore, night_store: NightStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")

    def found(day: str, begins: int, source: str = "Strap", hours: int = 7) -> Night:
        start = NOW + begins * HOUR
        times = {"start_ns": start, "end_ns": start + hours * HOUR}
        return a_night(day, source, basis=NightBasis.RECORDING, **times)

    first, second = found("2026-03-02", 0), found("2026-03-03", 24)
    imported = a_night("2026-03-03", "Oura")
    night_store.put_nights(ada.id, [imported], NOW)
    night_store.replace_recorded(eve.id, [first], NOW)
    assert night_store.replace_recorded(ada.id, [first, second], NOW) == NightsPut(2, 0, 0)
    assert night_store.replace_recorded(ada.id, [first, second], NOW + 5) == NightsPut(0, 0, 2)
    assert {item.stored_ns for item in night_store.nights(ada.id)} == {NOW}
    # One has grown, one is not found any more, and what was imported stays, of any name.
    longer = found("2026-03-02", 0, hours=8)
    taken = found("2026-03-03", 24, source="Oura")
    assert night_store.replace_recorded(ada.id, [longer, taken], NOW + 9) == NightsPut(0, 1, 1)
    assert [item.night for item in night_store.nights(ada.id)] == [longer, imported]

    assert night_store.remove_recorded(ada.id, longer.end_ns + 1, longer.end_ns + HOUR) == 0
    assert night_store.remove_recorded(ada.id, longer.end_ns - 1, longer.end_ns + 30 * HOUR) == 1
    assert [item.night for item in night_store.nights(ada.id)] == [imported]
    assert [item.night for item in night_store.nights(eve.id)] == [first]


def test_a_source_is_removed_and_all_is_erased_with_the_person(
    record_store: RecordStore, night_store: NightStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    for person in (ada, eve):
        night_store.put_nights(person.id, [a_night(), a_night(source="Fitbit")], NOW)
    assert night_store.remove_nights(ada.id, "Oura") == 1
    assert night_store.remove_nights(ada.id, "Oura") == 0
    assert [item.night.source for item in night_store.nights(ada.id)] == ["Fitbit"]
    record_store.erase(ada.id)
    assert night_store.nights(ada.id) == []
    assert len(night_store.nights(eve.id)) == 2


def test_nothing_is_stored_without_consent(
    record_store: RecordStore, night_store: NightStore
) -> None:
    ada = a_person(record_store)
    guarded = night_store.requiring_consent(lambda: NOW)
    with pytest.raises(ConsentMissingError):
        guarded.put_nights(ada.id, [a_night()], NOW)
    record_store.add_consent(Consent(ada.id, Purpose.KEEPING, True, "1", NOW))
    guarded.put_nights(ada.id, [a_night()], NOW)
    assert len(night_store.nights(ada.id)) == 1
