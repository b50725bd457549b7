"""``ebbtide secrets``: passwords for docker-compose.yml that nobody has to know."""

from __future__ import annotations

import secrets
from pathlib import Path

import typer

from ebbtide.errors import EbbtideError


def run_secrets(folder: Path) -> None:
    """Write one file a secret into a new folder that only its owner can open."""
    postgres = secrets.token_urlsafe(32)
    files = {
        "postgres_password": postgres,
        "ebbtide_records_url": f"postgresql+psycopg://ebbtide:{postgres}@postgres/ebbtide",
        "influxdb_password": secrets.token_urlsafe(32),
        "ebbtide_influxdb_token": secrets.token_urlsafe(48),
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
        # The folder keeps others out. Inside their containers, users with other numbers read them.
        file.chmod(0o444)
    typer.echo(f"{len(files)} secrets are in {folder}. Keep a copy where your backups are.")
