"""The contract of a store of prompts, on every engine."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import HOUR, MINUTE
from store import AccessStore, ProgrammeStore, PromptStore, RecordStore
from store.errors import ConsentMissingError
from store.models import (
    AccessToken,
    Consent,
    Person,
    Practice,
    PracticeKind,
    Prompt,
    PromptState,
    Purpose,
    PushSubscription,
    ReminderPlan,
    Scope,
    TherapySession,
    TokenKind,
    Turn,
    TurnResult,
)
from tests.support.records import NOW, a_person, a_rating


def a_plan(store: PromptStore, person: Person, **changes: object) -> ReminderPlan:
    plan = replace(ReminderPlan(person.id, "seed", "{}", "UTC", next_ns=NOW), **changes)  # type: ignore[arg-type]
    return store.change_plan(person.id, lambda _: plan)


def a_prompt(person: Person, slot: str = "day/1", **changes: object) -> Prompt:
    prompt = Prompt(
        *(new_id(), person.id, slot, "random", NOW, "UTC", 0.01, 1, NOW, NOW + 45 * MINUTE)
    )
    return replace(prompt, **changes)  # type: ignore[arg-type]


def add(store: PromptStore, person: Person, *prompts: Prompt) -> None:
    store.take_turn(NOW, lambda turn: TurnResult(turn.plan, prompts), person.id)


def agree(store: RecordStore, person: Person, given: bool = True) -> None:
    store.add_consent(Consent(person.id, Purpose.KEEPING, given, "1", NOW))


def test_a_plan_is_made_and_changed_under_a_lock(
    record_store: RecordStore, prompt_store: PromptStore
) -> None:
    ada = a_person(record_store)
    assert prompt_store.plan(ada.id) is None
    plan = a_plan(prompt_store, ada, calendar_hash="c")
    assert prompt_store.plan(ada.id) == plan == prompt_store.plan_of_calendar("c")

    def count(before: ReminderPlan | None) -> ReminderPlan:
        assert before is not None
        return replace(before, version=before.version + 1)

    threads = [
        threading.Thread(target=prompt_store.change_plan, args=(ada.id, count)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = prompt_store.plan(ada.id)
    assert stored is not None and stored.version == 9


def test_a_turn_tells_what_is_needed_and_stores_what_was_decided(
    record_store: RecordStore, prompt_store: PromptStore, programme_store: ProgrammeStore
) -> None:
    ada = a_person(record_store)
    a_plan(prompt_store, ada)
    agree(record_store, ada)
    programme_store.put_practice(
        Practice("practice", ada.id, PracticeKind.BREATHING, NOW - HOUR, NOW - MINUTE)
    )
    record_store.add_session(TherapySession(new_id(), ada.id, 1, NOW + HOUR))
    seen: list[Turn] = []

    def decide(turn: Turn) -> TurnResult:
        seen.append(turn)
        planned = a_prompt(ada)
        return TurnResult(replace(turn.plan, next_ns=NOW + HOUR), (planned, a_prompt(ada)), ())

    assert prompt_store.take_turn(NOW, decide) == (True, None)
    assert prompt_store.take_turn(NOW, decide) == (False, None)  # not due any more
    (turn,) = seen
    assert turn.is_allowed and turn.prompts == () and turn.last_sent_ns is None
    assert turn.practices == (("practice", NOW - MINUTE),)
    assert turn.sessions_ns == (NOW + HOUR,)
    (only,) = prompt_store.prompts(ada.id, 0, 2**62)  # of one slot the first stays
    assert only.slot == "day/1"
    prompt_store.wake(ada.id, NOW)
    sent = replace(only, state=PromptState.SENT, sent_ns=NOW)
    result = prompt_store.take_turn(NOW, lambda turn: TurnResult(turn.plan, (), (sent,), sent))
    assert result == (True, sent)
    assert prompt_store.prompt(ada.id, only.id) == sent
    prompt_store.take_turn(NOW + 1, decide)
    assert seen[-1].last_sent_ns == NOW


def test_a_person_who_does_not_agree_is_not_allowed(
    record_store: RecordStore, prompt_store: PromptStore, access_store: AccessStore
) -> None:
    ada = a_person(record_store)
    with pytest.raises(ConsentMissingError):
        a_plan(prompt_store.requiring_consent(lambda: NOW), ada)
    agree(record_store, ada)
    a_plan(prompt_store.requiring_consent(lambda: NOW), ada)
    allowed: list[bool] = []

    def look(turn: Turn) -> TurnResult:
        allowed.append(turn.is_allowed)
        return TurnResult(turn.plan)

    prompt_store.take_turn(NOW, look)
    access_store.set_active(ada.id, False)
    prompt_store.take_turn(NOW, look)
    access_store.set_active(ada.id, True)
    agree(record_store, ada, given=False)
    prompt_store.take_turn(NOW, look)
    assert allowed == [True, False, False]


def test_two_workers_take_no_person_twice(
    record_store: RecordStore, prompt_store: PromptStore
) -> None:
    people = [a_person(record_store, f"{number}@example.org") for number in range(12)]
    for person in people:
        a_plan(prompt_store, person)
    taken: list[str] = []

    def decide(turn: Turn) -> TurnResult:
        taken.append(turn.plan.person_id)
        return TurnResult(replace(turn.plan, next_ns=NOW + HOUR))

    def work() -> None:
        for _ in range(40):
            prompt_store.take_turn(NOW, decide)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(person.id for person in people)


def test_a_rating_in_time_answers_its_prompt_once(
    record_store: RecordStore, prompt_store: PromptStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    a_plan(prompt_store, ada)
    sent = a_prompt(ada, state=PromptState.SENT, sent_ns=NOW)
    late = a_prompt(ada, "day/2", state=PromptState.SENT, sent_ns=NOW)
    unsent = a_prompt(ada, "day/3")
    add(prompt_store, ada, sent, late, unsent)
    of_eve = record_store.add_rating(a_rating(eve, prompt_id=sent.id))
    assert of_eve.prompt_id is None
    before = record_store.add_rating(a_rating(ada, -1, prompt_id=sent.id))
    assert before.prompt_id is None
    first = a_rating(ada, 60, prompt_id=sent.id)
    assert record_store.add_rating(first).prompt_id == sent.id
    assert record_store.add_rating(first).prompt_id == sent.id  # sent again by a phone
    assert record_store.add_rating(a_rating(ada, 61, prompt_id=sent.id)).prompt_id is None
    over = record_store.add_rating(a_rating(ada, 45 * 60, prompt_id=late.id))
    assert over.prompt_id is None
    assert record_store.add_rating(a_rating(ada, 62, prompt_id=unsent.id)).prompt_id is None
    answered = prompt_store.prompt(ada.id, sent.id)
    assert answered is not None
    assert answered.answered_ns == answered.opened_ns == first.about_ns
    corrected = record_store.add_rating(replace(first, version=2, pain=1, prompt_id=None))
    assert corrected.prompt_id == sent.id  # a correction stays an answer


def test_a_subscription_ends_with_its_sign_in_and_moves_with_its_browser(
    record_store: RecordStore, prompt_store: PromptStore, access_store: AccessStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    token = AccessToken(
        *("hash", ada.id, NOW, NOW + HOUR, "token", TokenKind.PHONE, "phone"),
        *(frozenset(Scope), NOW, 0),
    )
    access_store.add_token(token)
    first = PushSubscription("s1", ada.id, "https://push/1", "k", "a", NOW, "token", "phone")
    second = PushSubscription("s2", ada.id, "https://push/2", "k", "a", NOW + 1)
    for subscription in (first, second):
        prompt_store.put_subscription(subscription, 2)
    assert prompt_store.subscriptions(ada.id) == [first, second]
    access_store.revoke_token(ada.id, "token")
    assert prompt_store.subscriptions(ada.id) == [second]
    moved = replace(second, id="s3", person_id=eve.id)
    prompt_store.put_subscription(moved, 2)
    assert prompt_store.subscriptions(ada.id) == []
    for number in range(4, 7):
        more = replace(moved, id=f"s{number}", endpoint=f"e{number}", created_ns=NOW + number)
        prompt_store.put_subscription(more, 2)
    assert [item.id for item in prompt_store.subscriptions(eve.id)] == ["s5", "s6"]
    assert not prompt_store.delete_subscription(ada.id, "s5")
    assert prompt_store.delete_subscription(eve.id, "s5")


def test_a_key_of_the_service_is_made_once(prompt_store: PromptStore) -> None:
    found: list[str] = []
    made = [threading.Thread(target=lambda: found.append(_key(prompt_store))) for _ in range(6)]
    for thread in made:
        thread.start()
    for thread in made:
        thread.join()
    assert len(found) == 6 and len(set(found)) == 1


def _key(store: PromptStore) -> str:
    return store.server_key("vapid", new_id, NOW)


def test_a_prompt_is_changed_by_its_person_alone(
    record_store: RecordStore, prompt_store: PromptStore
) -> None:
    ada, eve = a_person(record_store), a_person(record_store, "eve@example.org")
    a_plan(prompt_store, ada, next_ns=NOW + 5 * HOUR)
    prompt = a_prompt(ada, state=PromptState.SENT, sent_ns=NOW, receipt_hash="r")
    add(prompt_store, ada, prompt)
    assert prompt_store.change_prompt(eve.id, prompt.id, lambda p: replace(p, let_go_ns=1)) is None
    again = prompt_store.change_prompt(
        ada.id, prompt.id, lambda p: replace(p, state=PromptState.PLANNED, due_ns=NOW + MINUTE)
    )
    assert again is not None and prompt_store.prompt_of_receipt("r") == again
    assert prompt_store.next_turn_ns() == NOW + MINUTE  # what is put off is not forgotten
    before = prompt_store.prompts_fingerprint(ada.id)
    assert prompt_store.change_prompt(ada.id, prompt.id, lambda _: None) == again
    assert prompt_store.prompts_fingerprint(ada.id) == before


def test_what_is_of_a_person_goes_with_them(
    record_store: RecordStore, prompt_store: PromptStore
) -> None:
    ada = a_person(record_store)
    a_plan(prompt_store, ada)
    add(prompt_store, ada, a_prompt(ada))
    prompt_store.put_subscription(PushSubscription("s", ada.id, "e", "k", "a", NOW), 2)
    record_store.erase_data(ada.id, new_id())
    assert prompt_store.plan(ada.id) is None
    assert prompt_store.prompts(ada.id, 0, 2**62) == prompt_store.subscriptions(ada.id) == []
