"""Responses about people who take their consent back are cut short, and never end as if whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.http.deps import WATCHED
from api.middleware.withdrawals import ConsentWithdrawnError, WithdrawalMiddleware
from store import Stores
from store.models import Consent, Person, Purpose
from tests.support.accounts import add_account


@pytest.fixture
def ada(stores: Stores) -> Person:
    return add_account(stores, "ada@example.org")


def respond(
    stores: Stores, person: Person, parts: int, before_last: Callable[[], Any]
) -> list[Message]:
    """Send a response about the person in so many parts, in no time; what was sent."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[WATCHED] = ({person.id}, {Purpose.KEEPING})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(parts):
            if number == parts - 1:
                before_last()
            await send(
                {"type": "http.response.body", "body": b"x", "more_body": number < parts - 1}
            )

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    sent: list[Message] = []
    middleware = WithdrawalMiddleware(app, stores)
    try:
        asyncio.run(middleware({"type": "http"}, receive, send))
    except ConsentWithdrawnError:
        sent.append({"type": "cut"})
    return sent


def test_the_end_of_a_streamed_response_is_not_sent_after_a_withdrawal(
    stores: Stores, ada: Person
) -> None:
    def withdraw() -> None:
        stores.records.add_consent(Consent(ada.id, Purpose.KEEPING, False, "w", stores.now()))

    sent = respond(stores, ada, 3, withdraw)
    assert [message["type"] for message in sent[1:]] == [*["http.response.body"] * 2, "cut"]
    assert all(message["more_body"] for message in sent[1:-1])


def test_others_are_whole_and_a_short_one_asks_nothing(
    stores: Stores, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    withdrawn_since = type(stores.records).withdrawn_since

    def count(*arguments: Any) -> set[str]:
        asked.append(1)
        return withdrawn_since(*arguments)

    monkeypatch.setattr(type(stores.records), "withdrawn_since", count)
    for parts, queries in ((1, 0), (3, 1)):
        asked.clear()
        sent = respond(stores, ada, parts, lambda: None)
        assert not sent[-1]["more_body"]
        assert len(sent) == parts + 1
        assert len(asked) == queries
