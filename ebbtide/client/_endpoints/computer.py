"""The computer that runs ``ebbtide start`` (``api/routes/people/computer.py``)."""

from __future__ import annotations

from typing import Any

from ebbtide.client._transport import Transport


class ComputerEndpoints(Transport):
    """Requests about the computer itself, for the person who set Ebbtide up there."""

    def computer(self) -> dict[str, Any]:
        """Get how Ebbtide runs on this computer.

        Returns
        -------
        dict
            ``starts_at_login``; ``home_url`` for phones in the same network, or None; whether
            they come in ``encrypted``, and then ``trust_url`` and ``fingerprint``.
        """
        return self._dict("GET", "computer", prefix="/v1")

    def check_computer(self) -> list[dict[str, Any]]:
        """Check Bluetooth, disk, outbox, server and clock, as ``ebbtide doctor`` does.

        Returns
        -------
        list of dict
            ``about``, ``finding``, ``what`` and ``remedy`` of each check.
        """
        found: list[dict[str, Any]] = self._request("POST", "computer/check", prefix="/v1")
        return found

    def computer_report(self) -> dict[str, Any]:
        """Make a report for whoever helps.

        Returns
        -------
        dict
            Versions and results of checks, nothing of a person.
        """
        return self._dict("POST", "computer/report", prefix="/v1")

    def set_home(self, is_open: bool) -> dict[str, Any]:
        """Let phones in the same network reach this computer, or no more.

        Parameters
        ----------
        is_open : bool
            Whether they may.

        Returns
        -------
        dict
            As `computer` does.
        """
        return self._dict("PUT", "computer/home", {"open": is_open}, prefix="/v1")

    def new_phone_link(self) -> dict[str, Any]:
        """Make an address that signs a phone in, once, within five minutes.

        Returns
        -------
        dict
            Its ``url``, the ``token`` that goes behind it after ``#``, and when it ``expires``.
        """
        return self._dict("POST", "computer/phone", prefix="/v1")

    def sign_in_phone(self, secret: str) -> dict[str, Any]:
        """Sign in with the secret of a link for a phone, without using the token for this client.

        Parameters
        ----------
        secret : str
            What stands behind ``#`` in the link.

        Returns
        -------
        dict
            The ``token``, and when it ``expires``.
        """
        return self._dict("POST", "sign-in/phone", {"secret": secret}, prefix="/v1")

    def end_computer(self) -> None:
        """End Ebbtide on this computer: pages, API and recording."""
        self._request("POST", "computer/end", prefix="/v1")
