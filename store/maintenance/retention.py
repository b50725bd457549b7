"""Delete the oldest backups in a folder."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from ebbtide.errors import EbbtideError
from store.maintenance.sqlite_backup import MANIFEST

BACKUP_PREFIX = "ebbtide-backup-"
# A backup of this age without its manifest was killed: nothing else would ever delete it.
_UNFINISHED_S = 86_400.0


def remove_old_backups(parent: Path, keep: int) -> list[Path]:
    """Delete all finished backups in ``parent`` but the newest ``keep``, and unfinished ones older
    than a day; return what was deleted.

    Only folders that are named as ``ebbtide backup`` names them count: a backup with a name of its
    own stays. Raises EbbtideError when one cannot be deleted.
    """
    folders = [path for path in parent.glob(f"{BACKUP_PREFIX}*") if path.is_dir()]
    folders = [path for path in folders if not path.is_symlink()]
    finished = sorted(path for path in folders if (path / MANIFEST).is_file())
    before = time.time() - _UNFINISHED_S
    unfinished = [
        path for path in folders if path not in finished and path.stat().st_mtime < before
    ]
    removed = [*finished[: max(0, len(finished) - keep)], *unfinished]
    for path in removed:
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise EbbtideError(
                f"The older backup {path} cannot be deleted: {error.strerror or error}.",
                "Delete it by hand: it holds health data.",
            ) from error
    return removed
