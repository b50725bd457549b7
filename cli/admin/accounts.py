"""``ebbtide add-patient``, ``add-account``, ``set-password``, ``remove-second-factors`` and
``sign-in``.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.language import _
from cli.options import Json
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cli.credentials import Credentials
    from store import Stores
    from store.models import Person

Email = Annotated[str, typer.Argument(help="Address to sign in with.")]
Name = Annotated[str, typer.Option(help="What to call them.")]
Zone = Annotated[str, typer.Option(help="Time zone, for example Europe/Berlin.")]
Agree = Annotated[
    bool | None,
    typer.Option(
        "--agree/--no-agree",
        help="It is your own account, and you agree that Ebbtide keeps your heartbeats, ratings "
        "and notes in this store. Asked where left out; others are asked on the pages.",
    ),
]


def add_patient(
    email: Email, name: Name, zone: Zone, agree: Agree = None, as_json: Json = False
) -> None:
    """Make a patient's account in the store. Asks for the password."""
    _create_account(email, name, zone, "patient", agree, as_json=as_json)


def add_account(
    email: Email,
    name: Name,
    zone: Zone,
    role: Annotated[
        str, typer.Option(help="patient, therapist, analyst or administrator.")
    ] = "administrator",
    agree: Agree = None,
    as_json: Json = False,
) -> None:
    """Make an account of any role in the store, such as the first administrator's, who then invites
    the others. Asks for the password.
    """
    _create_account(email, name, zone, role, agree, as_json=as_json)


def set_password(
    email: Annotated[
        str | None, typer.Argument(help="Address of the account; of the only one if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Set the password of an account in the store, on the machine that has it, also where the old
    one is forgotten. Asks for it.

    All that was signed in ends, and the person's access log says that the operator did it.
    """
    from api.services import passwords
    from api.services.account_log import log_act
    from api.services.lockout import reset_account
    from ebbtide.settings import Settings
    from store.factory import open_stores

    stores = open_stores(Settings())
    try:
        person = _find_account(stores, email)
        if email is None:
            typer.echo(_("The account of {email}.").format(email=person.email), err=True)
        password = _prompt_new_password()
        passwords.validate_password(password, (person.email, person.name))
        stores.access.set_password(person.id, passwords.hash_password(password))
        log_act(stores, None, person, "set a new password")
        reset_account(stores, person.email)
    finally:
        stores.close()
    if as_json:
        typer.echo(json.dumps({"email": person.email}))
        return
    typer.echo(_("{email} has a new password.").format(email=person.email))


def remove_second_factors(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
    as_json: Json = False,
) -> None:
    """Remove the passkeys, codes of an app and recovery codes of an account in the store, after a
    loss, on the machine that has it. The password is enough then.

    All that was signed in ends, and the person's access log says that the operator did it.
    """
    from api.services.account_log import log_act
    from ebbtide.settings import Settings
    from store.factory import open_stores

    stores = open_stores(Settings())
    try:
        person = stores.records.person_by_email(email.strip())
        if person is None:
            raise EbbtideError(f"{email} has no account here.", "Make one: ebbtide add-account")
        had_one = stores.access.remove_second_factors(person.id)
        if had_one:
            log_act(stores, None, person, "removed the second factors")
    finally:
        stores.close()
    if as_json:
        typer.echo(json.dumps({"email": person.email, "removed": had_one}))
        return
    typer.echo(
        (
            _("{email} signs in with the password alone.")
            if had_one
            else _("{email} had no passkey and no codes of an app.")
        ).format(email=person.email)
    )


def _find_account(stores: Stores, email: str | None) -> Person:
    """Find the account of an address, or the only one of the store. Raises EbbtideError."""
    if email is not None:
        person = stores.records.person_by_email(email.strip())
        if person is None:
            raise EbbtideError(f"{email} has no account here.", "Make one: ebbtide add-account")
        return person
    people = stores.records.people()
    if len(people) != 1:
        raise EbbtideError(
            f"There are {len(people)} accounts here."
            if people
            else "There is no account here yet.",
            f"Name the address of one: {', '.join(sorted(item.email for item in people)[:10])}"
            if people
            else "Begin with: ebbtide start",
        )
    return people[0]


def sign_in(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
    as_json: Json = False,
) -> None:
    """Sign this machine in, so that it can record for you. Asks for the password."""
    import asyncio

    from cli.credentials import CredentialFile
    from ebbtide.settings import Settings

    settings = Settings()
    password = typer.prompt(_("Password"), hide_input=True, err=True)
    credentials = asyncio.run(_sign_in(settings.api_url, email.strip(), password))
    CredentialFile(settings.sign_ins_file).put(credentials)
    if as_json:
        found = {"email": credentials.email, "server": settings.api_url, "zone": credentials.zone}
        typer.echo(json.dumps(found))
        return
    typer.echo(
        _("Signed in as {email} at {url}.").format(email=credentials.email, url=settings.api_url),
        err=True,
    )


def _prompt_new_password() -> str:
    password: str = typer.prompt(
        _("Password (10 characters or more)"),
        hide_input=True,
        confirmation_prompt=_("Repeat for confirmation"),
        err=True,
    )
    return password


def _ask_consent() -> bool:
    """Ask whoever makes the account, where somebody is there to answer, for themselves alone."""
    if not sys.stdin.isatty():
        return False
    return typer.confirm(
        _(
            "Is it your own account, and do you agree that Ebbtide keeps your heartbeats, ratings "
            "and notes in this store? You can take it back on the page Consents."
        ),
        err=True,
    )


def _create_account(
    email: str, name: str, zone: str, role: str, agree: bool | None, *, as_json: bool
) -> None:
    from api.services.accounts import create_account
    from api.services.consent import agree_to_keeping
    from ebbtide import timestamps
    from ebbtide.settings import Settings
    from store.factory import open_stores
    from store.models.records import Role

    settings = Settings()
    if role not in list(Role):
        raise EbbtideError(f"There is no role {role}.", f"Use one of {', '.join(Role)}.")

    password = _prompt_new_password()
    stores = open_stores(settings)
    try:
        person = create_account(
            stores.records,
            email=email,
            password=password,
            name=name,
            zone=zone,
            now_ns=timestamps.now_ns(),
            role=Role(role),
        )
        if person.role is Role.PATIENT:
            if agree is None:
                agree = _ask_consent()
            if agree:
                agree_to_keeping(stores, person)
    finally:
        stores.close()
    if as_json:
        is_kept = bool(agree) if role == Role.PATIENT else None
        found = {"id": person.id, "email": person.email, "role": role, "agreed": is_kept}
        typer.echo(json.dumps(found))
        return
    typer.echo(_("{email} can sign in now.").format(email=email))
    if role == Role.PATIENT and not agree:
        typer.echo(_("They are asked on the pages whether their data may be kept, before any is."))


async def _sign_in(api_url: str, email: str, password: str) -> Credentials:
    import platform

    from cli.credentials import Credentials
    from ingest.outbox.api_client import IngestClient, RefusedError

    device = platform.node() or "a recorder"
    async with IngestClient(api_url) as client:
        try:
            token = await client.sign_in(email, password, device)
        except RefusedError as error:
            if error.kind != "second-factor":
                raise
            code = typer.prompt(_("Code of your app, or a recovery code"))
            token = await client.sign_in(email, password, device, code)
        account, zone = await client.account(), await client.zone()
        return Credentials(email, api_url, token, account, zone)
