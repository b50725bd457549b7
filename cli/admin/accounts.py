"""``ebbtide add-patient`` and ``ebbtide sign-in``."""

from __future__ import annotations

import asyncio
import platform

import typer

from cli.credentials import CredentialFile, Credentials
from ebbtide import timestamps
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings


def add_account(email: str, name: str, zone: str, password: str, role: str) -> None:
    """Make the account in the store."""
    from api.services.accounts import create_account
    from store import open_stores
    from store.models import Role

    if role not in list(Role):
        raise EbbtideError(f"There is no role {role}.", f"Use one of {', '.join(Role)}.")

    stores = open_stores(Settings())
    try:
        create_account(
            stores.records,
            email=email,
            password=password,
            name=name,
            zone=zone,
            now_ns=timestamps.now_ns(),
            role=Role(role),
        )
    finally:
        stores.close()
    typer.echo(f"{email} can sign in now.")


def sign_in_here(email: str, password: str) -> Credentials:
    """Sign in at the API and keep the token, readable by this user only."""
    settings = Settings()
    made = asyncio.run(_sign_in(settings.api_url, email.strip(), password))
    CredentialFile(settings.sign_ins_file).put(made)
    typer.echo(f"Signed in as {made.email} at {settings.api_url}.", err=True)
    return made


async def _sign_in(api_url: str, email: str, password: str) -> Credentials:
    from ingest.outbox.api_client import IngestClient

    async with IngestClient(api_url) as client:
        token = await client.sign_in(email, password, device=platform.node() or "a recorder")
        account, zone = await client.account(), await client.zone()
        return Credentials(email, api_url, token, account, zone)
