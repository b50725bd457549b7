"""``ebbtide secrets``: random passwords for docker-compose.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.language import _
from cli.options import Json
from ebbtide.errors import EbbtideError

# Empty until somebody writes them: a container does not start where one of its files is missing.
_OF_THE_CLINIC = (
    "ebbtide_smtp_password",
    "ebbtide_oidc_client_secret",
    "tls_certificate",
    "tls_key",
)


def secrets(
    folder: Annotated[Path, typer.Argument(help="A new folder.")] = Path("secrets"),
    as_json: Json = False,
) -> None:
    """Make the passwords that the compose file of a clinic reads."""
    from secrets import token_urlsafe

    postgres = token_urlsafe(32)
    files = {
        "postgres_password": postgres,
        "ebbtide_records_url": f"postgresql+psycopg://ebbtide:{postgres}@postgres/ebbtide",
        "influxdb_admin_password": token_urlsafe(32),
        "ebbtide_influxdb_password": token_urlsafe(32),
        **dict.fromkeys(_OF_THE_CLINIC, ""),
    }
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise EbbtideError(
            f"{folder} is there already; its secrets may be in use.",
            "Name another folder, or delete it if no store was ever made with them.",
        ) from error
    for name, secret in files.items():
        file = folder / name
        file.write_text(secret)
        # The folder (0700) keeps others out; users of the containers have other ids and must read.
        file.chmod(0o444 if secret else 0o644)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": list(files)}))
        return
    made = len(files) - len(_OF_THE_CLINIC)
    typer.echo(
        _(
            "{made} secrets are in {folder}. Keep a copy where your backups are. {empty} files are "
            "empty, for what the clinic has: passwords of mail and of its sign-ins, and a "
            "certificate with its key."
        ).format(made=made, folder=folder, empty=len(_OF_THE_CLINIC))
    )
