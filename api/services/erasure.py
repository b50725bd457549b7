"""Erase a person from all stores and verify it by reading; find those whose data expired."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from api.services.snapshots import clear_snapshots
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, FOREVER
from store import UNAVAILABLE, ErasureScope, LedgerErasure, Stores
from store.models import (
    ERASED,
    ERASURE_BEGUN,
    WITHDRAWAL_BEGUN,
    AccessToken,
    AuditLine,
    Person,
    Purpose,
    TokenKind,
)

_LOG = logging.getLogger("ebbtide.erasure")
PURGE_ERRORS: tuple[type[Exception], ...] = (sqlite3.Error, EbbtideError, *UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """How much was erased. ``remaining``: in words, what is left to servers and to who runs them,
    or has to be repeated.
    """

    beats: int
    ratings: int
    sessions: int
    remaining: tuple[str, ...] = ()


def erase_person(stores: Stores, email: str, snapshots: Path | None = None) -> ErasureResult:
    """Remove every beat, rating, session and token of the person; see ``erase_people``. Raises
    EbbtideError where there is no such person, too.
    """
    person = stores.records.person_by_email(email)
    if person is None:
        raise EbbtideError(f"There is no account of {email}.", "Check the address.")
    return erase_people(stores, [person], snapshots)


def erase_people(
    stores: Stores,
    people: Sequence[Person],
    snapshots: Path | None = None,
    erase_local: Callable[[str], object] | None = None,
) -> ErasureResult:
    """Remove every beat, rating, session and token of these people, and overwrite what they left
    in files, once for all of them. Raises EbbtideError when the ledger cannot be written, or when
    something can still be read afterwards. ``snapshots``: the folder of exports that are being
    read; all go, since an analyst's hold several people. ``erase_local`` erases an account from
    this machine's outbox.
    """
    beats = ratings = sessions = 0
    if not people:
        return ErasureResult(beats, ratings, sessions)
    with locked(stores):
        erasures = []
        for person in people:
            ratings += len(stores.records.ratings(person.id, *FOREVER))
            sessions += len(stores.records.sessions(person.id))
            tokens = stores.access.tokens(person.id)
            erasures.append(begin_erasure(stores, person.subject_id, person.id, tokens=tokens))
            beats += erase_rows(stores, person)
            if erase_local is not None:
                erase_local(person.id)
        clear_snapshots(snapshots)
        # From here on workers see it: api/services/erasure_watch.py.
        for person in people:
            stores.records.add_audit(AuditLine(stores.now(), ERASED, person.subject_id))
        remaining = finish_erasures(stores, erasures)
    return ErasureResult(beats, ratings, sessions, tuple(remaining))


@contextmanager
def locked(stores: Stores) -> Iterator[None]:
    """Keep other processes from carrying out the same erasures meanwhile."""
    with nullcontext() if stores.ledger is None else stores.ledger.locked():
        yield


def begin_erasure(
    stores: Stores,
    subject_id: str,
    account_id: str,
    scope: ErasureScope = ErasureScope.EVERYTHING,
    tokens: Sequence[AccessToken] = (),
) -> LedgerErasure | None:
    """Note an erasure in the ledger and the audit before it begins. ``finish_erasures`` ends it;
    until then, the next start of the service goes on with it.
    """
    erasure = None
    if stores.ledger is not None:
        begin_ledger(stores)
        erasure = stores.ledger.begin_erasure(
            subject_id,
            account_id,
            stores.now(),
            scope,
            [(t.token_hash, t.expires_ns) for t in tokens if t.kind is not TokenKind.SESSION],
        )
    # Logged before it is done: should the process stop in between, the log shows what to repeat.
    action = WITHDRAWAL_BEGUN if scope is ErasureScope.DATA else ERASURE_BEGUN
    stores.records.add_audit(AuditLine(stores.now(), action, subject_id))
    return erasure


def erase_rows(stores: Stores, person: Person) -> int:
    """Delete the person from the stores, and read them again; how many beats there were. Raises
    EbbtideError when something can still be read.
    """
    # Beats first: while the account exists, the same command can be repeated.
    beats = stores.beats.erase(person.subject_id)
    stores.records.erase(person.id)
    remaining = [
        what
        for what, rows in (
            ("streams", stores.beats.coverage(person.subject_id)),
            ("beats", len(stores.beats.read(person.subject_id, *FOREVER))),
            ("gaps", stores.beats.gaps(person.subject_id, *FOREVER)),
            ("movement", stores.beats.activity(person.subject_id, *FOREVER)),
            ("ratings", stores.records.ratings(person.id, *FOREVER)),
            ("heart rates", stores.records.heart_rates(person.id, *FOREVER)),
            ("sessions", stores.records.sessions(person.id)),
            ("consents", stores.records.consents(person.id)),
            ("the account", stores.records.person(person.id)),
        )
        if rows
    ]
    if remaining:
        raise EbbtideError(
            f"After erasing, {', '.join(remaining)} can still be read.", "Give the command again."
        )
    return beats


def finish_erasures(stores: Stores, erasures: Iterable[LedgerErasure | None]) -> list[str]:
    """Overwrite what the deleted rows left in files and logs, and note in the ledger that nothing
    of the erasures is left to do.

    Returns in words what remains. What could not be overwritten now, such as on a full disk, is
    among it, and is tried again by the service.
    """
    remaining, is_whole = purge(stores)
    if is_whole and stores.ledger is not None:
        for erasure in erasures:
            if erasure is not None:
                stores.ledger.finish_erasure(erasure, stores.now())
    return remaining


def purge(stores: Stores) -> tuple[list[str], bool]:
    """Overwrite deleted rows in files and logs; what remains in words, and whether all was done."""
    remaining, is_whole = [], True
    for store in (stores.beats, stores.records):
        try:
            remaining += store.purge()
        except PURGE_ERRORS as error:
            is_whole = False
            remaining.append(
                f"Deleted, but not overwritten in the files yet ({type(error).__name__}: "
                f"{_first_line(error)}). The service tries it again every minute and at its start."
            )
    return remaining, is_whole


def begin_ledger(stores: Stores) -> None:
    """Begin the ledger where there is none: with all erasures that the store has seen, since its
    oldest account was made.
    """
    ledger = stores.ledger
    if ledger is None or ledger.read().since_ns is not None:
        return
    now = stores.now()
    adopt_erasures(stores)
    people = stores.records.people()
    ledger.begin(min([person.created_ns for person in people], default=now))


def adopt_erasures(stores: Stores, only: Collection[str] | None = None) -> None:
    """Note the subjects in the ledger that the store refuses, and another machine may have erased:
    each machine has a ledger. ``only``: of these subjects; of all where it is left out.

    Where neither a withdrawal nor the audit says whether the account was erased, only its data
    are noted: an account must not be deleted on a guess.
    """
    ledger, records = stores.ledger, stores.records
    if ledger is None:
        return
    content, withdrawn = ledger.read(), records.withdrawn_subjects()
    missing = []
    for subject_id in stores.beats.erased():
        if only is not None and subject_id not in only:
            continue
        noted = content.find(subject_id)
        # Also where an earlier version noted the account as erased for want of the withdrawal.
        if noted is None or (subject_id in withdrawn and not noted.account):
            missing.append(subject_id)
    accounts = records.erased_accounts(missing)
    for subject_id in missing:
        is_account = subject_id in accounts and subject_id not in withdrawn
        if not is_account and subject_id not in withdrawn:
            _LOG.warning(
                "subject %s was erased elsewhere; whether its account was is not recorded, so only "
                "its data would be erased again after a restore",
                subject_id,
            )
        erasure = ledger.begin_erasure(
            subject_id,
            withdrawn.get(subject_id, ""),
            stores.now(),
            ErasureScope.EVERYTHING if is_account else ErasureScope.DATA,
        )
        ledger.finish_erasure(erasure, stores.now())


def _first_line(error: BaseException) -> str:
    # The statement of an SQL error follows in further lines.
    return str(error).partition("\n")[0]


@dataclass(frozen=True, slots=True)
class ExpiredPerson:
    """A person whose data may not be kept any longer; ``since_ns`` when that began."""

    person: Person
    reason: str
    since_ns: int


def expired_people(stores: Stores, keep_days: int | None) -> list[ExpiredPerson]:
    """Find everybody who withdrew consent to keeping, or whose consent has expired, or of whom
    nothing new came for ``keep_days``.
    """
    now = stores.now()
    expired = []
    for person in stores.records.people():
        answers = [a for a in stores.records.consents(person.id) if a.purpose is Purpose.KEEPING]
        # The service erases the data of others who took it back (api.services.withdrawal).
        withdrawal = stores.records.withdrawal(person.id)
        is_withdrawn = bool(answers) and not answers[-1].given
        if is_withdrawn and withdrawal is None:
            expired.append(
                ExpiredPerson(person, "consent to keeping was taken back", answers[-1].at_ns)
            )
            continue
        until_ns = answers[-1].until_ns if answers else None
        is_over = until_ns is not None and until_ns <= now
        # Likewise where consent ran out.
        if is_over and (withdrawal is None or withdrawal.withdrawn_ns != until_ns):
            expired.append(
                ExpiredPerson(person, "the time they agreed to is over", until_ns or now)
            )
            continue
        if keep_days is not None:
            last = _last_activity_ns(stores, person)
            if last + keep_days * DAY <= now:
                reason = f"nothing new for {keep_days} days"
                expired.append(ExpiredPerson(person, reason, last + keep_days * DAY))
    return expired


def _last_activity_ns(stores: Stores, person: Person) -> int:
    return max(
        [
            person.created_ns,
            *(item.last_ns or 0 for item in stores.beats.coverage(person.subject_id)),
            *(rating.entered_ns for rating in stores.records.ratings(person.id, *FOREVER)),
            *(session.held_ns for session in stores.records.sessions(person.id)),
            *(answer.at_ns for answer in stores.records.consents(person.id)),
        ]
    )
