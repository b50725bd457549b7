"""The recorder of ``ebbtide start``: a process that it starts, watches and ends, and asks for more.

The process (``cli.server.recorder_process``) runs while a strap is paired, anything waits for
upload, or somebody scans; a computer without straps has none. It is started again when it ends,
after waits that grow from half a second to a minute. It ends when this process does, even where
that is killed: the pipe between them is then closed.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from api.schemas.recorder import FoundOut, Heard, PairedOut, RecorderOut, ScanOut, StrapOut
from api.services.access_tokens import find_caller
from api.services.first_run import find_local_owner
from api.services.recorder import (
    NotTheirsError,
    RecorderBusyError,
    UnknownStrapError,
    is_off_worth_saying,
)
from cli.credentials import CredentialFile, Credentials
from cli.server.recorder_words import describe_trouble
from ebbtide import timestamps
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from ingest.straps.paired import PairedStrap, PairedStraps
from store import Stores
from store.models import Person

COMMAND = (sys.executable, "-m", "cli.server.recorder_process")
_LOG = logging.getLogger("ebbtide.recorder")
_MIN_WAIT_S, _MAX_WAIT_S = 0.5, 60.0
_SOUND_S = 60.0  # after this long a process that ends is no failure that repeats
_HANGS_S = 60.0  # it says every five seconds that it lives
_IDLE_S = 60.0
_CHECK_S = 2.0
_BEGIN_S = 20.0
_PROBE_S = 45.0
_END_S = 20.0
_FAILURES_TO_SAY = 3
_MAX_NAME = 60


class RecorderSupervisor:
    """Starts, watches and asks the recorder. A context manager; safe with several threads.

    ``command`` replaces the program, in tests.
    """

    def __init__(self, settings: Settings, command: Sequence[str] = COMMAND) -> None:
        self._settings = settings
        self._command = list(command)
        self._computer = platform.node() or "this computer"
        self._straps = PairedStraps(settings.straps_file)
        self._sign_ins = CredentialFile(settings.sign_ins_file)
        self._child: subprocess.Popen[str] | None = None
        self._state: dict[str, Any] = {}
        self._heard_ns: dict[str, int] = {}
        self._off_said: dict[str, int | None] = {}
        self._answers: dict[int, Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()  # of all above
        self._pairing = threading.Lock()
        self._ended, self._wake = threading.Event(), threading.Event()
        self._has_begun = threading.Event()  # the child of now has sent its state
        self._message_at_s = self._command_at_s = 0.0
        self._failures = 0
        self.starts = 0
        self._threads = [
            threading.Thread(target=self._supervise, name="recorder", daemon=True),
            threading.Thread(target=self._watch, name="recorder-watch", daemon=True),
        ]

    def __enter__(self) -> RecorderSupervisor:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._wake.set()
        child = self._child
        if child is not None:
            _close_pipe(child)
            try:
                child.wait(_END_S)
            except subprocess.TimeoutExpired:
                child.kill()
        for thread in self._threads:
            thread.join(timeout=_END_S)

    @property
    def pid(self) -> int | None:
        """The process that records; None while there is none."""
        child = self._child
        return None if child is None else child.pid

    # What the API asks: ``api.services.recorder.LocalRecorder``.

    def state(self, account: str, zone: str) -> RecorderOut:
        """Return what it does for this person."""
        owner = self._owner(account)
        with self._lock:
            state, is_running = self._state, self._child is not None
            failing = self._failures >= _FAILURES_TO_SAY
        all_paired = self._straps.all()
        mine = [strap for strap in all_paired if _is_of(strap, owner)]
        problem = state.get("problem")
        if mine and not is_running and failing:
            problem = "not running"
        return RecorderOut(
            computer=self._computer,
            straps=[self._describe(strap, state, zone) for strap in mine],
            problem=problem,
            bluetooth=state.get("bluetooth"),
            upload=state.get("uploads", {}).get(account),
            waiting=state.get("waiting", {}).get(account, 0),
            most_links=state.get("most_links", 0),
            straps_of_others=len(all_paired) - len(mine),
        )

    def start_scan(self, account: str, seconds: int) -> ScanOut:
        """Begin to listen, one scan at a time."""
        self._owner(account)
        with self._pairing_alone("Another strap is being paired. A moment, please."):
            if self._state.get("scan", {}).get("is_running"):
                raise RecorderBusyError("It listens already.")
            self._ask({"do": "scan", "seconds": seconds}, _BEGIN_S)
        return self.scan(account)

    def scan(self, account: str) -> ScanOut:
        """Return what is heard."""
        owner = self._owner(account)
        scan = self._state.get("scan") or {}
        by_address = {strap.address.upper(): strap for strap in self._straps.all()}
        found = []
        for item in scan.get("found", []):
            paired = by_address.get(item["address"].upper())
            whose = None
            if paired is not None:
                whose = "you" if _is_of(paired, owner) else "somebody else"
            found.append(FoundOut(**{**item, "name": _plain(item["name"]), "paired_with": whose}))
        return ScanOut(**{**scan, "found": found})

    def pair(self, account: str, address: str, name: str | None) -> PairedOut:
        """Ask the strap what it sends, and pair it."""
        owner = self._owner(account)
        with self._pairing_alone("Another strap is being paired. A moment, please."):
            self._require_free(address, owner, name)
            answer = self._ask({"do": "probe", "address": address}, _PROBE_S)
            found, trouble = answer["strap"], answer["trouble"]
            if trouble is not None:
                raise RecorderBusyError(describe_trouble(trouble))
            gives = found["facts"]["gives"]
            if "heart rate" not in gives:
                raise RecorderBusyError("It answers, and has no heart rate. Choose another one.")
            heard: Heard = None
            if found["sends_rr"]:
                heard = "intervals"
            elif "pulse intervals" in gives:
                heard = "pulse intervals"
            elif found["sends_rr"] is False:
                heard = "heart rate"
            with self._lock:
                self._require_free(address, owner, name)
                paired = PairedStrap(
                    address=found["address"],
                    name=name or self._free_name(_plain(found["name"])),
                    patient=owner.email,
                    intervals="ppi" if heard == "pulse intervals" else "rr",
                    model=found["facts"]["model"],
                    firmware=found["facts"]["firmware"],
                    advertised_name=found["name"] if found["advertised"] else None,
                    manufacturers=tuple(found["manufacturers"]),
                )
                self._straps.put(paired)
        self._send({"do": "reload"})
        return PairedOut(strap=self._describe(paired, self._state, owner.zone), heard=heard)

    def rename(self, account: str, address: str, name: str) -> StrapOut:
        """Rename a strap."""
        owner = self._owner(account)
        with self._lock:
            renamed = replace(self._find(owner, address), name=name)
            self._require_free_name(name, address)
            self._straps.put(renamed)
        self._tell_lists()
        return self._describe(renamed, self._state, owner.zone)

    def forget(self, account: str, address: str) -> None:
        """Forget a strap."""
        with self._lock:
            self._straps.remove(self._find(self._owner(account), address))
        self._tell_lists()

    def note_off_said(self, account: str, address: str) -> None:
        """Note that the person was told that this strap is off."""
        strap = self._find(self._owner(account), address)
        with self._lock:
            self._off_said[strap.address] = self._heard_ns.get(strap.address)

    # Straps and people.

    def _owner(self, account: str) -> Credentials:
        for item in self._sign_ins.all():
            if item.account == account:
                return item
        raise NotTheirsError(
            f"{self._computer} does not record for you: it is not signed in as you. In a terminal "
            "there: ebbtide sign-in YOUR-ADDRESS"
        )

    def _find(self, owner: Credentials, address: str) -> PairedStrap:
        for strap in self._straps.all():
            if strap.address.upper() == address.upper() and _is_of(strap, owner):
                return strap
        raise UnknownStrapError("No strap with this address is paired with you.")

    def _require_free(self, address: str, owner: Credentials, name: str | None) -> None:
        for strap in self._straps.all():
            if strap.address.upper() != address.upper():
                continue
            raise RecorderBusyError(
                "It is paired with you already."
                if _is_of(strap, owner)
                else "It is paired with somebody else on this computer. They can forget it first."
            )
        if name is not None:
            self._require_free_name(name, address)

    def _require_free_name(self, name: str, address: str) -> None:
        for strap in self._straps.all():
            if strap.name == name and strap.address.upper() != address.upper():
                raise RecorderBusyError(f"Another strap is called {name}. Choose another name.")

    def _free_name(self, name: str) -> str:
        taken = {strap.name for strap in self._straps.all()}
        numbered = (f"{name} {number}" for number in itertools.count(2))
        return next(word for word in itertools.chain([name], numbered) if word not in taken)

    def _describe(self, strap: PairedStrap, state: dict[str, Any], zone: str) -> StrapOut:
        found = state.get("straps", {}).get(strap.address, {})
        fields = {key: value for key, value in found.items() if key != "last_heard_ns"}
        heard_ns = self._heard_ns.get(strap.address)
        is_off = found.get("heart_rate_bpm") is None and is_off_worth_saying(
            heard_ns, timestamps.now_ns(), zone
        )
        return StrapOut(
            address=strap.address,
            name=strap.name,
            model=strap.model,
            last_heard=None if heard_ns is None else timestamps.to_datetime(heard_ns, zone),
            off_notice=is_off and self._off_said.get(strap.address) != heard_ns,
            **fields,
        )

    # The process.

    def _is_wanted(self) -> bool:
        if time.monotonic() < self._command_at_s + _IDLE_S:
            return True
        with suppress(EbbtideError):
            if self._straps.all():
                return True
        # What an earlier recording left there goes up, also without a strap.
        return not self.starts and self._settings.outbox_file.exists()

    def _supervise(self) -> None:
        wait_s = _MIN_WAIT_S
        while not self._ended.is_set():
            if not self._is_wanted():
                self._wake.wait(_CHECK_S)
                self._wake.clear()
                continue
            began_s = time.monotonic()
            status = self._run_child()
            if status == 0 or time.monotonic() > began_s + _SOUND_S:
                self._failures, wait_s = 0, _MIN_WAIT_S
            if status != 0 and not self._ended.is_set():
                self._failures += 1
                _LOG.warning("the recorder ended (%s); it is started again", status)
            self._ended.wait(wait_s)
            wait_s = min(wait_s * 2, _MAX_WAIT_S) if status != 0 else _MIN_WAIT_S

    def _run_child(self) -> int:
        """Run the process until it ends, taking its messages; its status."""
        environment = {
            **os.environ,
            "EBBTIDE_DATA_DIR": str(self._settings.data_dir),
            "PYTHONUNBUFFERED": "1",
        }
        try:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=environment,
            )
        except OSError as error:  # no memory, no process left
            _LOG.warning("the recorder cannot be started: %s", error.strerror or error)
            return 1
        with self._lock:
            self._child = child
            self._message_at_s = time.monotonic()
            self.starts += 1
        if self._ended.is_set():
            _close_pipe(child)
        assert child.stdout is not None
        with suppress(ValueError, OSError):  # a line that was cut as it was killed
            for line in child.stdout:
                self._take(json.loads(line))
        child.kill()
        status = child.wait()
        with self._lock:
            self._child, self._state = None, {}
            self._has_begun.clear()
            answers, self._answers = self._answers, {}
        _close_pipe(child)
        child.stdout.close()
        for future in answers.values():
            future.set_exception(RecorderBusyError("The recorder was started anew. Try again."))
        return status

    def _take(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._message_at_s = time.monotonic()
            if "answer" in message:
                future = self._answers.pop(message["answer"], None)
                if future is not None:
                    future.set_result(message)
                return
            self._state = message["state"]
            for address, strap in self._state["straps"].items():
                if strap["last_heard_ns"] is not None:
                    self._heard_ns[address] = strap["last_heard_ns"]
        self._has_begun.set()

    def _watch(self) -> None:
        """End a process that hangs, or has nothing to do any more."""
        while not self._ended.wait(_CHECK_S):
            child, now = self._child, time.monotonic()
            if child is None:
                continue
            if now > self._message_at_s + _HANGS_S:
                _LOG.warning("the recorder does not answer; it is started again")
                child.kill()
            elif self._state.get("is_idle") and not self._is_wanted():
                _close_pipe(child)

    def _tell_lists(self) -> None:
        """Have a running process follow the lists at once; one that starts reads them anyway."""
        if self._child is not None:
            with suppress(RecorderBusyError):
                self._send({"do": "reload"})

    def _send(self, command: dict[str, Any]) -> None:
        self._command_at_s = time.monotonic()
        self._wake.set()
        if not self._has_begun.wait(_BEGIN_S):
            raise RecorderBusyError("The recorder starts just now. Try again in a moment.")
        try:
            with self._lock:
                child = self._child
                if child is None or child.stdin is None:
                    raise OSError
                child.stdin.write(json.dumps(command) + "\n")
                child.stdin.flush()
        except (OSError, ValueError) as error:
            raise RecorderBusyError("The recorder starts just now. Try again.") from error

    def _ask(self, command: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        number, future = next(self._numbers), Future[dict[str, Any]]()
        with self._lock:
            self._answers[number] = future
        try:
            self._send({**command, "id": number})
            return future.result(timeout_s)
        except FutureTimeout as error:
            raise RecorderBusyError(describe_trouble("no answer")) from error
        finally:
            with self._lock:
                self._answers.pop(number, None)

    @contextmanager
    def _pairing_alone(self, words: str) -> Iterator[None]:
        if not self._pairing.acquire(blocking=False):
            raise RecorderBusyError(words)
        try:
            yield
        finally:
            self._pairing.release()


@contextmanager
def opened_recorder(
    settings: Settings, stores: Stores, sign_in: Callable[[Person], None]
) -> Iterator[RecorderSupervisor]:
    """Run the recorder of the people of ``stores`` who are signed in on this computer.

    ``sign_in`` signs this computer in for a person whose sign-in ended.
    """
    try:
        renew_sign_ins(settings, stores, sign_in)
    except EbbtideError as error:
        _LOG.warning("the sign-ins of this computer: %s", error)
    with RecorderSupervisor(settings) as supervisor:
        yield supervisor


def renew_sign_ins(settings: Settings, stores: Stores, sign_in: Callable[[Person], None]) -> None:
    """Let the sign-ins of people of these stores lead to the address of now, and give the owner of
    this computer another where theirs has ended. Raises EbbtideError.
    """
    file, owner = CredentialFile(settings.sign_ins_file), find_local_owner(stores)
    for item in file.all():
        if stores.records.person(item.account) is None:
            continue  # of another service
        if item.api_url != settings.api_url:
            file.put(replace(item, api_url=settings.api_url))
        if owner is not None and item.account == owner.id and not find_caller(stores, item.token):
            file.remove(item.account)
            sign_in(owner)


def _is_of(strap: PairedStrap, owner: Credentials) -> bool:
    return strap.patient.lower() == owner.email.lower()


def _plain(name: str) -> str:
    """Make the name that a device calls itself fit for pages and terminals."""
    words = "".join(letter for letter in name if letter.isprintable()).strip()
    return words[:_MAX_NAME] or "strap"


def _close_pipe(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    with suppress(OSError):
        child.stdin.close()
