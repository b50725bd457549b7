"""Nights that watches and rings export: read from files, and sent to the API."""

from ingest.nights.members import Members, open_members
from ingest.nights.night_file import NightFile, NightFormat
from ingest.nights.registry import NIGHT_FORMATS, find_night_formats, holds_nights, read_nights

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
