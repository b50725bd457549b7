"""``ebbtide erase`` and ``ebbtide retention``."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from cli.counts import count_beats, count_ratings
from cli.language import _, ngettext, say_result
from cli.options import Json
from ebbtide.i18n import N_, Translate

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
        question = _("Erase every beat, rating and session of {email}, for good?")
        typer.confirm(question.format(email=email), abort=True, err=as_json)
    with closing(open_stores(settings)) as stores:
        again = carry_out_erasures(stores, settings.snapshots_dir)
        if again.finished:
            typer.echo(
                ngettext(
                    "{count} erasure that had been stopped is finished.",
                    "{count} erasures that had been stopped are finished.",
                    again.finished,
                ).format(count=again.finished),
                err=as_json,
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
            "copies": [_describe_copy(copy, N_) for copy in copies],
        }
        typer.echo(json.dumps(report))
        return
    if is_local:
        typer.echo(_("Erased from this machine's outbox, sign-ins and straps too."))
    typer.echo(
        _(
            "Erased and read again: {beats}, {ratings}, {sessions}; nothing is left in the store."
        ).format(
            beats=count_beats(found.beats),
            ratings=count_ratings(found.ratings),
            sessions=ngettext("{count} session", "{count} sessions", found.sessions).format(
                count=found.sessions
            ),
        )
    )
    _print_remaining(found.remaining)
    for copy in copies:
        typer.echo(_describe_copy(copy, _))
    if not copies:
        typer.echo(_("No older copy is known to this machine."))
    typer.echo(
        _(
            "Exports that people made (ebbtide export, downloads), backups that were copied "
            "elsewhere and copies that servers make of themselves are not known here."
        )
    )


def _print_remaining(remaining: tuple[str, ...], *, err: bool = False) -> None:
    for words in remaining:
        typer.echo(_("To be done: {words}").format(words=say_result(words)), err=err)


def _describe_copy(copy: OlderCopy, translate: Translate) -> str:
    """Describe a copy; in JSON in English, as the rest of it."""
    from api.services.older_copies import CopyKind
    from ebbtide.timestamps import to_datetime

    when = "" if copy.at_ns is None else f"{to_datetime(copy.at_ns):%Y-%m-%d %H:%M} UTC"
    if copy.kind is CopyKind.OUTBOX:
        return translate(
            N_(
                "The outbox of the machine '{place}', last seen {when}: it deletes its part when "
                "it reaches the server next."
            )
        ).format(place=copy.place, when=when)
    names = {
        CopyKind.BACKUP: N_("A backup"),
        CopyKind.EMBEDDED: N_("The embedded store that move left"),
        CopyKind.PUT_ASIDE: N_("An older copy"),
        CopyKind.ECG: N_("An ECG recording, of whoever wore the strap"),
    }
    words = (
        N_("{copy} holds them: {place}")
        if copy.holds
        else N_("{copy} may still hold them: {place}")
    )
    name = translate(names[copy.kind])
    if when:
        name = translate(N_("{copy} of {when}")).format(copy=name, when=when)
    return translate(words).format(copy=name, place=copy.place)


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
        _print_remaining(remaining, err=True)
        return
    for item in found:
        words = _("{email}: {reason} (since {day})").format(
            email=item.person.email,
            reason=say_result(item.reason),
            day=f"{to_datetime(item.since_ns):%Y-%m-%d}",
        )
        typer.echo(words)
    if not found:
        typer.echo(_("Everybody's data may be kept."))
    elif apply:
        typer.echo(
            ngettext(
                "{count} person was erased, and read again: nothing is left in the store.",
                "{count} people were erased, and read again: nothing is left in the store.",
                len(found),
            ).format(count=len(found))
        )
        _print_remaining(remaining)
    else:
        typer.echo(_("Nothing was done. With --apply, they are erased."))
