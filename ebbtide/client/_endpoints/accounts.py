"""Sign-in, invitations, accounts, care and consent (``api/routes/auth`` and ``people``)."""

from __future__ import annotations

from typing import Any

from ebbtide.client._transport import Transport


class AccountEndpoints(Transport):
    """Requests about who signs in, and who may see what."""

    def new_token(self, email: str, password: str) -> str:
        """Sign in, without using the token for this client.

        Parameters
        ----------
        email, password : str
            Of the account.

        Returns
        -------
        str
            An access token, to be sent as a Bearer token.

        Raises
        ------
        ApiError
            If address or password are wrong, or the account is locked.
        """
        return str(self._dict("POST", "sign-in", {"email": email, "password": password})["token"])

    def sign_out(self) -> None:
        """Revoke the token of this client."""
        self._request("POST", "sign-out", prefix="/v1")

    def ways(self) -> dict[str, Any]:
        """Get the ways to sign in here: by password, and by OpenID Connect where it is set up."""
        return self._dict("GET", "sign-in/ways")

    def exchange(self, code: str) -> str:
        """Exchange the code of an OpenID Connect sign-in for a token.

        Parameters
        ----------
        code : str
            The one-time code that the browser came back with.

        Returns
        -------
        str
            An access token.
        """
        return str(self._dict("POST", "oidc/exchange", {"code": code})["token"])

    def invite(self, email: str, name: str, zone: str, role: str) -> dict[str, Any]:
        """Invite a person to make an account.

        Parameters
        ----------
        email, name : str
            Of the person.
        zone : str
            IANA time zone, such as ``"Europe/Berlin"``.
        role : {"patient", "therapist", "analyst", "administrator"}
            Role of the account.

        Returns
        -------
        dict
            The one-time token for `accept`, and when it expires.
        """
        body = {"email": email, "name": name, "zone": zone, "role": role}
        return self._dict("POST", "invitations", body)

    def accept(self, token: str, password: str) -> dict[str, Any]:
        """Make the account of an invitation.

        Parameters
        ----------
        token : str
            The one-time token of the invitation.
        password : str
            Password of the new account.

        Returns
        -------
        dict
            The account.
        """
        return self._dict("POST", "invitations/accept", {"token": token, "password": password})

    def reset_password(self, token: str, new: str) -> None:
        """Set a new password.

        Parameters
        ----------
        token : str
            The one-time token of `password_link`.
        new : str
            The password.
        """
        self._request("POST", "password-reset", {"token": token, "new": new})

    def me(self) -> dict[str, Any]:
        """Get the account that is signed in: id, address, name, role and zone."""
        return self._dict("GET", "me", prefix="/v1")

    def erase_me(self, password: str) -> dict[str, Any]:
        """Erase the account that is signed in, and everything of it, for good.

        Parameters
        ----------
        password : str
            Of the account, once more.

        Returns
        -------
        dict
            How much was erased.
        """
        return self._dict("POST", "me/erase", {"password": password})

    def patients(self) -> list[dict[str, Any]]:
        """List the patients in the care of the therapist who is signed in."""
        return self._list("GET", "patients", prefix="/v1")

    def therapists(self) -> list[dict[str, Any]]:
        """List the therapists of the patient."""
        return self._list("GET", "therapists")

    def looks(self) -> list[dict[str, Any]]:
        """List the accesses of others to the data of the account, newest first."""
        return list(self._dict("GET", "me/looks")["looks"])

    def consents(self) -> dict[str, Any]:
        """Get what the patient consents to: ``holds`` by purpose, and the history."""
        return self._dict("GET", "consents")

    def agree(self, purpose: str, given: bool, wording: str) -> dict[str, Any]:
        """Give or withdraw consent.

        Parameters
        ----------
        purpose : {"keeping", "care", "research"}
            What for.
        given : bool
            False withdraws it.
        wording : str
            Version of the text that the person read.

        Returns
        -------
        dict
            The consent as stored.
        """
        body = {"purpose": purpose, "given": given, "wording": wording}
        return self._dict("POST", "consents", body)

    def accounts(self) -> list[dict[str, Any]]:
        """List all accounts; for administrators."""
        return self._list("GET", "accounts")

    def set_account(self, person_id: str, active: bool) -> dict[str, Any]:
        """Let an account sign in, or block it; for administrators.

        Parameters
        ----------
        person_id : str
            Id of the account.
        active : bool
            False blocks it.

        Returns
        -------
        dict
            The account.
        """
        return self._dict("PUT", f"accounts/{person_id}", {"active": active})

    def password_link(self, person_id: str) -> dict[str, Any]:
        """Make a one-time token with which a person sets a new password; for administrators.

        Parameters
        ----------
        person_id : str
            Id of the account.

        Returns
        -------
        dict
            The token for `reset_password`, and when it expires.
        """
        return self._dict("POST", f"accounts/{person_id}/password-link")

    def put_care(self, therapist_id: str, patient_id: str, inside: bool = True) -> None:
        """Put a patient into the care of a therapist, or end it; for administrators.

        Parameters
        ----------
        therapist_id, patient_id : str
            Ids of the accounts.
        inside : bool
            False ends it.
        """
        method = "PUT" if inside else "DELETE"
        self._request(method, f"accounts/{therapist_id}/care/{patient_id}")
