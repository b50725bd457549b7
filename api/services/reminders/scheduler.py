"""Send what is due. Several workers may do so at once, and each may be killed at any moment."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from api.services.access_tokens import token_hash
from api.services.reminders.turn import LEASE_NS, decide, next_attempt
from api.services.reminders.ways import Message, Way
from store import Stores
from store.models import Prompt, PromptState

log = logging.getLogger("ebbtide.api")

# Where no other way is set up: the question waits on the pages and in the app.
PAGE = "page"
_RENEW_EVERY_S = 10.0


def run_due(stores: Stores, ways: Sequence[Way], most: int = 10_000) -> int:
    """Give everybody who is due their turn, and send what is to be sent; how many had one."""
    for done in range(most):
        if not run_turn(stores, ways):
            return done
    return most


def run_turn(stores: Stores, ways: Sequence[Way], person_id: str | None = None) -> bool:
    """Give one person who is due their turn; whether there was one."""
    receipt = secrets.token_urlsafe(24)
    now = stores.now()
    found, prompt = stores.prompts.take_turn(
        now, lambda turn: decide(turn, now, token_hash(receipt)), person_id
    )
    if prompt is not None:
        _send(stores, ways, prompt, receipt)
    return found


def _send(stores: Stores, ways: Sequence[Way], prompt: Prompt, receipt: str) -> None:
    """Try each way once. Before each it is written down, so that after a crash no mail is sent a
    second time; the outcome is written when all were tried.
    """
    plan = stores.prompts.plan(prompt.person_id)
    person = stores.records.person(prompt.person_id)
    if plan is None or person is None:  # erased meanwhile
        return
    message = Message(person, plan, prompt, receipt)
    set_up = [way for way in ways if way.is_set_up(plan)]
    worked = [] if set_up else [PAGE]
    with _renewed_lease(stores, prompt):
        for way in set_up:
            if not _note_attempt(stores, prompt, way.name):
                return  # another worker has it by now, or it was answered
            try:
                if way.send(message):
                    worked.append(way.name)
            except Exception as error:  # whatever a way raises: the others are tried
                log.warning("a prompt could not be sent by %s: %s", way.name, type(error).__name__)

    def finish(stored: Prompt) -> Prompt | None:
        if not _is_ours(stored, prompt):
            return None
        return next_attempt(stored, stores.now(), " ".join(worked))

    stores.prompts.change_prompt(prompt.person_id, prompt.id, finish)


@contextmanager
def _renewed_lease(stores: Stores, prompt: Prompt) -> Iterator[None]:
    """Hold the lease while ways that do not answer take longer than it lasts."""
    is_done = threading.Event()

    def renew(stored: Prompt) -> Prompt | None:
        if not _is_ours(stored, prompt):
            return None
        return replace(stored, leased_until_ns=stores.now() + LEASE_NS)

    def hold() -> None:
        while not is_done.wait(_RENEW_EVERY_S):
            try:
                stores.prompts.change_prompt(prompt.person_id, prompt.id, renew)
            except Exception as error:  # the store is away: it is tried again
                log.warning("a lease could not be renewed: %s", type(error).__name__)

    holder = threading.Thread(target=hold, name="reminder lease", daemon=True)
    holder.start()
    try:
        yield
    finally:
        is_done.set()
        holder.join()


def _note_attempt(stores: Stores, prompt: Prompt, way: str) -> bool:
    def note(stored: Prompt) -> Prompt | None:
        if not _is_ours(stored, prompt):
            return None
        return replace(stored, ways_tried=f"{stored.ways_tried} {way}".strip())

    noted = stores.prompts.change_prompt(prompt.person_id, prompt.id, note)
    return noted is not None and _is_ours(noted, prompt) and way in noted.ways_tried.split()


def _is_ours(stored: Prompt, sending: Prompt) -> bool:
    return stored.state is PromptState.SENDING and stored.receipt_hash == sending.receipt_hash
