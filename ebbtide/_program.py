"""How this program was started, for the words that say how to start it again."""

from __future__ import annotations

import sys
from pathlib import Path


def is_in_project_folder(prefix: str | None = None) -> bool:
    """Whether the program is in the environment of a project's folder.

    Then ``ebbtide`` alone is no command in a new terminal; ``uv run ebbtide`` in that folder is.
    """
    found = Path(sys.prefix if prefix is None else prefix)
    return found.name.startswith(".venv") and (found.parent / "pyproject.toml").is_file()
