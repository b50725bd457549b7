"""``ebbtide add-patient`` and ``ebbtide sign-in``."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path

import typer

from ebbtide import instants
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings


@dataclass(frozen=True, slots=True)
class Credentials:
    """A sign-in of this machine."""

    api_url: str
    token: str
    account: str


def add_patient_account(email: str, name: str, zone: str, password: str) -> None:
    """Make the account in the embedded store."""
    from api.app import open_house
    from api.people import add_patient

    house = open_house(Settings())
    try:
        add_patient(
            house.records,
            email=email,
            password=password,
            name=name,
            zone=zone,
            now_ns=instants.now(),
        )
    finally:
        house.beats.close()
        house.records.close()
    typer.echo(f"{email} can sign in now.")


def sign_in_here(email: str, password: str) -> None:
    """Sign in at the API and keep the token, readable by this user only."""
    settings = Settings()
    credentials = asyncio.run(_sign_in(settings.api_url, email, password))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.credentials_file
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(
            {
                "api_url": credentials.api_url,
                "token": credentials.token,
                "account": credentials.account,
            },
            file,
        )
    beside.replace(path)
    typer.echo(f"Signed in as {email} at {settings.api_url}.")


def kept_credentials(path: Path) -> Credentials:
    """The sign-in of this machine. Raises EbbtideError when there is none."""
    try:
        kept = json.loads(path.read_text())
        return Credentials(kept["api_url"], kept["token"], kept["account"])
    except FileNotFoundError:
        raise EbbtideError(
            "This machine is not signed in.", "Use: ebbtide sign-in YOUR-ADDRESS"
        ) from None
    except (ValueError, KeyError, OSError) as error:
        raise EbbtideError(
            f"The sign-in in {path} cannot be read.", "Use: ebbtide sign-in YOUR-ADDRESS"
        ) from error


async def _sign_in(api_url: str, email: str, password: str) -> Credentials:
    from ingest.api_client import IngestClient

    async with IngestClient(api_url) as client:
        token = await client.sign_in(email, password)
        return Credentials(api_url, token, await client.account())
