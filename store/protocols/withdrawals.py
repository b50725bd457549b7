"""The protocol of withdrawals of consent to keeping, which the service carries out itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from store.models.records import Purpose
from store.models.withdrawals import Withdrawal


class WithdrawalStore(Protocol):
    """Stores withdrawals, and erases the records of whoever withdrew."""

    def withdrawn_since(self, at_ns: int, purposes: Collection[Purpose]) -> set[str]:
        """Return the ids of all who took back consent to one of these from then on."""
        ...

    def withdrawal(self, person_id: str) -> Withdrawal | None:
        """Find the newest withdrawal of a person."""
        ...

    def withdrawn_subjects(self) -> dict[str, str]:
        """Return the subjects that accounts had until a withdrawal, with the ids of the people."""
        ...

    def erased_accounts(self, subjects: Collection[str]) -> set[str]:
        """Return those of these subjects of whom the audit says that the account was erased."""
        ...

    def adopt_withdrawals(self, due_ns: int, now_ns: int) -> int:
        """Make everybody's data due whose consent to keeping ran out, or whose newest answer is no,
        and who has no withdrawal for it, such as from before withdrawals were stored; how many.
        """
        ...

    def claim_withdrawal(self, now_ns: int, lease_ns: int) -> Withdrawal | None:
        """Take the next withdrawal that is due and not done, for ``lease_ns``. Of several workers,
        one gets it; when that is killed, another gets it after the lease.
        """
        ...

    def begin_withdrawal(
        self, withdrawal: Withdrawal, now_ns: int, subject_id: str
    ) -> tuple[Withdrawal, int]:
        """Erase the records of the person in one transaction, and give the account ``subject_id``
        in place of the subject that it had; return it with the counts, and how many rows there
        were. What remains is the account with its sign-ins, consents, care and access log.

        Nothing is changed where it was begun before, or where the person agrees again by now; then
        ``begun_ns`` stays None.
        """
        ...

    def finish_withdrawal(self, withdrawal: Withdrawal, now_ns: int) -> None:
        """Note that the beats are erased too."""
        ...
