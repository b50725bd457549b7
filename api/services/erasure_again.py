"""Carry out again what the ledger of erasures says: after a restore, and after a kill in between.

The store is compared with the ledger at each start of the service, before it answers: a server's
own restore (pg_restore, influxd restore) leaves no other sign.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.services.erasure import adopt_erasures, begin_ledger, erase_rows, finish_erasures
from api.services.snapshots import clear_snapshots
from ebbtide.beats import new_id
from store import UNAVAILABLE, ErasureScope, LedgerContent, LedgerErasure, LedgerError, Stores
from store.models import AuditLine, Consent, Person, Purpose

_LOG = logging.getLogger("ebbtide.erasure")
ERASED_AGAIN = "erased again"  # in the audit
_WORDING = "withdrawn before a restore"


@dataclass(slots=True)
class ErasedAgain:
    """How many people were erased again, and how many erasures that were stopped are finished."""

    people: int = 0
    finished: int = 0
    remaining: tuple[str, ...] = ()


def carry_out_erasures(
    stores: Stores,
    snapshots: Path | None = None,
    erase_local: Callable[[str], None] | None = None,
) -> ErasedAgain:
    """Erase everybody in the stores whom the ledger says was erased, and finish what was stopped.

    Idempotent. Of several processes, one does it and the others wait. ``erase_local`` erases an
    account from this machine's outbox. Raises EbbtideError where the ledger cannot be read or
    written, and errors of the stores.
    """
    found = ErasedAgain()
    ledger = stores.ledger
    if ledger is None:
        return found
    try:
        begin_ledger(stores)
        adopt_erasures(stores)
    except LedgerError as error:  # nobody can be erased until it can be written
        _LOG.error("%s", error)
    content = ledger.read()
    if not content.erasures:
        return found
    # Compared without the lock, which needs a ledger that can be written: mostly there is nothing.
    for erasure in content.erasures.values():
        stores.access.add_erased_tokens(erasure.tokens, stores.now())
    if not content.unfinished and not any(_find(stores, content)):
        return found
    with ledger.locked():
        content = ledger.read()
        subjects, waiting = _erase(stores, content, erase_local)
        found.people = len(subjects)
        unfinished = [erasure for erasure in content.unfinished if erasure.id not in waiting]
        if not subjects and not unfinished:
            return found
        clear_snapshots(snapshots)
        for subject in subjects:
            stores.records.add_audit(AuditLine(stores.now(), ERASED_AGAIN, subject))
        found.remaining = tuple(finish_erasures(stores, unfinished))
        left = {erasure.id for erasure in ledger.read().unfinished}
        found.finished = sum(erasure.id not in left for erasure in unfinished)
        _LOG.warning(
            "erased again from the ledger: %d people; finished: %d", found.people, found.finished
        )
    return found


def _find(
    stores: Stores, content: LedgerContent
) -> tuple[list[tuple[Person, LedgerErasure]], list[str]]:
    """Find who is in the stores and in the ledger, and the subjects of beats without a person: a
    process was killed in between, or InfluxDB alone was restored to an older state.
    """
    if not stores.beats.can_erase:
        return [], []
    everybody = stores.records.people()
    people = [
        (person, noted)
        for person in everybody
        if (noted := content.find(person.subject_id, person.id)) is not None
    ]
    refused = set(stores.beats.erased())
    of_people = {person.subject_id for person, _ in people}
    subjects = {*stores.beats.subjects(), *stores.beats.orphan_subjects()} - of_people
    return people, [s for s in sorted(subjects) if s in refused or content.find(s) is not None]


def _erase(
    stores: Stores, content: LedgerContent, erase_local: Callable[[str], None] | None
) -> tuple[list[str], set[str]]:
    """Erase who is in the stores and in the ledger; their subjects, and the ids of erasures that
    wait for one of several servers of beats, which is away.
    """
    people, subjects = _find(stores, content)
    erased: list[str] = []
    waiting: set[str] = set()
    for person, noted in people:
        try:
            if noted.scope is ErasureScope.DATA:
                _erase_data(stores, person)
            else:
                erase_rows(stores, person)
                if erase_local is not None:
                    erase_local(person.id)
        except UNAVAILABLE:
            _require_others(stores)
            waiting.add(noted.id)
        else:
            erased.append(person.subject_id)
    for subject in subjects:
        try:
            stores.beats.erase(subject)
        except UNAVAILABLE:
            _require_others(stores)
            found = content.find(subject)
            waiting |= set() if found is None else {found.id}
        else:
            erased.append(subject)
    return erased, waiting


def _require_others(stores: Stores) -> None:
    """Raise again what is being handled, unless one of several servers of beats is away: the
    service starts without it, and its people are erased once it is back.
    """
    if all(why is None for why in stores.beats.server_states().values()):
        raise
    _LOG.error("not erased yet: a server of beats does not answer")


def _erase_data(stores: Stores, person: Person) -> None:
    """Erase what was kept of a person who withdrew: the account stays, without consent to it."""
    now = stores.now()
    stores.records.add_consent(Consent(person.id, Purpose.KEEPING, False, _WORDING, now), now)
    stores.beats.erase(person.subject_id)
    stores.records.erase_data(person.id, new_id())
