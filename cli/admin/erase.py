"""``ebbtide erase`` and ``ebbtide retention``."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json

if TYPE_CHECKING:
    from api.services.older_copies import OlderCopy


def erase(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove everything of a person from the store, prove it, and name copies that may be left."""
    from api.services.erasure import erase_person
    from api.services.erasure_again import carry_out_erasures
    from api.services.older_copies import find_copies
    from cli.local_erasure import erase_local
    from ebbtide.settings import Settings
    from store import open_stores

    settings = Settings()
    if not sure:
        question = f"Erase every beat, rating and session of {email}, for good?"
        typer.confirm(question, abort=True, err=as_json)
    with closing(open_stores(settings)) as stores:
        again = carry_out_erasures(stores, settings.snapshots_dir)
        if again.finished:
            typer.echo(
                f"{again.finished} erasures that had been stopped are finished.", err=as_json
            )
        person = stores.records.person_by_email(email.strip())
        copies = [] if person is None else find_copies(stores, settings, person)
        found = erase_person(stores, email.strip(), settings.snapshots_dir)
        is_local = person is not None and erase_local(settings, person.id)
    if as_json:
        report = {
            "beats": found.beats,
            "ratings": found.ratings,
            "sessions": found.sessions,
            "this_machine": is_local,
            "to_be_done": list(found.remaining),
            "copies": [_describe_copy(copy) for copy in copies],
        }
        typer.echo(json.dumps(report))
        return
    if is_local:
        typer.echo("Erased from this machine's outbox, sign-ins and straps too.")
    typer.echo(
        f"Erased and read again: {found.beats} beats, {found.ratings} ratings, {found.sessions} "
        "sessions; nothing is left in the store."
    )
    for words in found.remaining:
        typer.echo(f"To be done: {words}")
    for copy in copies:
        typer.echo(_describe_copy(copy))
    if not copies:
        typer.echo("No older copy is known to this machine.")
    typer.echo(
        "Exports that people made (ebbtide export, downloads), backups that were copied elsewhere "
        "and copies that servers make of themselves are not known here."
    )


def _describe_copy(copy: OlderCopy) -> str:
    from api.services.older_copies import CopyKind
    from ebbtide.timestamps import to_datetime

    when = "" if copy.at_ns is None else f" of {to_datetime(copy.at_ns):%Y-%m-%d %H:%M} UTC"
    if copy.kind is CopyKind.OUTBOX:
        return (
            f"The outbox of the machine '{copy.place}', last seen{when.replace(' of', '')}: it "
            "deletes its part when it reaches the server next."
        )
    holds = "holds them" if copy.holds else "may still hold them"
    names = {
        CopyKind.BACKUP: "A backup",
        CopyKind.EMBEDDED: "The embedded store that move left",
        CopyKind.PUT_ASIDE: "An older copy",
        CopyKind.ECG: "An ECG recording, of whoever wore the strap,",
    }
    return f"{names[copy.kind]}{when} {holds}: {copy.place}"


def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Erase them.")] = False,
    as_json: Json = False,
) -> None:
    """List whose data may not be kept any longer: consent taken back or over, or long silent."""
    from api.services.erasure import erase_people, expired_people
    from cli.local_erasure import erase_local
    from ebbtide.settings import Settings
    from ebbtide.timestamps import to_datetime
    from store import open_stores

    settings = Settings()
    with closing(open_stores(settings)) as stores:
        found = expired_people(stores, settings.keep_days)
        remaining: tuple[str, ...] = ()
        if apply:
            remaining = erase_people(
                *(stores, [item.person for item in found], settings.snapshots_dir),
                erase_local=lambda person_id: erase_local(settings, person_id),
            ).remaining
    if as_json:
        lines = [
            {
                "subject": item.person.subject_id,
                "reason": item.reason,
                "since": to_datetime(item.since_ns).isoformat(),
                "erased": apply,
            }
            for item in found
        ]
        typer.echo(json.dumps(lines))
        for words in remaining:
            typer.echo(f"To be done: {words}", err=True)
        return
    for item in found:
        since = f"{to_datetime(item.since_ns):%Y-%m-%d}"
        typer.echo(f"{item.person.email}: {item.reason} (since {since})")
    if not found:
        typer.echo("Everybody's data may be kept.")
    elif apply:
        typer.echo(
            f"{len(found)} people were erased, and read again: nothing is left in the store."
        )
        for words in remaining:
            typer.echo(f"To be done: {words}")
    else:
        typer.echo("Nothing was done. With --apply, they are erased.")
