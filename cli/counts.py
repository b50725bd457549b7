"""Numbers with what they count, in the language of the terminal."""

from __future__ import annotations

from cli.language import ngettext


def count_beats(number: int) -> str:
    """Say a number of beats."""
    return ngettext("{count} beat", "{count} beats", number).format(count=number)


def count_people(number: int) -> str:
    """Say a number of people."""
    return ngettext("{count} person", "{count} people", number).format(count=number)


def count_ratings(number: int) -> str:
    """Say a number of ratings."""
    return ngettext("{count} rating", "{count} ratings", number).format(count=number)
