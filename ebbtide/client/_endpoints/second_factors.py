"""Passkeys, codes of an app, recovery codes (``api/routes/auth``)."""

from __future__ import annotations

from typing import Any

from ebbtide.client._transport import Transport


class SecondFactorEndpoints(Transport):
    """Requests about what one signs in with beside a password."""

    def passkey_options(self, origin: str, *, adding: bool = False) -> dict[str, Any]:
        """Get what a browser is called with, to sign in with a passkey or to add one.

        Parameters
        ----------
        origin : str
            Of the page that asks, such as ``"http://localhost:8421"``.
        adding : bool
            To add one, which needs a sign-in of the last 15 minutes.

        Returns
        -------
        dict
            Options of ``navigator.credentials``, bytes in base64url.
        """
        path = "me/passkeys/options" if adding else "sign-in/passkey/options"
        answer = self._dict("POST", path, {"origin": origin}, prefix="/v1")
        found: dict[str, Any] = answer["public_key"]
        return found

    def sign_in_with_passkey(
        self, credential: dict[str, Any], computer: str | None = None
    ) -> dict[str, Any]:
        """Sign in with a passkey, without using the token for this client.

        Parameters
        ----------
        credential : dict
            The browser's answer.
        computer : str, optional
            ``own`` or ``shared``, for a longer or a shorter session.

        Returns
        -------
        dict
            The ``token``, and when it ``expires``.
        """
        body = {"credential": credential, "computer": computer}
        return self._dict("POST", "sign-in/passkey", body, prefix="/v1")

    def add_passkey(self, name: str, credential: dict[str, Any]) -> dict[str, Any]:
        """Add a passkey.

        Parameters
        ----------
        name : str
            To know it by.
        credential : dict
            The browser's answer.

        Returns
        -------
        dict
            The passkey.
        """
        body = {"name": name, "credential": credential}
        return self._dict("POST", "me/passkeys", body, prefix="/v1")

    def passkeys(self) -> list[dict[str, Any]]:
        """List one's passkeys, oldest first."""
        return self._list("GET", "me/passkeys", prefix="/v1")

    def remove_passkey(self, passkey_id: str) -> None:
        """Remove a passkey, within 15 minutes of signing in.

        Parameters
        ----------
        passkey_id : str
            Its id.
        """
        self._request("DELETE", f"me/passkeys/{passkey_id}", prefix="/v1")

    def second_factors(self) -> dict[str, Any]:
        """Get what one signs in with beside a password, and whether it can be changed now."""
        return self._dict("GET", "me/second-factors", prefix="/v1")

    def verify(self, password: str, code: str | None = None) -> None:
        """Give one's password once more, which lets one change the above for 15 minutes.

        Parameters
        ----------
        password : str
            Of the account.
        code : str, optional
            Of the app, where this session had none.
        """
        self._request("POST", "me/verify", {"password": password, "code": code}, prefix="/v1")

    def begin_app(self) -> dict[str, Any]:
        """Begin to set up codes of an app: its ``secret``, as ``uri`` too, and a ``token``."""
        return self._dict("POST", "me/app", prefix="/v1")

    def set_app(self, token: str, code: str) -> list[str]:
        """Confirm the app with its first code.

        Parameters
        ----------
        token : str
            Of `begin_app`.
        code : str
            What the app shows.

        Returns
        -------
        list of str
            Ten recovery codes.
        """
        body = {"token": token, "code": code}
        return list(self._dict("PUT", "me/app", body, prefix="/v1")["recovery_codes"])

    def remove_app(self) -> None:
        """Remove the app and the recovery codes."""
        self._request("DELETE", "me/app", prefix="/v1")

    def renew_recovery_codes(self) -> list[str]:
        """Make ten new recovery codes; earlier ones end."""
        return list(self._dict("POST", "me/recovery-codes", prefix="/v1")["recovery_codes"])

    def reset_second_factors(self, token: str, password: str) -> None:
        """Remove lost passkeys and codes of an app.

        Parameters
        ----------
        token : str
            The one-time token of a link or code.
        password : str
            Of the account.
        """
        body = {"token": token, "password": password}
        self._request("POST", "second-factor-reset", body, prefix="/v1")

    def second_factor_link(self, person_id: str) -> dict[str, Any]:
        """Send a person a link for `reset_second_factors`, or make a code; for administrators.

        Parameters
        ----------
        person_id : str
            Id of the account.

        Returns
        -------
        dict
            As `password_link`.
        """
        return self._dict("POST", f"accounts/{person_id}/second-factor-link", prefix="/v1")
