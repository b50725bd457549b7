"""Where a lake and results are: the file system of an address, and the lake's layout."""

from __future__ import annotations

from cli.analysis.lake_storage import _open as open_address

__all__ = ["FILE", "STATE", "VERSION", "open_address"]

# The layout that ``ebbtide lake`` writes, and the results in the same form.
STATE, FILE, VERSION = "_lake.json", "rows.parquet", 1
