"""Write a private file atomically."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_private_json(path: Path, content: Any, *, indent: int | None = None) -> None:
    """Write JSON with mode 0600 and rename it over ``path`` once it is on the disk.

    A reader sees the old content or the new, never a part. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=indent)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
