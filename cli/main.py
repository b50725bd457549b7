"""The ``ebbtide`` command.

Each command stands beside its code, in a module that imports nothing heavy at its top, and which is
imported when the command is called. A new command is a function in a module, and two lines in
``cli/commands.py``.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

# Before numpy is loaded: the threads of BLAS on small matrices wait for each other, and on a busy
# machine the link of 60 ratings took seven times as long with two of them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer

from cli.commands import COMMANDS
from cli.language import (
    say_error,
    say_words,
    terminal_language,
    translate_command,
    translate_parser,
)
from cli.lazy_commands import Group
from ebbtide.errors import EbbtideError
from ebbtide.i18n import DEFAULT, translator

app = typer.Typer(
    name="ebbtide",
    cls=Group,
    help="Heartbeats beside ratings of pain and stress, with answers that stay honest. "
    "Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
store_app = typer.Typer(cls=Group, no_args_is_help=True, help="Look after the stores.")
app.add_typer(store_app, name="store")

questionnaires_app = typer.Typer(cls=Group, no_args_is_help=True, help="Check questionnaires.")
app.add_typer(questionnaires_app, name="questionnaires")


__all__ = ["COMMANDS", "app", "main"]


def main() -> None:
    """Run the command line; print an EbbtideError without a traceback."""
    # Stores, backups, exports and logs hold health data: no other user of the machine reads them.
    os.umask(os.umask(0o077) | 0o077)
    try:
        _run()
    except EbbtideError as error:
        _exit_with(say_error(error))
    except ValueError as error:
        wrong = _wrong_settings(error)
        if wrong is None:
            raise
        _exit_with(say_words(wrong))


def _run() -> None:
    language = terminal_language()
    if language == DEFAULT:
        app()
        return
    command, translate = typer.main.get_command(app), translator(language)
    translate_command(command, translate)
    translate_parser(translate)
    command(prog_name="ebbtide")


def _exit_with(text: str) -> NoReturn:
    from rich.console import Console

    Console(stderr=True, highlight=False).print(f"ebbtide: {text}", markup=False)
    sys.exit(1)


def _wrong_settings(error: ValueError) -> str | None:
    """Say which settings are wrong, without their values, which may be secret."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return None
    parts = []
    for item in error.errors(include_url=False, include_input=False):
        names = "_".join(str(part) for part in item["loc"])
        words = item["msg"].removeprefix("Value error, ")
        parts.append(f"EBBTIDE_{names.upper()}: {words}" if names else words)
    from cli.error_texts import WRONG_SETTING

    return WRONG_SETTING.format(problems="; ".join(parts))


def _version(wanted: bool) -> None:
    if wanted:
        from ebbtide import __version__

        typer.echo(f"ebbtide {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            *("-V", "--version"),
            callback=_version,
            is_eager=True,
            expose_value=False,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    pass
