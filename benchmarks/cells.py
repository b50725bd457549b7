"""Cells of a long simulation in a file, so that a run that was stopped goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def open_cells(folder: Path) -> Path:
    """Return the file of the cells in this folder, which is there afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "cells.jsonl"
    file.touch()
    return file


def done_cells(file: Path, *names: str) -> set[tuple[Any, ...]]:
    """Return what these names are in each of the cells that are done."""
    cells = map(json.loads, file.read_text().splitlines())
    return {tuple(cell[name] for name in names) for cell in cells}


def add_cell(file: Path, cell: dict[str, Any]) -> None:
    """Add a cell."""
    with file.open("a") as out:
        out.write(json.dumps(cell) + "\n")
