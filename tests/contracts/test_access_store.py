"""The contract of a store of access, on every engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ebbtide.beats import new_id
from store import AccessStore, RecordStore
from store.models import (
    AccessLogEntry,
    AccessToken,
    AttemptLimit,
    Attempts,
    CareProposal,
    Consent,
    ExportPin,
    OneTimePurpose,
    OneTimeToken,
    Passkey,
    Person,
    Purpose,
    RecoveryCode,
    RequestCount,
    Role,
    Scope,
    StoredReport,
    TherapySession,
    TokenKind,
    Totp,
)
from tests.support.records import NOW, a_person, a_rating


def a_token(person: Person, name: str = "a", **changes: object) -> AccessToken:
    made = AccessToken(
        name,
        person.id,
        NOW,
        NOW + 100,
        new_id(),
        TokenKind.SESSION,
        "here",
        frozenset({Scope.READ, Scope.WRITE}),
        NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_tokens_end_expire_and_go_idle(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    person = a_person(record_store)
    stored = a_token(person, idle_ns=20)
    access_store.add_token(stored)
    found = access_store.find_token("a", NOW + 19)
    assert found is not None
    assert found[0].id == person.id
    assert found[1] == stored
    assert access_store.find_token("a", NOW + 20) is None
    access_store.mark_token_used("a", NOW + 90)
    assert access_store.find_token("a", NOW + 99) is not None
    assert access_store.find_token("a", NOW + 100) is None
    access_store.end_token("a")
    assert access_store.find_token("a", NOW + 91) is None


def test_tokens_are_listed_and_revoked(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    first, second = a_token(ada), a_token(ada, "b", created_ns=NOW + 1)
    theirs = a_token(eve, "c")
    for stored in (first, second, theirs):
        access_store.add_token(stored)
    assert access_store.tokens(ada.id) == [first, second]
    assert not access_store.revoke_token(ada.id, theirs.id)
    assert access_store.revoke_token(ada.id, first.id)
    assert access_store.tokens(ada.id) == [second]
    access_store.end_tokens(ada.id, but="b")
    assert access_store.tokens(ada.id) == [second]
    access_store.end_tokens(ada.id)
    assert access_store.tokens(ada.id) == []
    assert access_store.tokens(eve.id) == [theirs]


def test_an_inactive_person_is_not_signed_in(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    person = a_person(record_store)
    access_store.add_token(a_token(person))
    access_store.set_active(person.id, False)
    assert not access_store.is_active(person.id)
    access_store.add_token(a_token(person, "b"))  # however it came about
    assert access_store.find_token("a", NOW) is None
    assert access_store.find_token("b", NOW) is None
    access_store.set_active(person.id, True)
    assert access_store.is_active(person.id)
    assert access_store.find_token("a", NOW) is None
    assert not access_store.is_active("no person")


def test_a_one_time_token_is_used_once_by_one(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    stored = OneTimeToken("h", OneTimePurpose.INVITATION, None, "{}", NOW, NOW + 10)
    access_store.put_one_time_token(stored)
    assert access_store.take_one_time_token("h", OneTimePurpose.PASSWORD, NOW) is None
    assert access_store.take_one_time_token("h", OneTimePurpose.INVITATION, NOW + 10) is None
    with ThreadPoolExecutor(8) as many:
        found = list(
            many.map(
                lambda _: access_store.take_one_time_token("h", OneTimePurpose.INVITATION, NOW + 1),
                range(8),
            )
        )
    assert [one for one in found if one is not None] == [stored]


def test_care_begins_and_ends(record_store: RecordStore, access_store: AccessStore) -> None:
    ada = a_person(record_store)
    therapist = replace(ada, id=new_id(), subject_id=new_id(), email="t@x.org", role=Role.THERAPIST)
    record_store.add_person(therapist)
    access_store.put_care(therapist.id, ada.id, NOW)
    access_store.put_care(therapist.id, ada.id, NOW + 5)
    assert access_store.patients_of(therapist.id) == [ada.id]
    assert access_store.therapists_of(ada.id) == [therapist.id]
    assert access_store.patients_of(ada.id) == []
    access_store.end_care(therapist.id, ada.id)
    assert access_store.patients_of(therapist.id) == []


def test_the_access_log_is_listed_newest_first_page_by_page(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    made = [AccessLogEntry(ada.id, "t", "therapist", NOW + k, f"GET {k}") for k in range(7)]
    access_store.add_access_log(made[:3])
    access_store.add_access_log(made[3:])
    seen: list[AccessLogEntry] = []
    before = None
    while page := access_store.access_log(ada.id, 3, before):
        seen += [entry for _, entry in page]
        before = page[-1][0]
    assert seen == made[::-1]
    assert access_store.access_log("another person", 9) == []


def test_attempts_are_counted_before_they_are_verified_and_forgotten(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    limit = AttemptLimit("k", 12, 50, 400)
    assert access_store.attempts("k").failures == 0
    with ThreadPoolExecutor(4) as many:
        waits = list(many.map(lambda _: access_store.begin_attempt([limit], NOW, 1000), range(60)))
    assert sorted(waits) == [0] * 12 + [50] * 48
    assert access_store.attempts("k") == Attempts(12, NOW, NOW + 50)
    # A key that waits lets no other count.
    other = AttemptLimit("l", 12, 50, 400)
    assert access_store.begin_attempt([other, limit], NOW + 49, 1000) == 1
    assert access_store.attempts("l").failures == 0
    at = NOW + 50
    for delay in (100, 200, 400, 400):
        assert access_store.begin_attempt([limit], at, 1000) == 0
        assert access_store.begin_attempt([limit], at, 1000) == delay
        at += delay
    access_store.undo_attempt(["k", "l"])
    assert access_store.attempts("k").failures == 15
    assert access_store.begin_attempt([limit], at, 1000) == 0
    assert access_store.begin_attempt([limit], at + 1001, 1000) == 0
    assert access_store.attempts("k").failures == 1
    access_store.begin_attempt([other], at + 2003, 1000)
    assert access_store.attempts("k") == Attempts(0, 0)
    access_store.clear_failures("l")
    assert access_store.attempts("l").failures == 0


def test_requests_are_counted_by_minute_for_all(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    def choose(before: RequestCount) -> int:
        return min(3, 20 - before.count)

    with ThreadPoolExecutor(4) as many:
        list(many.map(lambda _: access_store.take_requests("k", 7, choose), range(12)))
    assert access_store.take_requests("k", 7, lambda _: 0) == RequestCount(20, 0)
    assert access_store.take_requests("k", 8, lambda _: 2) == RequestCount(0, 20)
    assert access_store.take_requests("k", 8, lambda _: 0) == RequestCount(2, 20)
    assert access_store.take_requests("k", 10, lambda _: 1) == RequestCount(0, 0)
    access_store.take_requests("l", 20, lambda _: 1)
    assert access_store.take_requests("k", 10, lambda _: 0) == RequestCount(0, 0)  # deleted


def test_a_device_is_one_persons_until_it_expires(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    for number in range(21):
        access_store.add_known_device(f"d{number}", ada.id, NOW + number, NOW + 100)
    assert access_store.find_known_device("d0", NOW + 50) is None  # the oldest of 21
    assert access_store.find_known_device("d1", NOW + 99) == ada.id
    assert access_store.find_known_device("d1", NOW + 100) is None
    access_store.set_password(ada.id, "another")
    assert access_store.find_known_device("d20", NOW + 50) is None


def test_a_new_password_ends_what_came_with_the_old_one(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    for name in ("a", "b"):
        access_store.add_token(a_token(ada, name))
    link = OneTimeToken("h", OneTimePurpose.PASSWORD, ada.id, "{}", NOW, NOW + 10)
    access_store.put_one_time_token(link)
    access_store.put_one_time_token(replace(link, token_hash="i"))
    assert access_store.find_one_time_token("h", OneTimePurpose.PASSWORD, NOW) is None
    assert access_store.find_one_time_token("i", OneTimePurpose.INVITATION, NOW) is None
    assert access_store.find_one_time_token("i", OneTimePurpose.PASSWORD, NOW) is not None
    assert not access_store.set_password(ada.id, "new", was="not this")
    assert access_store.set_password(ada.id, "new", "b", was=ada.password_hash)
    assert access_store.take_one_time_token("i", OneTimePurpose.PASSWORD, NOW) is None
    assert [token.token_hash for token in access_store.tokens(ada.id)] == ["b"]
    # Whose old password was being verified meanwhile is not signed in.
    assert not access_store.add_session(a_token(ada, "c"), ada.password_hash)
    assert access_store.add_session(a_token(ada, "c"), "new")
    access_store.set_active(ada.id, False)
    assert not access_store.add_session(a_token(ada, "d"), "new")
    assert access_store.tokens(ada.id) == []


def test_what_somebody_issued_ends_with_their_role(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    for number, end in enumerate(("shut out", "another role")):
        tom = replace(
            ada, id=new_id(), subject_id=new_id(), email=f"t{number}@x.org", role=Role.THERAPIST
        )
        record_store.add_person(tom)
        access_store.add_token(a_token(tom, f"t{number}"))
        access_store.put_care(tom.id, ada.id, NOW)
        access_store.put_one_time_token(
            OneTimeToken("h", OneTimePurpose.INVITATION, None, "{}", NOW, NOW + 10, tom.id)
        )
        if end == "shut out":
            access_store.set_active(tom.id, False)
        else:
            access_store.set_role(tom.id, Role.ANALYST)
            assert access_store.patients_of(tom.id) == []
            found = record_store.person(tom.id)
            assert found is not None
            assert found.role is Role.ANALYST
        assert access_store.tokens(tom.id) == []
        assert access_store.take_one_time_token("h", OneTimePurpose.INVITATION, NOW) is None


def test_a_language_is_kept_with_the_account(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    ada = replace(ada, email=ada.email.lower())
    assert ada.language == ""
    for language in ("de", "en", "de"):
        access_store.set_language(ada.id, language)
        found = record_store.person(ada.id)
        assert found == replace(ada, language=language)
        assert record_store.person_by_email(ada.email) == found
    access_store.set_language("nobody", "de")  # erased meanwhile


def test_care_is_proposed_and_agreed_to_once(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    tom = replace(ada, id=new_id(), subject_id=new_id(), email="t@x.org", role=Role.THERAPIST)
    record_store.add_person(tom)
    assert not access_store.accept_care(tom.id, ada.id, NOW)
    first = CareProposal(ada.id, tom.id, "an administrator", NOW)
    access_store.propose_care(first)
    access_store.propose_care(replace(first, at_ns=NOW + 5))
    assert access_store.care_proposals(ada.id) == [first]
    assert access_store.patients_of(tom.id) == []
    assert access_store.accept_care(tom.id, ada.id, NOW + 9)
    assert access_store.care_proposals(ada.id) == []
    assert access_store.patients_of(tom.id) == [ada.id]
    access_store.propose_care(first)
    access_store.end_care(tom.id, ada.id)
    assert (access_store.care_proposals(ada.id), access_store.patients_of(tom.id)) == ([], [])


def test_of_requests_with_the_same_key_one_is_done(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    with ThreadPoolExecutor(8) as many:
        found = list(
            many.map(lambda _: access_store.begin_idempotent(ada.id, "k", "r", NOW, 0), range(8))
        )
    assert [stored for stored in found if stored is None] == [None]
    assert all(stored.status is None for stored in found if stored is not None)
    access_store.finish_idempotent(ada.id, "k", 201, "{}")
    stored = access_store.begin_idempotent(ada.id, "k", "r", NOW, 0)
    assert stored is not None
    assert (stored.request_hash, stored.status, stored.body) == ("r", 201, "{}")
    assert access_store.begin_idempotent(ada.id, "k", "r", NOW + 9, NOW + 5) is None  # forgotten
    access_store.drop_idempotent(ada.id, "k")
    assert access_store.begin_idempotent(ada.id, "k", "other", NOW, 0) is None


def test_the_secret_of_research_is_made_once(access_store: AccessStore) -> None:
    with ThreadPoolExecutor(4) as many:
        found = set(many.map(lambda _: access_store.research_secret(), range(20)))
    (secret,) = found
    assert len(secret) == 32
    assert len(set(secret)) > 10


def test_people_enter_the_cohort_together_and_leave_at_once(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    people = [a_person(record_store, f"p{k}@example.org").id for k in range(14)]

    def cohort(agreed: list[str]) -> set[str]:
        return set(access_store.update_cohort(agreed, 5, NOW))

    assert cohort(people[:4]) == set()
    with ThreadPoolExecutor(4) as many:
        found = list(many.map(lambda _: cohort(people[:5]), range(8)))
    assert found == [set(people[:5])] * 8
    assert cohort(people[:9]) == set(people[:5])  # four wait
    # One leaves and comes back: they wait with the others, and are the fifth.
    assert cohort(people[1:9]) == set(people[1:5])
    assert cohort(people[:9]) == set(people[:9])
    assert cohort(people[:9]) == set(people[:9])
    record_store.erase(people[3])
    assert cohort(people[:3]) == set(people[:3])
    # Somebody who was erased between reading the people and this call is in no cohort, and makes
    # it larger for nobody: four would enter, and be counted as five.
    assert cohort([*people[:3], people[3], *people[9:13]]) == set(people[:3])
    record_store.erase(people[4])
    gone = [people[3], people[4]]
    assert cohort([*people[:3], *gone, *people[9:14]]) == {*people[:3], *people[9:14]}


def test_a_late_request_puts_nobody_out_of_the_cohort_who_entered_since(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    people = [a_person(record_store, f"p{k}@example.org").id for k in range(10)]
    assert len(access_store.update_cohort(people, 5, NOW + 2)) == 10
    # This one read the consents before the others agreed; they are not its to see, nor to delete.
    assert set(access_store.update_cohort(people[:5], 5, NOW + 1)) == set(people[:5])
    assert access_store.update_cohort(people, 5, NOW + 3) == dict.fromkeys(people, NOW + 2)
    assert set(access_store.update_cohort(people[:5], 5, NOW + 4)) == set(people[:5])
    assert set(access_store.update_cohort(people[:9], 5, NOW + 5)) == set(people[:5])


def test_live_is_shared_until_it_is_not(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    assert access_store.live_until(ada.id) == 0
    access_store.share_live(ada.id, NOW + 5)
    access_store.share_live(ada.id, NOW + 2)
    assert access_store.live_until(ada.id) == NOW + 2


def test_erasing_a_person_deletes_all_access(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    access_store.add_token(a_token(ada))
    access_store.put_one_time_token(
        OneTimeToken("h", OneTimePurpose.PASSWORD, ada.id, "{}", NOW, NOW + 10)
    )
    access_store.put_care(ada.id, ada.id, NOW)
    access_store.add_access_log([AccessLogEntry(ada.id, "t", "therapist", NOW, "GET")])
    access_store.begin_idempotent(ada.id, "k", "r", NOW, 0)
    access_store.update_cohort([ada.id], 1, NOW)
    access_store.share_live(ada.id, NOW)
    record_store.erase(ada.id)
    assert access_store.tokens(ada.id) == []
    assert access_store.take_one_time_token("h", OneTimePurpose.PASSWORD, NOW) is None
    assert access_store.therapists_of(ada.id) == []
    assert access_store.access_log(ada.id, 9) == []
    assert access_store.live_until(ada.id) == 0


def a_passkey(person: Person, name: str = "a", **changes: object) -> Passkey:
    made = Passkey(
        *(new_id(), person.id, f"credential {name}", "key", 3, name, "localhost", NOW, NOW)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_passkeys_are_of_one_person_and_not_stored_twice(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    first, second = a_passkey(ada), a_passkey(ada, "b", created_ns=NOW + 1)
    assert access_store.add_passkey(first, 2)
    assert not access_store.add_passkey(a_passkey(eve), 2)  # the same credential
    assert access_store.add_passkey(second, 2)
    assert not access_store.add_passkey(a_passkey(ada, "c"), 2)
    assert access_store.passkeys(ada.id) == [first, second]
    assert access_store.find_passkey("credential b") == second
    assert access_store.find_passkey("credential c") is None
    assert access_store.has_second_factor(ada.id)
    assert not access_store.has_second_factor(eve.id)
    assert not access_store.remove_passkey(eve.id, first.id)
    assert access_store.remove_passkey(ada.id, first.id)
    assert access_store.passkeys(ada.id) == [second]


def test_a_counter_of_a_passkey_only_grows(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    counted, shared = a_passkey(ada), a_passkey(ada, "b", sign_count=0)
    for passkey in (counted, shared):
        access_store.add_passkey(passkey, 2)
    with ThreadPoolExecutor(4) as many:
        uses = many.map(lambda _: access_store.use_passkey(counted.id, 4, NOW + 5), range(4))
        assert sorted(uses) == [False, False, False, True]
    assert not access_store.use_passkey(counted.id, 0, NOW)
    assert access_store.find_passkey("credential a") == replace(
        counted, sign_count=4, used_ns=NOW + 5
    )
    assert [access_store.use_passkey(shared.id, count, NOW) for count in (0, 0, 1, 0)] == [
        *(True, True, True),
        False,
    ]


def test_a_code_of_an_app_and_a_recovery_code_are_used_once(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    codes = [RecoveryCode(f"hash {k}", ada.id, "salt", NOW) for k in range(3)]
    totp = Totp(ada.id, "SECRET", 7, NOW)
    access_store.set_totp(totp, codes)
    assert access_store.find_totp(ada.id) == totp
    assert access_store.recovery_codes(ada.id) == codes
    with ThreadPoolExecutor(4) as many:
        uses = many.map(lambda _: access_store.use_totp(ada.id, 8), range(4))
        assert sorted(uses) == [False, False, False, True]
        uses = many.map(lambda _: access_store.use_recovery_code(ada.id, "hash 1"), range(4))
        assert sorted(uses) == [False, False, False, True]
    assert not access_store.use_totp(ada.id, 7)
    assert access_store.recovery_codes(ada.id) == [codes[0], codes[2]]
    access_store.set_recovery_codes(ada.id, [RecoveryCode("new", ada.id, "salt", NOW)])
    assert [code.code_hash for code in access_store.recovery_codes(ada.id)] == ["new"]
    assert access_store.remove_totp(ada.id)
    assert not access_store.remove_totp(ada.id)
    assert access_store.recovery_codes(ada.id) == []


def test_removing_second_factors_ends_what_is_signed_in(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    assert not access_store.remove_second_factors(ada.id)
    access_store.add_token(a_token(ada))
    access_store.mark_token_verified("a", NOW + 3, False)
    access_store.mark_token_verified("a", NOW + 4, True)
    access_store.mark_token_verified("a", NOW + 5, False)
    (token,) = access_store.tokens(ada.id)
    assert (token.verified_ns, token.second_factor) == (NOW + 5, True)
    access_store.add_passkey(a_passkey(ada), 1)
    access_store.set_totp(Totp(ada.id, "SECRET", 0, NOW), [RecoveryCode("h", ada.id, "s", NOW)])
    assert access_store.remove_second_factors(ada.id)
    assert access_store.tokens(ada.id) == []
    assert not access_store.has_second_factor(ada.id)
    assert access_store.recovery_codes(ada.id) == []


def test_second_factors_go_with_the_account(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    access_store.add_passkey(a_passkey(ada), 1)
    access_store.set_totp(Totp(ada.id, "SECRET", 0, NOW), [RecoveryCode("h", ada.id, "s", NOW)])
    record_store.erase(ada.id)
    assert access_store.find_passkey("credential a") is None
    assert access_store.find_totp(ada.id) is None
    assert access_store.recovery_codes(ada.id) == []


def test_records_of_a_caseload_are_those_of_patients_in_care(
    record_store: RecordStore, access_store: AccessStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    tom = a_person(record_store, "tom@example.org")
    for person, at in ((ada, NOW + 9), (eve, NOW + 5)):
        access_store.put_care(tom.id, person.id, at)
    assert access_store.care_records(ada.id, 0, "caseload") == []
    rating = record_store.add_rating(a_rating(ada, 30))
    record_store.add_rating(a_rating(ada, 10))
    gone = record_store.add_rating(a_rating(ada, 50))
    record_store.add_rating(replace(gone, version=2, withdrawn=True))
    session = record_store.add_session(TherapySession(new_id(), ada.id, 1, NOW))
    record_store.add_consent(Consent(ada.id, Purpose.CARE, True, "1", NOW))
    report = StoredReport(ada.id, "caseload", "f", "[]")
    record_store.put_report(report)
    record_store.put_report(replace(report, kind="another"))
    of_eve, of_ada = access_store.care_records(tom.id, rating.about_ns, "caseload")
    assert (of_eve.person.id, of_eve.rated, of_eve.report) == (eve.id, [], None)
    assert of_ada.person == record_store.person(ada.id)
    assert of_ada.rated == [(rating.about_ns, rating.pain, rating.stress)]
    assert of_ada.sessions == [session] == record_store.sessions(ada.id)
    assert of_ada.consents == record_store.consents(ada.id)
    assert (of_ada.responses, of_ada.report) == ([], report)


def test_an_export_pin_is_replaced_and_expires(access_store: AccessStore) -> None:
    assert access_store.find_export_pin("a" * 40) is None
    access_store.put_export_pin(ExportPin("a" * 40, "x", 5, 6), 0)
    access_store.put_export_pin(ExportPin("a" * 40, "y", 7, 8), 0)
    access_store.put_export_pin(ExportPin("b" * 40, "z", 9, 10), 8)
    assert access_store.find_export_pin("a" * 40) == ExportPin("a" * 40, "y", 7, 8)
    access_store.put_export_pin(ExportPin("b" * 40, "z", 9, 11), 9)
    assert access_store.find_export_pin("a" * 40) is None
    assert access_store.find_export_pin("b" * 40) == ExportPin("b" * 40, "z", 9, 11)
