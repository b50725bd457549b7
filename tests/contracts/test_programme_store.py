"""The contract of a store of the programme, on every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ebbtide.beats import new_id
from store import ProgrammeStore, RecordStore
from store.errors import NotesConflictError
from store.models import Note, NoteKind, Practice, PracticeKind, Programme, SessionNotes
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
