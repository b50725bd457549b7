"""The contract of a store of records, on every engine."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from store import RecordStore
from store.errors import (
    EmailTakenError,
    RatingConflictError,
    SessionConflictError,
)
from store.models import (
    AuditLine,
    Consent,
    Person,
    Purpose,
    Rating,
    TherapySession,
)
from tests.support.records import NOW, a_person, a_rating, new_person


def test_people_are_found_by_address_in_any_case(record_store: RecordStore) -> None:
    person = a_person(record_store)
    found = record_store.person_by_email("ada@example.ORG")
    assert found == replace(person, email="ada@example.org")
    assert record_store.person(person.id) == found
    assert record_store.person_by_email("eve@example.org") is None
    with pytest.raises(EmailTakenError):
        a_person(record_store, "ADA@example.org")


def test_of_first_accounts_at_once_one_is_added(record_store: RecordStore) -> None:
    made = [new_person(f"first{k}@example.org") for k in range(8)]
    ready = threading.Barrier(8)

    def add(person: Person) -> bool:
        ready.wait(timeout=30)
        return record_store.add_first_person(person)

    with ThreadPoolExecutor(8) as many:
        added = list(many.map(add, made))
    assert sum(added) == 1
    assert record_store.people() == [made[added.index(True)]]
    assert not record_store.add_first_person(new_person("later@example.org"))


def test_a_rating_twice_is_once(record_store: RecordStore) -> None:
    person = a_person(record_store)
    rating = a_rating(person)
    assert record_store.add_rating(rating) is rating
    again = replace(rating, entered_ns=rating.entered_ns + 1000)
    assert record_store.add_rating(again) == rating
    assert record_store.ratings(person.id, NOW, NOW + SECOND) == [rating]


def test_a_correction_is_a_new_version(record_store: RecordStore) -> None:
    person = a_person(record_store)
    rating = a_rating(person)
    record_store.add_rating(rating)
    corrected = replace(rating, version=2, pain=2)
    record_store.add_rating(corrected)
    assert record_store.rating(person.id, rating.id) == corrected
    assert record_store.ratings(person.id, NOW, NOW + SECOND) == [corrected]
    with pytest.raises(RatingConflictError):
        record_store.add_rating(replace(rating, version=2, pain=9))  # another was faster
    with pytest.raises(RatingConflictError):
        record_store.add_rating(replace(rating, version=4))


def test_a_rating_id_of_another_person_is_refused(record_store: RecordStore) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    rating = a_rating(ada)
    record_store.add_rating(rating)
    with pytest.raises(RatingConflictError):
        record_store.add_rating(replace(rating, person_id=eve.id))
    assert record_store.rating(eve.id, rating.id) is None


def test_pages_of_ratings_hold_each_once(record_store: RecordStore) -> None:
    person = a_person(record_store)
    # Several share one moment: the id decides between them.
    for second in (5, 1, 1, 1, 3, 2, 2):
        record_store.add_rating(a_rating(person, second))
    everything = record_store.ratings(person.id, NOW, NOW + 10 * SECOND)
    assert len(everything) == 7
    seen: list[Rating] = []
    after = None
    while page := record_store.ratings(person.id, NOW, NOW + 10 * SECOND, 2, after):
        seen += page
        after = (page[-1].about_ns, page[-1].id)
    assert seen == everything
    assert [r.about_ns for r in seen] == sorted(r.about_ns for r in seen)


def test_sessions_can_be_moved(record_store: RecordStore) -> None:
    person = a_person(record_store)
    record_store.add_session(TherapySession(new_id(), person.id, 1, NOW))
    record_store.add_session(TherapySession(new_id(), person.id, 1, NOW + 5))
    assert [(s.number, s.held_ns) for s in record_store.sessions(person.id)] == [(1, NOW + 5)]


def test_a_session_that_was_changed_meanwhile_is_not_overwritten(record_store: RecordStore) -> None:
    person = a_person(record_store)
    first = record_store.add_session(TherapySession(new_id(), person.id, 1, NOW), replaces=0)
    assert first.version == 1
    assert record_store.add_session(replace(first, held_ns=NOW + 5), replaces=1).version == 2
    for seen in (0, 1):
        with pytest.raises(SessionConflictError):
            record_store.add_session(replace(first, held_ns=NOW + 9), replaces=seen)
    assert [(s.version, s.held_ns) for s in record_store.sessions(person.id)] == [(2, NOW + 5)]


def test_a_withdrawn_rating_counts_no_more_and_stays_in_its_history(
    record_store: RecordStore,
) -> None:
    person = a_person(record_store)
    rating, other = a_rating(person), a_rating(person, 9)
    record_store.add_rating(rating)
    record_store.add_rating(other)
    before = record_store.ratings_fingerprint(person.id)
    gone = replace(rating, version=2, withdrawn=True, entered_ns=rating.entered_ns + SECOND)
    record_store.add_rating(gone)
    assert record_store.ratings_fingerprint(person.id) != before
    assert record_store.ratings(person.id, 0, 2 * NOW) == [other]
    assert record_store.rating_history(person.id, rating.id) == [rating, gone]
    assert record_store.rating_history("another person", rating.id) == []
    # A client with a copy has to see it.
    assert record_store.ratings(person.id, 0, 2 * NOW, since_ns=gone.entered_ns - 1) == [
        gone,
        *([other] if other.entered_ns >= gone.entered_ns - 1 else []),
    ]
    back = replace(rating, version=3)
    record_store.add_rating(back)
    assert record_store.ratings(person.id, 0, 2 * NOW) == [back, other]


def test_erased_is_gone(record_store: RecordStore) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    for person in (ada, eve):
        record_store.add_rating(a_rating(person))
        record_store.add_session(TherapySession(new_id(), person.id, 1, NOW))
    record_store.erase(ada.id)
    assert record_store.person(ada.id) is None
    assert record_store.ratings(ada.id, 0, 2 * NOW) == []
    assert record_store.sessions(ada.id) == []
    assert len(record_store.ratings(eve.id, 0, 2 * NOW)) == 1


def test_corrections_at_once_leave_one_newest(record_store: RecordStore) -> None:
    person = a_person(record_store)
    rating = a_rating(person)
    record_store.add_rating(rating)
    outcomes: list[object] = []

    def correct(pain: int) -> None:
        try:
            outcomes.append(record_store.add_rating(replace(rating, version=2, pain=pain)))
        except RatingConflictError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=correct, args=(pain,)) for pain in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    (stored,) = [one for one in outcomes if isinstance(one, Rating)]
    assert record_store.ratings(person.id, NOW, NOW + SECOND) == [stored]


def test_the_audit_outlives_those_it_is_about(record_store: RecordStore) -> None:
    person = a_person(record_store)
    record_store.add_audit(AuditLine(NOW, "erased", person.subject_id))
    assert record_store.has_people()
    assert record_store.people() == [replace(person, email=person.email.lower())]
    record_store.erase(person.id)
    assert record_store.people() == []
    assert not record_store.has_people()
    assert record_store.audit() == [AuditLine(NOW, "erased", person.subject_id)]


def test_every_answer_of_consent_is_kept(record_store: RecordStore) -> None:
    person, other = a_person(record_store), a_person(record_store, "eve@example.org")
    yes = Consent(person.id, Purpose.RESEARCH, True, "research, 1", NOW, NOW + 9)
    answers = [yes, replace(yes, purpose=Purpose.CARE, until_ns=None), replace(yes, given=False)]
    for answer in answers:
        record_store.add_consent(answer)
    assert record_store.consents(person.id) == answers
    assert record_store.consents(other.id) == []
    threads = [threading.Thread(target=record_store.add_consent, args=(yes,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert record_store.consents(person.id) == [*answers, *[yes] * 6]
    record_store.erase(person.id)
    assert record_store.consents(person.id) == []


def test_withdrawals_are_adopted_carried_out_and_found(record_store: RecordStore) -> None:
    ada, eve, tim = (
        a_person(record_store, f"{name}@example.org") for name in ("ada", "eve", "tim")
    )
    hour = 3600 * SECOND
    for person, given, until_ns in (
        (ada, True, NOW + hour),
        (eve, False, None),
        (tim, True, None),
    ):
        record_store.add_consent(Consent(person.id, Purpose.KEEPING, given, "w", NOW, until_ns))
    record_store.add_rating(a_rating(ada))
    assert record_store.adopt_withdrawals(NOW + 9 * hour, NOW) == 1
    assert record_store.adopt_withdrawals(NOW + 9 * hour, NOW + hour) == 1
    assert record_store.adopt_withdrawals(NOW + 9 * hour, NOW + hour) == 0
    assert record_store.claim_withdrawal(NOW + 8 * hour, hour) is None
    rows = {}
    while (found := record_store.claim_withdrawal(NOW + 9 * hour, hour)) is not None:
        begun, rows[found.person_id] = record_store.begin_withdrawal(
            found, NOW + 9 * hour, new_id()
        )
        assert begun.begun_ns == NOW + 9 * hour
        record_store.finish_withdrawal(begun, NOW + 9 * hour)
    assert rows == {ada.id: 1, eve.id: 0}
    assert record_store.withdrawn_subjects() == {
        ada.subject_id: ada.id,
        eve.subject_id: eve.id,
    }
    record_store.add_audit(AuditLine(NOW, "erased", tim.subject_id))
    record_store.add_audit(AuditLine(NOW, "withdrawal begun", ada.subject_id))
    everybody = [ada.subject_id, eve.subject_id, tim.subject_id]
    assert record_store.erased_accounts(everybody) == {tim.subject_id}
    assert record_store.erased_accounts([]) == set()
