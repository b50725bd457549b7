"""``ebbtide questionnaires check``: read the file of a questionnaire, and say what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.language import _
from cli.options import Json


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of questionnaires; those of the setting if left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read the files of questionnaires, and say what is in them or what is wrong."""
    from ebbtide.questionnaires import load_library, read_questionnaire
    from ebbtide.settings import Settings

    if files:
        found = [read_questionnaire(path) for path in files]
    else:
        found = list(load_library(Settings().questionnaires_dir).newest)
    if as_json:
        rows = [
            {
                "id": item.id,
                "version": item.version,
                "name": item.name,
                "items": len(item.items),
                "scores": [score.id for score in item.scores],
                "languages": list(item.languages),
                "licence": item.licence.words,
            }
            for item in found
        ]
        typer.echo(json.dumps(rows))
        return
    for item in found:
        scores = ", ".join(score.id for score in item.scores)
        typer.echo(
            _(
                "{id} version {version}: {name}; {count} questions in {languages}; scores: {scores}"
            ).format(
                id=item.id,
                version=item.version,
                name=item.name,
                count=len(item.items),
                languages=", ".join(item.languages),
                scores=scores,
            )
        )
        typer.echo(_("  Licence: {words}").format(words=item.licence.words))
