"""Nights that watches and rings measured, and the days around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ebbtide.client._transport import Transport


class NightEndpoints(Transport):
    """Requests of ``api/routes/patient_data/nights.py``."""

    def night_list(self, first: date | None = None, last: date | None = None) -> dict[str, Any]:
        """List nights by the date on which each ends, and the gaps between them.

        Parameters
        ----------
        first, last : date, optional
            Both with them; all if left out.

        Returns
        -------
        dict
            ``nights`` and ``gaps``.
        """
        given = {"first": first, "last": last}
        params = {name: day.isoformat() for name, day in given.items() if day is not None}
        return self._dict("GET", "nights", params=params)

    def night(self, day: date) -> list[dict[str, Any]]:
        """Get the night that ends on a day, with its values, as each source has it.

        Parameters
        ----------
        day : date
            Local date of its end.

        Returns
        -------
        list of dict
            A night a source.
        """
        return self._list("GET", f"nights/{day.isoformat()}")

    def night_links(self) -> dict[str, Any]:
        """Get what goes together of nights and days, and how far devices agree."""
        return self._dict("GET", "nights/link")

    def put_nights(self, nights: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Store nights, at most 100 at a time; those that are there change nothing.

        Parameters
        ----------
        nights : sequence of mapping
            ``day``, ``source``, ``start``, ``end``, ``basis`` and the figures.

        Returns
        -------
        dict
            How many were ``new``, ``grown`` and ``known``.
        """
        return self._dict("PUT", "nights", {"nights": [dict(night) for night in nights]})

    def remove_nights(self, source: str) -> int:
        """Remove all nights of a source.

        Parameters
        ----------
        source : str
            Its name, as in ``night_list``.

        Returns
        -------
        int
            How many there were.
        """
        return int(self._dict("DELETE", "nights", params={"source": source})["known"])
