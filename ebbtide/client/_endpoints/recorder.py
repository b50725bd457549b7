"""The recorder of the computer that runs the service (``api/routes/patient_data/recorder``)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ebbtide.client._transport import Transport

_PAIR_TIMEOUT_S = 60.0


class RecorderEndpoints(Transport):
    """Requests about straps; each is refused (404) where the service does not record."""

    def recorder(self) -> dict[str, Any]:
        """Read which straps are recorded, and what keeps others from it."""
        return self._dict("GET", "recorder")

    def start_scan(self, seconds: int = 20) -> dict[str, Any]:
        """Begin to listen for straps.

        Parameters
        ----------
        seconds : int
            3 to 30.

        Returns
        -------
        dict
            The scan, as `scan` gives it.
        """
        return self._dict("POST", "recorder/scan", {"seconds": seconds})

    def scan(self) -> dict[str, Any]:
        """Read what the scan hears, or heard last."""
        return self._dict("GET", "recorder/scan")

    def pair_strap(self, address: str, name: str | None = None) -> dict[str, Any]:
        """Pair a strap, which takes up to 30 s.

        Parameters
        ----------
        address : str
            As a scan gives it.
        name : str, optional
            What to call it; else what it calls itself.

        Returns
        -------
        dict
            The ``strap``, and what was ``heard`` of it.
        """
        body = {"address": address, "name": name}
        return self._dict("POST", "recorder/straps", body, timeout_s=_PAIR_TIMEOUT_S)

    def rename_strap(self, address: str, name: str) -> dict[str, Any]:
        """Rename a paired strap.

        Parameters
        ----------
        address : str
            Of the strap.
        name : str
            The new name.

        Returns
        -------
        dict
            The strap.
        """
        return self._dict("PATCH", f"recorder/straps/{quote(address, safe='')}", {"name": name})

    def forget_strap(self, address: str) -> None:
        """Forget a paired strap; what it recorded stays.

        Parameters
        ----------
        address : str
            Of the strap.
        """
        self._request("DELETE", f"recorder/straps/{quote(address, safe='')}")

    def note_off_said(self, address: str) -> None:
        """Note that the person was told that a strap is off.

        Parameters
        ----------
        address : str
            Of the strap.
        """
        self._request("POST", f"recorder/straps/{quote(address, safe='')}/off-said")
