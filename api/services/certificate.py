"""The certificate under the address where people open the pages, and when it ends."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from ebbtide.timestamps import from_datetime

_WAIT_S = 3.0
_KNOWN_S = 600.0  # asked anew after that, so that a page that is reloaded costs one handshake
_KNOWN: dict[str, tuple[float, PublicCertificate]] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """The certificate of a host. ``ends_ns``: None where it could not be read, and ``problem`` says
    by which kind of error.
    """

    host: str
    ends_ns: int | None
    problem: str = ""


def find_certificate(url: str) -> PublicCertificate | None:
    """Read when the certificate of an address ends, whoever ends its TLS: this service or a proxy
    before it. At most once in ten minutes, and within 3 s.

    Returns
    -------
    PublicCertificate or None
        None for an address without TLS.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    with _LOCK:
        known = _KNOWN.get(url)
        if known is not None and time.monotonic() - known[0] < _KNOWN_S:
            return known[1]
        found = _read(parts.hostname, parts.port or 443)
        _KNOWN.clear()  # there is one address at a time
        _KNOWN[url] = (time.monotonic(), found)
        return found


def _read(host: str, port: int) -> PublicCertificate:
    from cryptography import x509

    # Not verified: it is to be read also where it has ended. Nothing is sent.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_WAIT_S) as connection,
            context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            der = secured.getpeercert(binary_form=True)
        if not der:
            return PublicCertificate(host, None, "no certificate")
        certificate = x509.load_der_x509_certificate(der)
    except (OSError, ValueError) as error:  # ssl.SSLError and a timeout are OSErrors
        return PublicCertificate(host, None, type(error).__name__)
    return PublicCertificate(host, from_datetime(certificate.not_valid_after_utc))
