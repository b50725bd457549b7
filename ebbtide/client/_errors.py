"""Errors of the client, and how a response becomes one.

Exception
└── ApiError                the API refused the request, or gave no usable response
    ├── SignedOutError      the token is missing, expired or revoked (401)
    └── UnavailableError    the API or its store does not respond now (5xx, no connection)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class ApiError(Exception):
    """Report that the API refused a request, or did not respond.

    Parameters
    ----------
    words : str
        The problem's ``detail``, written for people.
    status : int, optional
        HTTP status; None where there was no response.
    kind : str, optional
        Last part of the problem's ``type`` (RFC 9457), such as ``"not-found"``.
    fields : mapping of str to str, optional
        What is wrong with which field of the request.

    Examples
    --------
    >>> error = ApiError("pain must be 0 to 10.", 422, "invalid", {"body.pain": "at most 10"})
    >>> str(error), error.status, error.kind
    ('pain must be 0 to 10.', 422, 'invalid')
    >>> error.fields
    {'body.pain': 'at most 10'}
    """

    def __init__(
        self,
        words: str,
        status: int | None = None,
        kind: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(words)
        self.status = status
        self.kind = kind
        self.fields = dict(fields or {})


class SignedOutError(ApiError):
    """Report that the token is missing, expired or revoked: sign in again."""


class UnavailableError(ApiError):
    """Report that the API or its store does not respond now: try again later."""


def response_error(response: httpx.Response, *, signing_in: bool = False) -> ApiError:
    """Build the error of an unsuccessful response.

    Parameters
    ----------
    response : httpx.Response
        A response whose status is not 2xx.
    signing_in : bool
        Whether this is the response to a sign-in: there, 401 means a wrong password and no
        expired token.

    Returns
    -------
    ApiError
        SignedOutError for 401, UnavailableError for 5xx, ApiError for anything else.
    """
    try:
        problem = response.json()
        words, kind = str(problem["detail"]), str(problem["type"]).rpartition(":")[2]
        fields = {item["field"]: item["problem"] for item in problem.get("errors", [])}
    except (ValueError, KeyError, TypeError):
        words, kind, fields = f"The API answered with status {response.status_code}.", None, {}
    error = ApiError
    if response.status_code == 401 and not signing_in:
        error = SignedOutError
    elif response.status_code >= 500:
        error = UnavailableError
    return error(words, response.status_code, kind, fields)
