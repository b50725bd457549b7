"""What who runs the service needs to know of it: stores, jobs, backups, erasures, recorders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api.services.jobs.listing import find_next_time, load_queue
from api.services.jobs.tasks import ANALYSE, CASELOAD, NIGHTLY, RETENTION
from ebbtide.daily_state import DAILY_COMMANDS, problem_of, read_state
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, SECOND
from store import ErasureScope, Stores
from store.models import Role, TokenKind

_SILENT_NS = DAY  # a recorder that was not seen for longer may hold beats that are not here


@dataclass(frozen=True, slots=True)
class StoreState:
    """Whether a store answers; ``problem``: the kind of its error, or an empty text."""

    name: str
    answers: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class JobState:
    """A job of each day. ``problem``: an empty text where nothing is wrong."""

    name: str
    succeeded_ns: int | None
    next_ns: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class BackupState:
    """A backup that this installation made. ``is_there``: its folder can be read here;
    ``tried_ns``: when it was last restored to try it, and ``is_whole``: whether all could be read.
    """

    folder: Path
    made_ns: int
    is_there: bool
    tried_ns: int | None = None
    is_whole: bool | None = None


@dataclass(frozen=True, slots=True)
class ErasureState:
    """An erasure in the ledger. ``finished``: nothing of it is left to do."""

    id: str
    at_ns: int
    with_account: bool
    finished: bool


@dataclass(frozen=True, slots=True)
class RecorderState:
    """How many recorders and phones are signed in; ``silent``: not seen for a day."""

    signed_in: int
    silent: int
    oldest_ns: int | None


def check_stores(stores: Stores) -> Iterator[StoreState]:
    """Ask both stores whether they answer."""
    for name, store in (("beats", stores.beats), ("people and ratings", stores.records)):
        try:
            store.check()
        except Exception as error:  # whatever a store's driver may raise
            yield StoreState(name, False, type(error).__name__)
        else:
            yield StoreState(name, True)
    for name, why in stores.beats.server_states().items():
        if why is not None:
            yield StoreState(name, False, why)


def load_jobs(settings: Settings, stores: Stores) -> Iterator[JobState]:
    """Load what the jobs of each day wrote of themselves (``ebbtide daily``); of those that the
    queue has a time for, what the database says, which is the same on every machine.
    """
    queued = dict(_load_queued(settings, stores))
    for name in DAILY_COMMANDS:
        if name in queued:
            yield queued[name]
            continue
        state = read_state(settings.data_dir / f"daily-{name}.json")
        yield JobState(
            name,
            _ns(None if state is None else state.succeeded_s),
            _ns(None if state is None else state.next_s),
            problem_of(state, time.time()),
        )


def _load_queued(settings: Settings, stores: Stores) -> Iterator[tuple[str, JobState]]:
    times = {NIGHTLY: settings.nightly_at, RETENTION: settings.retention_at}
    queue = load_queue(stores) if any(times.values()) else None
    if queue is None:
        return
    done = {item.task: item.at_ns for item in queue.successes}
    for name, at in times.items():
        if at is not None:
            # The nightly job itself only puts the others into the queue.
            tasks = (NIGHTLY, ANALYSE, CASELOAD) if name == NIGHTLY else (name,)
            problem = next((job.reason for job in queue.jobs if job.task in tasks), "")
            yield (
                name,
                JobState(
                    name,
                    done.get(name),
                    find_next_time(at, stores.now()),
                    problem if queue.workers else "it is not running",
                ),
            )


def _ns(at_s: float | None) -> int | None:
    return round(at_s * SECOND) if at_s else None


def load_backups(stores: Stores) -> list[BackupState]:
    """List the backups in the ledger, newest first."""
    if stores.ledger is None:
        return []
    content = stores.ledger.read()
    found = []
    for item in content.backups.values():
        trial = content.trials.get(item.folder)
        found.append(
            BackupState(
                *(item.folder, item.made_ns, item.folder.is_dir()),
                None if trial is None else trial.at_ns,
                None if trial is None else trial.is_whole,
            )
        )
    return sorted(found, key=lambda item: -item.made_ns)


def load_erasures(stores: Stores) -> list[ErasureState]:
    """List the erasures in the ledger, newest first. It has no names: nobody can say who it was."""
    if stores.ledger is None:
        return []
    content = stores.ledger.read()
    return sorted(
        (
            ErasureState(
                item.id,
                item.at_ns,
                item.scope is ErasureScope.EVERYTHING,
                item.id in content.finished,
            )
            for item in content.erasures.values()
        ),
        key=lambda item: -item.at_ns,
    )


def count_recorders(stores: Stores) -> RecorderState:
    """Count what is signed in to send heartbeats, and what was not seen for a day."""
    now = stores.now()
    used = [
        token.used_ns
        for person in stores.records.people()
        if person.role is Role.PATIENT
        for token in stores.access.tokens(person.id)
        if token.kind in (TokenKind.DEVICE, TokenKind.PHONE)
    ]
    silent = [at for at in used if now - at > _SILENT_NS]
    return RecorderState(len(used), len(silent), min(used, default=None))
