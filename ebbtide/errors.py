"""The error that people read.

Exception
├── EbbtideError                  what is wrong and a remedy, for people
│   ├── of ingest                 a measurement, the outbox, a clock; a refused upload
│   ├── of store                  unavailable or damaged; unknown, taken or changed meanwhile
│   └── of api.services           a use case that cannot be done
└── ebbtide.client.ApiError       the API refused a client's request
    ├── SignedOutError
    └── UnavailableError
"""

from __future__ import annotations


class EbbtideError(Exception):
    """Report something that a person can correct.

    The command line prints it and no traceback; the API answers with a problem (RFC 9457).

    Parameters
    ----------
    what : str
        What is wrong, as a sentence.
    remedy : str
        What to do about it; empty where there is nothing.

    Examples
    --------
    >>> error = EbbtideError("Port 80 cannot be used.", "Choose another.")
    >>> str(error)
    'Port 80 cannot be used. Choose another.'
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy
