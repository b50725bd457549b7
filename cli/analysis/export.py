"""``ebbtide export``: one's own tables into a file."""

from __future__ import annotations

from pathlib import Path

from ebbtide.client import ApiError, Client
from ebbtide.errors import EbbtideError

_WRITERS = ("csv", "parquet")


def export_table(email: str, password: str, table: str, target: Path, api_url: str) -> int:
    """Write a table; the number of its rows. Raises EbbtideError for a form that is not known."""
    form = target.suffix.removeprefix(".")
    if form not in _WRITERS:
        raise EbbtideError(f"{target.name} is neither .csv nor .parquet.", "Choose such a name.")
    try:
        with Client.sign_in(api_url, email, password) as api:
            found = getattr(api, table)()
    except ApiError as error:
        raise EbbtideError(f"The API did not give it: {error}", "Is it running?") from error
    if form == "csv":
        found.to_csv(target, index=False)
    else:
        found.to_parquet(target, index=False)
    return len(found)
