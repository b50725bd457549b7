"""``ebbtide recordings``: list what the store has of one's recordings, and remove one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.counts import count_beats
from cli.language import _, ngettext, say_result
from cli.options import Json, PatientEmail
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cli.credentials import Credentials
    from ingest.outbox.outbox import Outbox


class RecordingsAction(StrEnum):
    """What to do with a recording."""

    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording in the store. ``file``: what it was imported from, where this machine did it.

    ``waiting``: beats that this machine has still to send.
    """

    id: str
    origin: str
    device: str
    begin: str | None
    end: str | None
    beats: int
    waiting: int
    file: str | None


def recordings(
    action: Annotated[
        RecordingsAction | None, typer.Argument(help="remove, with the ID of a recording.")
    ] = None,
    stream_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Of the recording to remove.")
    ] = None,
    patient: PatientEmail = None,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """List your recordings and imports, or remove one: ebbtide recordings remove ID"""
    import asyncio

    from cli.credentials import CredentialFile
    from ebbtide.settings import Settings
    from ingest.outbox.outbox import Outbox

    settings = Settings()
    owner = CredentialFile(settings.sign_ins_file).of(patient)
    with Outbox(settings.outbox_file) as outbox:
        rows = asyncio.run(_list(outbox, owner))
        if action is None:
            _print(rows, as_json=as_json)
            return
        if stream_id is None:
            raise EbbtideError("remove needs the ID of a recording.", "ebbtide recordings")
        row = next((row for row in rows if row.id == stream_id), None)
        if row is None:
            raise EbbtideError(
                f"{owner.email} has no recording {stream_id}.", "List them: ebbtide recordings"
            )
        if not sure:
            question = _("Remove {recording}, with all that was computed from it?")
            typer.confirm(question.format(recording=_describe(row)), abort=True, err=True)
        beats = asyncio.run(_remove(outbox, owner, stream_id))
    if as_json:
        typer.echo(json.dumps({"id": stream_id, "beats": beats}))
    else:
        typer.echo(
            _("Removed: {beats}. The same file can be imported again.").format(
                beats=count_beats(beats)
            )
        )


async def _list(outbox: Outbox, owner: Credentials) -> list[RecordingRow]:
    from ebbtide.timestamps import to_datetime
    from ingest.outbox.api_client import IngestClient

    async with IngestClient(owner.api_url, owner.token) as client:
        stored = await client.stored_streams()
    here = {s.stream.id: s for s in outbox.states() if s.account == owner.account}
    rows = []
    for item in sorted(stored.values(), key=lambda item: (item.first_ns or 0, item.id)):
        state = here.get(item.id)
        rows.append(
            RecordingRow(
                id=item.id,
                origin=str(item.origin),
                device=item.source,
                begin=None if item.first_ns is None else to_datetime(item.first_ns).isoformat(),
                end=None if item.last_ns is None else to_datetime(item.last_ns).isoformat(),
                beats=item.beats,
                waiting=0 if state is None else state.beats_waiting,
                file=None if state is None else state.file,
            )
        )
    return rows


def _print(rows: list[RecordingRow], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"recordings": [asdict(row) for row in rows]}))
        return
    if not rows:
        typer.echo(_("No recording is stored (begin: ebbtide record, or ebbtide import)."))
    for row in rows:
        typer.echo(f"{row.id}  {_describe(row)}")


def _describe(row: RecordingRow) -> str:
    span = (
        _("no beats")
        if row.begin is None
        else _("{first} to {last}").format(first=row.begin[:16], last=f"{(row.end or '')[:16]} UTC")
    )
    words = [f"{row.device} ({say_result(row.origin)})", span, count_beats(row.beats)]
    if row.file is not None:
        words.append(_("from {file}").format(file=row.file))
    if row.waiting:
        words.append(
            ngettext("{count} waits for upload", "{count} wait for upload", row.waiting).format(
                count=row.waiting
            )
        )
    return ", ".join(words)


async def _remove(outbox: Outbox, owner: Credentials, stream_id: str) -> int:
    """Remove it from the store, then from the outbox; how many beats the store had of it."""
    from ebbtide import timestamps
    from ingest.outbox.api_client import IngestClient, RefusedError

    async with IngestClient(owner.api_url, owner.token) as client:
        try:
            beats = await client.remove_stream(stream_id)
        except RefusedError as error:
            if error.status != 403:
                raise
            # The sign-in of a machine that records may upload and read what is stored, no more.
            # An account that `ebbtide start` made may have none.
            password = typer.prompt(
                _("Password of {email}").format(email=owner.email),
                default="",
                hide_input=True,
                show_default=False,
                err=True,
            )
            if not password:
                raise EbbtideError(
                    "Nothing was removed: removing from the store needs a password.",
                    f"Where the account has none yet: ebbtide set-password {owner.email}. What "
                    "came from a file can be removed on the page Bring in a file, without.",
                ) from None
            await client.sign_in(owner.email, password)
            beats = await client.remove_stream(stream_id)
    if any(state.stream.id == stream_id for state in outbox.states()):
        outbox.comparison.follow_removal(stream_id, timestamps.now_ns())
    return beats
