"""Carry out withdrawals of consent to keeping: erase what was kept, and leave the account."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace

from api.services.erasure import begin_erasure, finish_erasures, locked
from api.services.snapshots import Snapshots
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import HOUR, MINUTE
from store import ErasureScope, LedgerErasure, Stores
from store.models import (
    WITHDRAWAL_DONE,
    WITHDRAWAL_EMPTY,
    AuditLine,
    Consent,
    Withdrawal,
)

log = logging.getLogger("ebbtide.api")

# How long one worker has for one withdrawal before another takes it over, as from one that was
# killed. Doing the same twice at once changes nothing.
LEASE_NS = 5 * MINUTE


def store_answer(stores: Stores, answer: Consent, delay_hours: float) -> None:
    """Store an answer. Taking back keeping makes its data due after the delay, within which the
    person may agree again.
    """
    stores.records.add_consent(answer, answer.at_ns + round(delay_hours * HOUR))
    if not answer.given:
        stores.records.delete_reports(answer.person_id)


def adopt_withdrawals(stores: Stores, delay_hours: float) -> int:
    """Have the data of those erased who took keeping back before withdrawals were stored, and of
    those whose consent to it ran out: after the delay, from now on. How many.
    """
    now = stores.now()
    return stores.records.adopt_withdrawals(now + round(delay_hours * HOUR), now)


def carry_out_withdrawals(stores: Stores, snapshots: Snapshots | None) -> list[Withdrawal]:
    """Carry out all that are due and that no other worker has; those that were carried out.

    Each step can be repeated: a worker that is killed is followed by one that goes on where it
    stopped. One that fails is logged, and tried again after its lease.
    """
    begun: list[tuple[Withdrawal, LedgerErasure | None]] = []
    done: list[Withdrawal] = []
    with ExitStack() as stack:
        is_locked = False
        while (withdrawal := stores.records.claim_withdrawal(stores.now(), LEASE_NS)) is not None:
            try:
                withdrawal, has_data = _begin(stores, withdrawal)
                if withdrawal.subject_id is None:
                    continue
                if not has_data:
                    done.append(_finish(stores, withdrawal, WITHDRAWAL_EMPTY))
                    continue
                if not is_locked:
                    stack.enter_context(locked(stores))
                    is_locked = True
                begun.append((withdrawal, _erase(stores, snapshots, withdrawal)))
            except Exception as error:  # whatever a store may raise: the others go on
                _log_failed(error)
        if begun:
            # Overwritten once for all. What could not be is tried again by the ledger.
            finish_erasures(stores, [erasure for _, erasure in begun])
        for withdrawal, _ in begun:
            try:
                done.append(_finish(stores, withdrawal, WITHDRAWAL_DONE))
            except Exception as error:
                _log_failed(error)
    return done


def _begin(stores: Stores, withdrawal: Withdrawal) -> tuple[Withdrawal, bool]:
    """Erase the records, unless the person agreed again meanwhile: it has no subject then. Whether
    there is more to do: many answer no before anything was stored.
    """
    if withdrawal.begun_ns is not None:
        return withdrawal, True
    person = stores.records.person(withdrawal.person_id)
    if person is None:
        return withdrawal, False
    coverage = stores.beats.coverage(person.subject_id)
    removed = stores.beats.removed_streams(person.subject_id)
    counted = replace(withdrawal, beats=sum(item.beats for item in coverage))
    # In its transaction it finds whether the person agreed again: nothing is noted before.
    begun, rows = stores.records.begin_withdrawal(counted, stores.now(), new_id())
    return begun, bool(coverage or removed or rows)


def _erase(
    stores: Stores, snapshots: Snapshots | None, withdrawal: Withdrawal
) -> LedgerErasure | None:
    assert withdrawal.subject_id is not None
    subject = withdrawal.subject_id
    erasure = begin_erasure(stores, subject, withdrawal.person_id, ErasureScope.DATA)
    if snapshots is not None:
        snapshots.clear()
    stores.beats.erase(subject)
    if stores.beats.coverage(subject):
        raise EbbtideError("After erasing, beats can still be read.", "It is tried again.")
    return erasure


def _finish(stores: Stores, withdrawal: Withdrawal, action: str) -> Withdrawal:
    stores.records.finish_withdrawal(withdrawal, stores.now())
    stores.records.add_audit(AuditLine(stores.now(), action, withdrawal.subject_id or ""))
    return replace(withdrawal, done_ns=stores.now())


def _log_failed(error: Exception) -> None:
    # Its text may hold what a person entered.
    log.error("a withdrawal could not be carried out: %s", type(error).__name__)
