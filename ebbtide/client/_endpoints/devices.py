"""Phones on which the app is signed in (``api/routes/auth/devices.py``)."""

from __future__ import annotations

from typing import Any

from ebbtide.client._transport import Transport


class DeviceEndpoints(Transport):
    """Requests about the phones of the person signed in."""

    def new_device_code(self) -> dict[str, Any]:
        """Make a code that signs one phone in, once, within five minutes.

        Returns
        -------
        dict
            The ``code``, and when it ``expires``.
        """
        return self._dict("POST", "device-codes", prefix="/v1")

    def sign_in_device(
        self,
        device_name: str,
        *,
        code: str | None = None,
        email: str | None = None,
        password: str | None = None,
        second_factor_code: str | None = None,
    ) -> dict[str, Any]:
        """Sign in on a phone, without using the token for this client.

        Parameters
        ----------
        device_name : str
            What the person calls the phone.
        code : str, optional
            Of `new_device_code`; or else:
        email, password : str, optional
            Of the account.
        second_factor_code : str, optional
            Of an app, where an ApiError of the kind ``second-factor`` asks for it.

        Returns
        -------
        dict
            ``token``, ``expires``, ``device``, ``person``, and ``storage_key``: with what the
            phone encrypts what it holds.
        """
        body = {
            **{"device_name": device_name, "code": code, "email": email, "password": password},
            "second_factor_code": second_factor_code,
        }
        return self._dict("POST", "devices/sign-in", body, prefix="/v1")

    def devices(self) -> list[dict[str, Any]]:
        """List the phones on which the person is signed in.

        Returns
        -------
        list of dict
            ``id``, ``name``, ``created``, ``used``, ``expires`` and ``this`` of each.
        """
        return self._list("GET", "devices", prefix="/v1")

    def current_device(self) -> dict[str, Any]:
        """Get the phone whose token this client has, as `devices` does."""
        return self._dict("GET", "devices/current", prefix="/v1")

    def revoke_device(self, device_id: str) -> None:
        """Sign a phone out from here.

        Parameters
        ----------
        device_id : str
            Of `devices`.
        """
        self._request("DELETE", f"devices/{device_id}", prefix="/v1")

    def sign_out_device(self) -> None:
        """Sign out the phone whose token this client has."""
        self._request("DELETE", "devices/current", prefix="/v1")
