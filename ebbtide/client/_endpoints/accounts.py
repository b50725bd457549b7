"""Sign-in, invitations, accounts, care and consent (``api/routes/auth`` and ``people``)."""

from __future__ import annotations

from typing import Any

from ebbtide.client._errors import ApiError, UnavailableError
from ebbtide.client._transport import Transport


class AccountEndpoints(Transport):
    """Requests about who signs in, and who may see what."""

    def new_sign_in(
        self,
        email: str,
        password: str,
        known_device: str | None = None,
        computer: str | None = None,
        code: str | None = None,
    ) -> dict[str, Any]:
        """Sign in, without using the token for this client.

        Parameters
        ----------
        email, password : str
            Of the account.
        known_device : str, optional
            What an earlier sign-in from this device returned: others' wrong passwords then do not
            delay this one.
        computer : str, optional
            ``own`` or ``shared``, for a longer or a shorter session.
        code : str, optional
            Of an app, where an ApiError of the kind ``second-factor`` asks for it.

        Returns
        -------
        dict
            The ``token``, when it ``expires``, and ``known_device`` where the device was new.
        """
        body = {"email": email, "password": password, "known_device": known_device}
        return self._dict("POST", "sign-in", {**body, "computer": computer, "code": code})

    def is_first_run(self, secret: str) -> bool:
        """Whether the first account can be made with this secret of ``ebbtide start``.

        Parameters
        ----------
        secret : str
            Of the address that ``ebbtide start`` opened.

        Returns
        -------
        bool
            False also where there is an account already.
        """
        try:
            self._request("POST", "first-run/check", {"secret": secret}, prefix="/v1")
        except UnavailableError:
            raise
        except ApiError:
            return False
        return True

    def first_run(
        self, secret: str, name: str, zone: str, email: str | None, password: str | None
    ) -> dict[str, Any]:
        """Make the first account of a store, on the machine that runs the API, and sign in.

        Parameters
        ----------
        secret : str
            Of the address that ``ebbtide start`` opened.
        name, zone : str
            Of the person; the zone like ``Europe/Berlin``.
        email, password : str, optional
            Both, or none for an account without a password.

        Returns
        -------
        dict
            The ``token``, and when it ``expires``.
        """
        body = {"secret": secret, "name": name, "zone": zone, "email": email, "password": password}
        return self._dict("POST", "first-run", body, prefix="/v1")

    def sign_in_with_link(self, secret: str) -> dict[str, Any]:
        """Sign in with a link of this machine, without using the token for this client.

        Parameters
        ----------
        secret : str
            Of the address that ``ebbtide start`` opened.

        Returns
        -------
        dict
            The ``token``, and when it ``expires``.
        """
        return self._dict("POST", "sign-in/link", {"secret": secret}, prefix="/v1")

    def new_token(self, email: str, password: str, code: str | None = None) -> str:
        """Sign in, without using the token for this client.

        Parameters
        ----------
        email, password : str
            Of the account.
        code : str, optional
            Of an app, where an ApiError of the kind ``second-factor`` asks for it.

        Returns
        -------
        str
            An access token, to be sent as a Bearer token.

        Raises
        ------
        ApiError
            If address or password are wrong, or were wrong too often.
        """
        body = {"email": email, "password": password, "code": code}
        return str(self._dict("POST", "sign-in", body)["token"])

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
            The one-time token of a link or code.
        new : str
            The password.
        """
        self._request("POST", "password-reset", {"token": token, "new": new})

    def mail_password_link(self, email: str) -> None:
        """Have a link for a new password mailed to an address, if it has an account.

        Parameters
        ----------
        email : str
            The address.
        """
        self._request("POST", "password-reset/mail", {"email": email})

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

    def proposed_therapists(self) -> list[dict[str, Any]]:
        """List the therapists whom the patient is asked to agree to."""
        return self._list("GET", "care-proposals")

    def answer_therapist(self, therapist_id: str, agreed: bool) -> None:
        """Agree to a therapist who was proposed, or decline or leave one.

        Parameters
        ----------
        therapist_id : str
            Id of the therapist.
        agreed : bool
            False declines or leaves.
        """
        self._request("PUT" if agreed else "DELETE", f"therapists/{therapist_id}")

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

    def set_account(self, person_id: str, active: bool, role: str | None = None) -> dict[str, Any]:
        """Let an account sign in, or block it; for administrators.

        Parameters
        ----------
        person_id : str
            Id of the account.
        active : bool
            False blocks it.
        role : {"therapist", "analyst", "administrator"}, optional
            Another role.

        Returns
        -------
        dict
            The account.
        """
        return self._dict("PUT", f"accounts/{person_id}", {"active": active, "role": role})

    def password_link(self, person_id: str) -> dict[str, Any]:
        """Send a person a link for a new password, or make a code; for administrators.

        Parameters
        ----------
        person_id : str
            Id of the account.

        Returns
        -------
        dict
            ``sent`` says how: by ``"mail"`` to the person, or as a ``"code"``, which is in
            ``token`` for `reset_password`; and when it expires.
        """
        return self._dict("POST", f"accounts/{person_id}/password-link")

    def patient_password_link(self, patient_id: str) -> dict[str, Any]:
        """Do the same for a patient in the care of the therapist who is signed in.

        Parameters
        ----------
        patient_id : str
            Id of the patient.

        Returns
        -------
        dict
            As `password_link`.
        """
        return self._dict("POST", f"patients/{patient_id}/password-link", prefix="/v1")

    def put_care(self, therapist_id: str, patient_id: str, inside: bool = True) -> None:
        """Propose a therapist to a patient, or end the care; for administrators.

        Parameters
        ----------
        therapist_id, patient_id : str
            Ids of the accounts.
        inside : bool
            False ends it.
        """
        method = "PUT" if inside else "DELETE"
        self._request(method, f"accounts/{therapist_id}/care/{patient_id}")
