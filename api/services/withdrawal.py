"""Carry out withdrawals of consent to keeping: erase what was kept, and leave the account."""

from __future__ import annotations

import logging
from dataclasses import replace

from api.services.snapshots import Snapshots
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import HOUR, MINUTE
from store import Stores
from store.models import AuditLine, Consent, Withdrawal

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


def carry_out_withdrawals(
    stores: Stores, snapshots: Snapshots | None, delay_hours: float
) -> list[Withdrawal]:
    """Carry out all that are due and that no other worker has; those that were carried out.

    Withdrawals from before they were stored become due after the delay, from now on. One that fails
    is logged, and tried again after its lease.
    """
    stores.records.adopt_withdrawals(stores.now() + round(delay_hours * HOUR))
    done = []
    while (withdrawal := stores.records.claim_withdrawal(stores.now(), LEASE_NS)) is not None:
        try:
            if (finished := _carry_out(stores, snapshots, withdrawal)) is not None:
                done.append(finished)
        except Exception as error:  # whatever a store may raise: the others go on
            # Its text may hold what a person entered.
            log.error("a withdrawal could not be carried out: %s", type(error).__name__)
    return done


def _carry_out(
    stores: Stores, snapshots: Snapshots | None, withdrawal: Withdrawal
) -> Withdrawal | None:
    """Carry out one; None where the person agreed again meanwhile. Each step can be repeated: a
    worker that is killed is followed by one that goes on where it stopped.
    """
    if withdrawal.begun_ns is None:
        person = stores.records.person(withdrawal.person_id)
        if person is None:
            return None
        beats = sum(item.beats for item in stores.beats.coverage(person.subject_id))
        withdrawal = stores.records.begin_withdrawal(
            replace(withdrawal, beats=beats), stores.now(), new_id()
        )
    if withdrawal.begun_ns is None or withdrawal.subject_id is None:
        return None
    subject = withdrawal.subject_id
    stores.records.add_audit(AuditLine(stores.now(), "withdrawal begun", subject))
    if snapshots is not None:
        snapshots.clear()
    stores.beats.erase(subject)
    if stores.beats.coverage(subject):
        raise EbbtideError("After erasing, beats can still be read.", "It is tried again.")
    stores.records.finish_withdrawal(withdrawal, stores.now())
    stores.records.add_audit(AuditLine(stores.now(), "withdrawal carried out", subject))
    return replace(withdrawal, done_ns=stores.now())
