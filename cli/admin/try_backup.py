"""``ebbtide store try-backup``: whether a backup can be put back."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.admin.store import write_report
from cli.language import _
from cli.options import Json
from cli.progress import progress_bars
from ebbtide.errors import EbbtideError


def try_backup(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    as_json: Json = False,
) -> None:
    """Put a backup into a folder of its own, read all of it there, and delete that folder again.
    The store is left as it is.
    """
    from ebbtide.settings import Settings
    from store import ErasureLedger
    from store.maintenance import check_sqlite, restore, trial_folder

    settings = Settings()
    ledger = ErasureLedger.from_settings(settings)
    with trial_folder(settings.data_dir) as place:
        beats_file = place / settings.beats_file.name
        records_file = place / settings.records_file.name
        try:
            # Whoever was erased since is erased from these copies too, as in a restore in earnest.
            restored = restore(folder, [beats_file, records_file], "unused", content=ledger.read())
            with progress_bars() as progress:
                found = check_sqlite(
                    beats_file, records_file, lambda done, total: progress(_("blocks"), done, total)
                )
        except EbbtideError:
            if folder.is_dir():
                ledger.add_trial(folder, time.time_ns(), is_whole=False)
            raise
    ledger.add_trial(folder, time.time_ns(), is_whole=not found.problems)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "erased_again": restored.erased_again}))
    else:
        write_report(
            found,
            _("This backup can be put back. The page Running it has the date of this try."),
        )
    if found.problems:
        raise typer.Exit(1)
