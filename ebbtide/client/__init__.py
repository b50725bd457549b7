"""The API from Python, one method an endpoint.

    from ebbtide.client import Client

    with Client.sign_in("http://127.0.0.1:8420", "ann@example.org", password) as api:
        ratings = api.research.ratings()      # a pandas frame; frames="polars" for polars
        windows = api.research.hrv()

Tables are transferred as Arrow and become frames without copies in between; everything else is
JSON. Requests are repeated as the API's Retry-After says; writes carry an Idempotency-Key, so that
a repetition does not write twice.
"""

from __future__ import annotations

from typing import Self

from ebbtide.client._endpoints.accounts import AccountEndpoints
from ebbtide.client._endpoints.analysis import AnalysisEndpoints
from ebbtide.client._endpoints.computer import ComputerEndpoints
from ebbtide.client._endpoints.devices import DeviceEndpoints
from ebbtide.client._endpoints.messages import MessageEndpoints
from ebbtide.client._endpoints.nights import NightEndpoints
from ebbtide.client._endpoints.offers import OfferEndpoints
from ebbtide.client._endpoints.operation import OperationEndpoints
from ebbtide.client._endpoints.patient_data import PatientDataEndpoints
from ebbtide.client._endpoints.recorder import RecorderEndpoints
from ebbtide.client._endpoints.second_factors import SecondFactorEndpoints
from ebbtide.client._endpoints.tables import ExportEndpoints, Research
from ebbtide.client._endpoints.tokens import TokenEndpoints
from ebbtide.client._errors import ApiError, SignedOutError, UnavailableError
from ebbtide.client._frames import Frames

__all__ = ["ApiError", "Client", "Frames", "Research", "SignedOutError", "UnavailableError"]


class Client(
    ExportEndpoints,
    PatientDataEndpoints,
    NightEndpoints,
    MessageEndpoints,
    OfferEndpoints,
    OperationEndpoints,
    TokenEndpoints,
    RecorderEndpoints,
    AnalysisEndpoints,
    AccountEndpoints,
    ComputerEndpoints,
    DeviceEndpoints,
    SecondFactorEndpoints,
):
    """Call the API for the account of ``token``, or for a patient of it: see `patient`.

    Used as a context manager, it signs out at the end.

    Parameters
    ----------
    url : str
        Address of the API, such as ``"http://127.0.0.1:8420"``.
    token : str, optional
        Access token; `sign_in` gets one. Few requests work without.
    frames : {"pandas", "polars"}
        Which frames tables become.
    simulated : bool
        Mark the ratings that are entered as generated and not a person's.

    Raises
    ------
    ApiError
        By each method, if the API refuses.
    SignedOutError
        If the token is missing, expired or revoked.
    UnavailableError
        If the API, or its store, does not respond.

    Examples
    --------
    >>> with Client.sign_in(url, "ann@example.org", password) as api:  # doctest: +SKIP
    ...     api.me()["role"]
    'analyst'
    >>> Client("http://127.0.0.1:9").me()
    Traceback (most recent call last):
        ...
    ebbtide.client.UnavailableError: The API at http://127.0.0.1:9 does not answer (ConnectError).
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        frames: Frames = "pandas",
        *,
        simulated: bool = False,
    ) -> None:
        super().__init__(url, token, frames)
        self._simulated = simulated

    @classmethod
    def sign_in(
        cls,
        url: str,
        email: str,
        password: str,
        frames: Frames = "pandas",
        *,
        simulated: bool = False,
        code: str | None = None,
    ) -> Self:
        """Sign in and return a client with the token.

        Parameters
        ----------
        url : str
            Address of the API.
        email, password : str
            Of the account.
        frames : {"pandas", "polars"}
            Which frames tables become.
        simulated : bool
            Mark the ratings that are entered as generated.
        code : str, optional
            Of an app, where an ApiError of the kind ``second-factor`` asks for it.

        Returns
        -------
        Client
            Signed in; used as a context manager, it signs out at the end.

        Raises
        ------
        ApiError
            If address or password are wrong.
        UnavailableError
            If the API does not respond.

        Examples
        --------
        >>> with Client.sign_in(url, email, password) as api:  # doctest: +SKIP
        ...     api.ratings().pain.mean()
        """
        client = cls(url, None, frames, simulated=simulated)
        client.token = client.new_token(email, password, code)
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.sign_out()

    def patient(self, patient_id: str) -> Client:
        """Return a client for a patient in the care of the therapist who is signed in.

        Parameters
        ----------
        patient_id : str
            Id of the patient, from `patients`.

        Returns
        -------
        Client
            With the same token. Its requests raise ApiError where the patient does not consent.

        Examples
        --------
        >>> with Client.sign_in(url, email, password) as api:  # doctest: +SKIP
        ...     first = api.patient(api.patients()[0]["id"])
        ...     first.ratings()
        """
        found = Client(self.url, self.token, self.frames)
        found._prefix = f"/v1/patients/{patient_id}"
        return found

    @property
    def research(self) -> Research:
        """Data of the people who consented to research, by pseudonym; for analysts."""
        return Research(self.url, self.token, self.frames)
