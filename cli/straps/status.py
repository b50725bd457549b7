"""``ebbtide status``: paired straps, stored beats, pending uploads."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from cli.counts import count_beats
from cli.language import _, ngettext, say_result, say_words
from cli.options import Json
from ebbtide.i18n import N_

if TYPE_CHECKING:
    from ebbtide.settings import Settings


SIGNED_OUT = N_("somebody signed out")


@dataclass(frozen=True, slots=True)
class StrapStatus:
    """A source of beats: paired, or with beats in the outbox."""

    name: str
    patient: str
    address: str | None
    paired: bool
    signed_in: bool
    beats_kept: int
    beats_waiting: int
    last_beat: str | None
    last_beat_ns: int | None
    quarantine: dict[str, int]
    beats_stored: int | None = None  # None where the store could not be asked
    waits_for_consent: bool = False  # the store takes nothing new before the patient agrees


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What the store in this machine's data folder holds."""

    people: int
    recordings: int
    beats: int


def status(as_json: Json = False) -> None:
    """What is paired, what is kept, and what waits for upload."""
    import asyncio

    from cli.credentials import CredentialFile
    from ebbtide import timestamps
    from ebbtide.settings import Settings

    settings = Settings()
    stored, refusing = asyncio.run(_stored_beats(settings))
    straps = _straps(settings, stored, refusing)
    store = _embedded_store(settings)
    recording = _is_recording(settings)
    servers = {
        url: asyncio.run(_server(url))
        for url in sorted({item.api_url for item in CredentialFile(settings.sign_ins_file).all()})
    }
    if as_json:
        report = {
            "recording": recording,
            "straps": [_to_json(strap) for strap in straps],
            "servers": servers,
            "store": None if store is None else asdict(store),
            "data_dir": str(settings.data_dir),
        }
        typer.echo(json.dumps(report))
        return
    typer.echo(
        _("Recording now.") if recording else _("Not recording now (start: ebbtide record).")
    )
    for url, problem in servers.items():
        what = _("answers") if problem is None else say_words(f"{problem}.").rstrip(".")
        typer.echo(_("Server {url}: {what}.").format(url=url, what=what))
    if store is not None:
        typer.echo(
            _("The store in {folder}: {accounts}, {recordings}, {beats}.").format(
                folder=settings.data_dir,
                accounts=ngettext("{count} account", "{count} accounts", store.people).format(
                    count=store.people
                ),
                recordings=ngettext(
                    "{count} recording", "{count} recordings", store.recordings
                ).format(count=store.recordings),
                beats=count_beats(store.beats),
            )
        )
    if not straps:
        is_empty = store is None or not store.recordings
        typer.echo(
            _("No strap is paired, and nothing was recorded yet (begin: ebbtide pair).")
            if is_empty
            else _("No strap is paired on this machine (begin: ebbtide pair).")
        )
    now = timestamps.now_ns()
    for strap in straps:
        typer.echo(_describe(strap, now))


def _to_json(strap: StrapStatus) -> dict[str, Any]:
    row = asdict(strap)
    row["set_aside"] = row.pop("quarantine")
    return row


def _describe(strap: StrapStatus, now_ns: int) -> str:
    last = (
        _("no beat yet")
        if strap.last_beat_ns is None
        else _("last beat {ago}").format(ago=_ago(now_ns - strap.last_beat_ns))
    )
    patient = strap.patient if strap.patient != SIGNED_OUT else _(SIGNED_OUT)
    words = [
        _("{strap} ({patient}): {beats} kept").format(
            strap=strap.name, patient=patient, beats=count_beats(strap.beats_kept)
        ),
        ngettext("{count} waits for upload", "{count} wait for upload", strap.beats_waiting).format(
            count=strap.beats_waiting
        ),
        last,
    ]
    words += [f"{count} {say_result(why)}" for why, count in sorted(strap.quarantine.items())]
    if strap.beats_stored is None and strap.beats_kept > strap.beats_waiting:
        words.append(_("the server was not asked"))
    if strap.waits_for_consent:
        words.append(
            _("it waits for consent: agree on the page Consents, and it goes up by itself")
        )
    if not strap.paired:
        words.append(_("not paired"))
    if not strap.signed_in:
        words.append(_("cannot upload: {command}").format(command=f"ebbtide sign-in {patient}"))
    return ", ".join(words)


def _ago(span_ns: int) -> str:
    from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND

    for unit, words in (
        *((DAY, _("{count} days ago")), (HOUR, _("{count} hours ago"))),
        (MINUTE, _("{count} minutes ago")),
    ):
        if span_ns >= 2 * unit:
            return words.format(count=span_ns // unit)
    return _("{count} s ago").format(count=max(0, span_ns // SECOND))


async def _stored_beats(settings: Settings) -> tuple[dict[str, dict[str, int]], set[str]]:
    """How many beats the stores have, by account and source, as far as they answer; and the
    accounts of which they take nothing new for want of consent.
    """
    from cli.credentials import CredentialFile
    from ebbtide.errors import EbbtideError
    from ingest.outbox.api_client import IngestClient

    found: dict[str, dict[str, int]] = {}
    refusing = set()
    for owner in CredentialFile(settings.sign_ins_file).all():
        async with IngestClient(owner.api_url, owner.token, timeout=5) as client:
            with suppress(EbbtideError):
                streams = await client.stored_streams()
                beats = found.setdefault(owner.account, {})
                for stream in streams.values():
                    beats[stream.source] = beats.get(stream.source, 0) + stream.beats
                if client.keeping not in (None, "agreed"):
                    refusing.add(owner.account)
    return found, refusing


def _straps(
    settings: Settings, in_store: dict[str, dict[str, int]], refusing: set[str]
) -> list[StrapStatus]:
    from cli.credentials import CredentialFile
    from ebbtide import timestamps
    from ingest.outbox.outbox import Outbox
    from ingest.straps.paired import PairedStraps

    emails = {item.account: item.email for item in CredentialFile(settings.sign_ins_file).all()}
    accounts = {email: account for account, email in emails.items()}
    stored: dict[tuple[str, str], list[int | None]] = {}
    quarantined: dict[tuple[str, str], dict[str, int]] = {}
    if settings.outbox_file.exists():
        with Outbox(settings.outbox_file) as outbox:
            for state in outbox.states():
                key = (state.account, state.stream.source)
                beats, waiting, last = stored.get(key, [0, 0, None])
                newest = max(last or 0, state.last_beat_ns or 0) or None
                stored[key] = [
                    (beats or 0) + state.beats_kept,
                    (waiting or 0) + state.beats_waiting,
                    newest,
                ]
                quarantined[key] = outbox.count_quarantined(*key)
    paired = {
        (accounts.get(strap.patient, ""), strap.name): strap
        for strap in PairedStraps(settings.straps_file).all()
    }
    found = []
    for key in sorted({*stored, *paired}, key=lambda key: key[1]):
        strap = paired.get(key)
        beats, waiting, last = stored.get(key, [0, 0, None])
        beats_stored = None
        if key[0] in in_store:  # the store knows, and not what the outbox remembers
            beats_stored = in_store[key[0]].get(key[1], 0)
            beats = beats_stored + (waiting or 0)
        found.append(
            StrapStatus(
                name=key[1],
                patient=strap.patient if strap else emails.get(key[0], SIGNED_OUT),
                address=strap.address if strap else None,
                paired=strap is not None,
                signed_in=key[0] in emails,
                beats_kept=beats or 0,
                beats_waiting=waiting or 0,
                last_beat=None if last is None else timestamps.to_datetime(last).isoformat(),
                last_beat_ns=last,
                quarantine=quarantined.get(key, {}),
                beats_stored=beats_stored,
                waits_for_consent=key[0] in refusing,
            )
        )
    return found


def _embedded_store(settings: Settings) -> StoreStatus | None:
    """Count what is in the store of the data folder; None where there is none, or on servers."""
    from contextlib import closing

    from store.factory import open_stores

    if not settings.is_embedded or not settings.records_file.exists():
        return None
    with closing(open_stores(settings)) as stores:
        people = stores.records.people()
        found = [item for person in people for item in stores.beats.coverage(person.subject_id)]
    return StoreStatus(len(people), len(found), sum(item.beats for item in found))


def _is_recording(settings: Settings) -> bool:
    from filelock import FileLock, Timeout

    if not settings.recording_lock.exists():
        return False
    try:
        with FileLock(settings.recording_lock, timeout=0):
            return False
    except Timeout:
        return True


async def _server(url: str) -> str | None:
    """The problem with the server; None when it responds."""
    from ebbtide.errors import EbbtideError
    from ingest.outbox.api_client import IngestClient

    try:
        async with IngestClient(url, timeout=5) as client:
            await client.clock_offset_s()
    except EbbtideError as error:
        return error.what.rstrip(".")
    return None
