"""The command line. Rooms are imported inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ebbtide.errors import EbbtideError

app = typer.Typer(
    name="ebbtide",
    help="Heartbeats beside ratings of pain and stress, with answers that stay honest. "
    "Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line; errors that people can mend are told without a traceback."""
    try:
        app()
    except EbbtideError as error:
        Console(stderr=True, highlight=False).print(f"ebbtide: {error}", markup=False)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        from ebbtide import __version__

        typer.echo(f"ebbtide {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    rr: Annotated[
        Path | None,
        typer.Option(help="Play this file of RR intervals instead of the built-in recording."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Do the whole path without serving pages, then end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: print one JSON object.")
    ] = False,
    api_port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 0,
    dashboard_port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 0,
) -> None:
    """Try it all: a simulated strap, a sample patient, the API and the pages."""
    from ebbtide.commands.demo import run_demo

    if as_json and not once:
        raise EbbtideError("--json needs --once.", "Use: ebbtide demo --once --json")
    run_demo(
        rr_file=rr, once=once, as_json=as_json, api_port=api_port, dashboard_port=dashboard_port
    )


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
) -> None:
    """Run the API on the embedded store."""
    from ebbtide.commands.serve import run_api

    run_api(host, port)


@app.command()
def dashboard(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
) -> None:
    """Run the pages. They ask the API at EBBTIDE_API_URL."""
    from ebbtide.commands.serve import run_dashboard

    run_dashboard(host, port)


@app.command("add-patient")
def add_patient(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    name: Annotated[str, typer.Option(help="What to call them.")],
    zone: Annotated[str, typer.Option(help="Time zone, for example Europe/Berlin.")],
) -> None:
    """Make a patient's account in the embedded store. Asks for the password."""
    from ebbtide.commands.accounts import add_patient_account

    password = typer.prompt(
        "Password (10 characters or more)", hide_input=True, confirmation_prompt=True
    )
    add_patient_account(email, name, zone, password)


@app.command("sign-in")
def sign_in(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
) -> None:
    """Sign this machine in, so that it can record for you. Asks for the password."""
    from ebbtide.commands.accounts import sign_in_here

    sign_in_here(email, typer.prompt("Password", hide_input=True))


@app.command()
def scan(
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=1, max=120)] = 8.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List heart-rate straps nearby."""
    from ebbtide.commands.strap import run_scan

    run_scan(seconds, as_json)


@app.command()
def record(
    address: Annotated[str, typer.Argument(help="The strap's address, as ebbtide scan shows it.")],
    name: Annotated[str | None, typer.Option(help="What to call the strap.")] = None,
) -> None:
    """Record a strap until Ctrl-C. Beats are kept on disk first, then uploaded."""
    from ebbtide.commands.strap import run_record

    run_record(address, name)
