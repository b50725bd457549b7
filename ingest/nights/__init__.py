"""Nights that watches and rings export: read from files, and sent to the API."""

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from ingest.nights.members import Members, open_members
    from ingest.nights.night_file import NightFile, NightFormat
    from ingest.nights.registry import NIGHT_FORMATS, find_night_formats, holds_nights, read_nights
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "ingest.nights.members": (
                "Members",
                "open_members",
            ),
            "ingest.nights.night_file": (
                "NightFile",
                "NightFormat",
            ),
            "ingest.nights.registry": (
                "NIGHT_FORMATS",
                "find_night_formats",
                "holds_nights",
                "read_nights",
            ),
        },
    )

__all__ = [
    "NIGHT_FORMATS",
    "Members",
    "NightFile",
    "NightFormat",
    "find_night_formats",
    "holds_nights",
    "open_members",
    "read_nights",
]
