"""Carry out again what the ledger of erasures says: after a restore, and after a kill in between.

The store is compared with the ledger at each start of the service, before it answers: a server's
own restore (pg_restore, influxd restore) leaves no other sign.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.services.erasure import adopt_erasures, begin_ledger, clear_snapshots, erase_rows, purge
from ebbtide.beats import new_id
from store import ErasureScope, LedgerContent, LedgerError, Stores
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
    with ledger.locked():
        content = ledger.read()
        subjects = _erase(stores, content, erase_local)
        found.people = len(subjects)
        for erasure in content.erasures.values():
            stores.access.add_erased_tokens(erasure.tokens, stores.now())
        unfinished = content.unfinished
        if not subjects and not unfinished:
            return found
        clear_snapshots(snapshots)
        for subject in subjects:
            stores.records.add_audit(AuditLine(stores.now(), ERASED_AGAIN, subject))
        remaining, is_whole = purge(stores)
        found.remaining = tuple(remaining)
        if is_whole:
            for erasure in unfinished:
                ledger.finish_erasure(erasure, stores.now())
            found.finished = len(unfinished)
        _LOG.warning(
            "erased again from the ledger: %d people; finished: %d", found.people, found.finished
        )
    return found


def _erase(
    stores: Stores, content: LedgerContent, erase_local: Callable[[str], None] | None
) -> list[str]:
    """Erase who is in the stores and in the ledger; their subjects."""
    subjects = []
    for person in stores.records.people():
        noted = content.find(person.subject_id, person.id)
        if noted is None or not stores.beats.can_erase:
            continue
        if noted.scope is ErasureScope.DATA:
            _erase_data(stores, person)
        else:
            erase_rows(stores, person)
            if erase_local is not None:
                erase_local(person.id)
        subjects.append(person.subject_id)
    # Beats without a person: a process was killed in between, or InfluxDB alone was set back.
    refused = set(stores.beats.erased())
    for subject in {*stores.beats.subjects(), *stores.beats.orphan_subjects()}:
        is_noted = subject in refused or content.find(subject) is not None
        if is_noted and stores.beats.can_erase:
            stores.beats.erase(subject)
            subjects.append(subject)
    return subjects


def _erase_data(stores: Stores, person: Person) -> None:
    """Erase what was kept of a person who withdrew: the account stays, without consent to it."""
    stores.records.add_consent(
        Consent(person.id, Purpose.KEEPING, False, _WORDING, stores.now(), None)
    )
    stores.beats.erase(person.subject_id)
    stores.records.erase_data(person.id, new_id())
