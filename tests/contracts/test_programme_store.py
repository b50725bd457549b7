"""The contract of a store of the programme, on every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ebbtide.beats import new_id
from store import ProgrammeStore, RecordStore
from store.errors import NotesConflictError, ResponseConflictError
from store.models import (
    PLANNED_BY_PROGRAMME,
    BaselineReason,
    BaselineStart,
    IndexMethod,
    Message,
    Note,
    NoteKind,
    Practice,
    PracticeKind,
    Programme,
    QuestionnaireResponse,
    SessionNotes,
    pack_answers,
)
from tests.support.records import NOW, a_person


def test_a_programme_is_new_until_it_is_stored(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    person = a_person(record_store)
    assert programme_store.programme(person.id) == Programme(person.id)
    begun = Programme(person.id, NOW, NOW + 1, 4)
    programme_store.put_programme(begun)
    assert programme_store.programme(person.id) == begun
    programme_store.put_programme(replace(begun, ratings_a_day=1))
    assert programme_store.programme(person.id) == replace(begun, ratings_a_day=1)


def test_a_note_is_changed_by_its_owner_alone(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    note = Note(new_id(), ada.id, NoteKind.TRIGGER, "stairs", NOW, NOW)
    earlier = Note(new_id(), ada.id, NoteKind.HELPED, "a walk", NOW - 1, NOW)
    assert programme_store.put_note(note) == note
    assert programme_store.put_note(earlier) == earlier
    assert programme_store.notes(ada.id) == [earlier, note]
    changed = replace(note, kind=NoteKind.FEAR)
    assert programme_store.put_note(changed) == changed
    assert programme_store.put_note(replace(note, person_id=eve.id, words="hers")) == changed
    assert programme_store.notes(ada.id) == [earlier, changed]
    assert programme_store.notes(eve.id) == []
    assert not programme_store.delete_note(eve.id, note.id)
    assert programme_store.delete_note(ada.id, note.id)
    assert programme_store.notes(ada.id) == [earlier]


def test_a_practice_is_completed_by_its_owner_alone(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    practice = Practice(new_id(), ada.id, PracticeKind.BREATHING, NOW, NOW + 60, 5.5, 4, 6)
    assert programme_store.put_practice(practice)
    rated = replace(practice, pain_after=2, stress_after=3)
    assert programme_store.put_practice(rated)
    assert not programme_store.put_practice(replace(practice, person_id=eve.id))
    assert programme_store.practices(ada.id) == [rated]
    assert programme_store.practices(eve.id) == []


def test_starts_of_a_baseline_and_methods_of_an_index(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    start = BaselineStart(ada.id, 739_000, BaselineReason.ILLNESS, NOW)
    programme_store.put_baseline_start(start)
    again = replace(start, reason=BaselineReason.NEW_STRAP)
    programme_store.put_baseline_start(again)
    assert programme_store.baseline_starts(ada.id) == [again]
    assert programme_store.baseline_starts(eve.id) == []
    assert not programme_store.delete_baseline_start(eve.id, 739_000)
    assert programme_store.delete_baseline_start(ada.id, 739_000)
    for version, at in ((1, NOW), (2, NOW + 5), (2, NOW + 6)):
        programme_store.note_index_method(ada.id, version, at)
    first, second = IndexMethod(ada.id, 1, NOW, NOW), IndexMethod(ada.id, 2, NOW + 5)
    assert programme_store.index_methods(ada.id) == [first, second]
    programme_store.see_index_method(ada.id, 2, NOW + 7)
    programme_store.see_index_method(ada.id, 2, NOW + 8)
    assert programme_store.index_methods(ada.id) == [first, replace(second, seen_ns=NOW + 7)]


def test_the_first_time_of_a_reading_counts(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    person = a_person(record_store)
    programme_store.mark_read(person.id, "pain-and-danger", NOW)
    programme_store.mark_read(person.id, "pain-and-danger", NOW + 9)
    assert programme_store.readings(person.id) == {"pain-and-danger": NOW}


def test_session_notes_replace_only_the_version_that_was_read(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    person = a_person(record_store)
    notes = SessionNotes(person.id, 1, "slept better", "walk", "therapist", 0, NOW)
    first = programme_store.put_session_notes(notes, 0)
    assert first == replace(notes, version=1)
    second = programme_store.put_session_notes(replace(notes, notes="slept well"), 1)
    for seen in (0, 1):
        with pytest.raises(NotesConflictError):
            programme_store.put_session_notes(replace(notes, notes="lost"), seen)
    assert programme_store.session_notes(person.id) == [second]


def answers_of(person_id: str, **changes: object) -> QuestionnaireResponse:
    made = QuestionnaireResponse(
        *(new_id(), 1, person_id, "gad7", 1, "en", pack_answers({"2": 1, "1": 3})),
        *(NOW, NOW + 5, "Europe/Berlin", "before", PLANNED_BY_PROGRAMME, False),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_correction_of_answers_is_a_version_and_a_retry_is_none(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    first = answers_of(ada.id)
    assert first.values == {"1": 3, "2": 1}
    assert programme_store.add_response(first) == first
    assert programme_store.add_response(replace(first, entered_ns=NOW + 99)) == first
    for wrong in (
        replace(first, answers=pack_answers({"1": 0})),
        replace(first, person_id=eve.id),
        replace(first, version=3),
        answers_of(ada.id, version=2),
    ):
        with pytest.raises(ResponseConflictError):
            programme_store.add_response(wrong)
    second = replace(first, version=2, answers=pack_answers({"1": 0}), entered_ns=NOW + 20)
    assert programme_store.add_response(replace(second, planned_by="person")) == second
    earlier = programme_store.add_response(answers_of(ada.id, about_ns=NOW - 1))
    assert programme_store.responses(ada.id) == [earlier, second]
    assert programme_store.responses(eve.id) == []
    assert programme_store.response_history(ada.id, first.id) == [first, second]
    assert programme_store.response_history(eve.id, first.id) == []
    withdrawn = replace(second, version=3, withdrawn=True, entered_ns=NOW + 30)
    programme_store.add_response(withdrawn)
    assert programme_store.responses(ada.id) == [earlier]
    assert programme_store.responses(ada.id, since_ns=NOW + 30) == [withdrawn]
    record_store.erase_data(ada.id, new_id())
    assert programme_store.responses(ada.id) == []


def test_a_message_is_removed_by_its_author_alone_and_seen_once(
    record_store: RecordStore, programme_store: ProgrammeStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    first = Message(new_id(), ada.id, "tom", "See you on Thursday.", NOW)
    second = Message(new_id(), ada.id, "tom", "Room 12.", NOW + 5)
    assert programme_store.add_message(first, 2)
    assert programme_store.add_message(second, 2)
    assert not programme_store.add_message(replace(first, id=new_id()), 2)
    assert programme_store.messages(ada.id) == [second, first]
    assert programme_store.messages(eve.id) == []
    assert not programme_store.see_message(eve.id, first.id, NOW + 6)
    assert programme_store.see_message(ada.id, first.id, NOW + 7)
    assert programme_store.see_message(ada.id, first.id, NOW + 8)
    assert programme_store.messages(ada.id) == [second, replace(first, seen_ns=NOW + 7)]
    assert not programme_store.delete_message(ada.id, second.id, "tess")
    assert not programme_store.delete_message(eve.id, second.id, "tom")
    assert programme_store.delete_message(ada.id, second.id, "tom")
    assert [item.id for item in programme_store.messages(ada.id)] == [first.id]
