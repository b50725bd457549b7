from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
from store import RecordStore
from store.errors import EmailTakenError, RatingConflictError, SessionConflictError
from store.models import AuditLine, Consent, Person, Purpose, Rating, Role, TherapySession
from store.sql.records import open_records, open_sqlite_records
from tests.support.postgres import PostgresServer

NOW = 1_790_000_000 * SECOND


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordStore]:
    """The same contract for every engine."""
    if request.param == "sqlite":
        opened = open_sqlite_records(tmp_path / "records.sqlite")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        opened = open_records(server.fresh_database())
    yield opened
    opened.close()


def a_person(store: RecordStore, email: str = "Ada@Example.org") -> Person:
    person = Person(
        new_id(), new_id(), email, "Ada", "Europe/Berlin", Role.PATIENT, False, "hash", NOW
    )
    store.add_person(person)
    return person


def a_rating(person: Person, second: int = 0, **changes: object) -> Rating:
    about = NOW + second * SECOND
    rating = Rating(new_id(), 1, person.id, about, about + 5, "Europe/Berlin", 4, 6, None, False)
    return replace(rating, **changes)  # type: ignore[arg-type]


def test_people_are_found_by_address_in_any_case(store: RecordStore) -> None:
    person = a_person(store)
    found = store.person_by_email("ada@example.ORG")
    assert found == replace(person, email="ada@example.org")
    assert store.person(person.id) == found
    assert store.person_by_email("eve@example.org") is None
    with pytest.raises(EmailTakenError):
        a_person(store, "ADA@example.org")


def test_a_rating_twice_is_once(store: RecordStore) -> None:
    person = a_person(store)
    rating = a_rating(person)
    assert store.add_rating(rating) is rating
    again = replace(rating, entered_ns=rating.entered_ns + 1000)
    assert store.add_rating(again) == rating
    assert store.ratings(person.id, NOW, NOW + SECOND) == [rating]


def test_a_correction_is_a_new_version(store: RecordStore) -> None:
    person = a_person(store)
    rating = a_rating(person)
    store.add_rating(rating)
    corrected = replace(rating, version=2, pain=2)
    store.add_rating(corrected)
    assert store.rating(person.id, rating.id) == corrected
    assert store.ratings(person.id, NOW, NOW + SECOND) == [corrected]
    with pytest.raises(RatingConflictError):
        store.add_rating(replace(rating, version=2, pain=9))  # somebody was faster
    with pytest.raises(RatingConflictError):
        store.add_rating(replace(rating, version=4))


def test_a_rating_id_of_another_person_is_refused(store: RecordStore) -> None:
    ada, eve = a_person(store), a_person(store, "eve@example.org")
    rating = a_rating(ada)
    store.add_rating(rating)
    with pytest.raises(RatingConflictError):
        store.add_rating(replace(rating, person_id=eve.id))
    assert store.rating(eve.id, rating.id) is None


def test_pages_of_ratings_hold_each_once(store: RecordStore) -> None:
    person = a_person(store)
    # Several share one moment: the id decides between them.
    for second in (5, 1, 1, 1, 3, 2, 2):
        store.add_rating(a_rating(person, second))
    everything = store.ratings(person.id, NOW, NOW + 10 * SECOND)
    assert len(everything) == 7
    seen: list[Rating] = []
    after = None
    while page := store.ratings(person.id, NOW, NOW + 10 * SECOND, 2, after):
        seen += page
        after = (page[-1].about_ns, page[-1].id)
    assert seen == everything
    assert [r.about_ns for r in seen] == sorted(r.about_ns for r in seen)


def test_sessions_can_be_moved(store: RecordStore) -> None:
    person = a_person(store)
    store.add_session(TherapySession(new_id(), person.id, 1, NOW))
    store.add_session(TherapySession(new_id(), person.id, 1, NOW + 5))
    assert [(s.number, s.held_ns) for s in store.sessions(person.id)] == [(1, NOW + 5)]


def test_a_session_that_was_changed_meanwhile_is_not_overwritten(store: RecordStore) -> None:
    person = a_person(store)
    first = store.add_session(TherapySession(new_id(), person.id, 1, NOW), replaces=0)
    assert first.version == 1
    assert store.add_session(replace(first, held_ns=NOW + 5), replaces=1).version == 2
    for seen in (0, 1):
        with pytest.raises(SessionConflictError):
            store.add_session(replace(first, held_ns=NOW + 9), replaces=seen)
    assert [(s.version, s.held_ns) for s in store.sessions(person.id)] == [(2, NOW + 5)]


def test_a_withdrawn_rating_counts_no_more_and_stays_in_its_history(store: RecordStore) -> None:
    person = a_person(store)
    rating, other = a_rating(person), a_rating(person, 9)
    store.add_rating(rating)
    store.add_rating(other)
    before = store.ratings_fingerprint(person.id)
    gone = replace(rating, version=2, withdrawn=True, entered_ns=rating.entered_ns + SECOND)
    store.add_rating(gone)
    assert store.ratings_fingerprint(person.id) != before
    assert store.ratings(person.id, 0, 2 * NOW) == [other]
    assert store.rating_history(person.id, rating.id) == [rating, gone]
    assert store.rating_history("somebody else", rating.id) == []
    # Whoever keeps a copy has to hear of it.
    assert store.ratings(person.id, 0, 2 * NOW, since_ns=gone.entered_ns - 1) == [
        gone,
        *([other] if other.entered_ns >= gone.entered_ns - 1 else []),
    ]
    back = replace(rating, version=3)
    store.add_rating(back)
    assert store.ratings(person.id, 0, 2 * NOW) == [back, other]


def test_erased_is_gone(store: RecordStore) -> None:
    ada, eve = a_person(store), a_person(store, "eve@example.org")
    for person in (ada, eve):
        store.add_rating(a_rating(person))
        store.add_session(TherapySession(new_id(), person.id, 1, NOW))
    store.erase(ada.id)
    assert store.person(ada.id) is None
    assert store.ratings(ada.id, 0, 2 * NOW) == []
    assert store.sessions(ada.id) == []
    assert len(store.ratings(eve.id, 0, 2 * NOW)) == 1


def test_it_opens_again(tmp_path: Path) -> None:
    first = open_sqlite_records(tmp_path / "records.sqlite")
    person = a_person(first)
    first.close()
    second = open_sqlite_records(tmp_path / "records.sqlite")
    assert second.person(person.id) is not None
    second.check()
    second.close()


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    path.write_text("only words " * 200)
    with pytest.raises(EbbtideError, match=r"records\.sqlite cannot be opened"):
        open_sqlite_records(path)


def test_corrections_at_once_leave_one_newest(store: RecordStore) -> None:
    person = a_person(store)
    rating = a_rating(person)
    store.add_rating(rating)
    outcomes: list[object] = []

    def correct(pain: int) -> None:
        try:
            outcomes.append(store.add_rating(replace(rating, version=2, pain=pain)))
        except RatingConflictError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=correct, args=(pain,)) for pain in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    (kept,) = [one for one in outcomes if isinstance(one, Rating)]
    assert store.ratings(person.id, NOW, NOW + SECOND) == [kept]


def test_the_audit_outlives_those_it_is_about(store: RecordStore) -> None:
    person = a_person(store)
    store.add_audit(AuditLine(NOW, "erased", person.subject_id))
    assert store.people() == [replace(person, email=person.email.lower())]
    store.erase(person.id)
    assert store.people() == []
    assert store.audit() == [AuditLine(NOW, "erased", person.subject_id)]


def test_every_answer_of_consent_is_kept(store: RecordStore) -> None:
    person, other = a_person(store), a_person(store, "eve@example.org")
    yes = Consent(person.id, Purpose.RESEARCH, True, "research, 1", NOW, NOW + 9)
    answers = [yes, replace(yes, purpose=Purpose.CARE, until_ns=None), replace(yes, given=False)]
    for answer in answers:
        store.add_consent(answer)
    assert store.consents(person.id) == answers
    assert store.consents(other.id) == []
    threads = [threading.Thread(target=store.add_consent, args=(yes,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.consents(person.id) == [*answers, *[yes] * 6]
    store.erase(person.id)
    assert store.consents(person.id) == []
