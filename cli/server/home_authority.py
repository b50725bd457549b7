"""A certificate authority of one's own, for ``ebbtide start --https``: phones trust it once, and
then reach this computer with encryption.
"""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ebbtide._files import make_private_folder, write_private_json
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

FILE = "home-authority.json"  # in the data folder; no backup has it, and no report
_AUTHORITY_DAYS = 3650
# Apple refuses certificates of servers for longer than 825 days, also of an own authority.
_SERVER_DAYS = 397
RENEW_DAYS = _SERVER_DAYS - 30  # of a program that runs on; each start has a new one anyway
_CLOCKS = timedelta(days=1)  # by which a phone's may be behind
_NAME = "Ebbtide at home"
# Critical name constraints (RFC 5280, 4.2.1.10): whoever stole the key could still play none of the
# world's sites to the phone. Addresses of private networks all, since a router gives out others.
_NETWORKS = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)
_NAMES = ("localhost", "local")


@dataclass(frozen=True, slots=True)
class HomeAuthority:
    """The authority of a data folder. Its key leaves the folder in no form."""

    certificate: x509.Certificate
    _key: EllipticCurvePrivateKey

    @classmethod
    def open(cls, folder: Path) -> HomeAuthority:
        """Read the authority of a data folder, or make it on first use. Raises EbbtideError where
        it is damaged or cannot be written.
        """
        path = folder / FILE
        try:
            return cls._read(path)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EbbtideError(
                f"{path} cannot be read ({type(error).__name__}).",
                "Delete it: a new one is made, and phones have to trust that one.",
            ) from error
        made = cls._make()
        try:
            write_private_json(path, made._as_json())
        except OSError as error:
            raise EbbtideError(
                f"{path} cannot be written: {error.strerror or error}.",
                "Let this user write there, or set EBBTIDE_DATA_DIR to another folder.",
            ) from error
        return made

    @classmethod
    def _read(cls, path: Path) -> HomeAuthority:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        content = json.loads(path.read_text())
        key = serialization.load_pem_private_key(content["key"].encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not a key of ours")
        return cls(x509.load_pem_x509_certificate(content["certificate"].encode()), key)

    @classmethod
    def _make(cls) -> HomeAuthority:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in _NAMES]
        permitted += [x509.IPAddress(ipaddress.ip_network(network)) for network in _NETWORKS]
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            _builder(_name(_NAME), _name(_NAME), key.public_key(), _AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.NameConstraints(permitted, None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        )
        return cls(made.sign(key, hashes.SHA256()), key)

    def _as_json(self) -> dict[str, str]:
        from cryptography.hazmat.primitives import serialization

        return {
            "certificate": self.certificate.public_bytes(serialization.Encoding.PEM).decode(),
            "key": self._key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
        }

    @property
    def certificate_der(self) -> bytes:
        """The certificate that phones trust: public."""
        from cryptography.hazmat.primitives import serialization

        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as phones show it: ``AB:CD:...``."""
        from cryptography.hazmat.primitives import hashes

        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def days_left(self) -> int:
        """For how many days phones will take it."""
        return (self.certificate.not_valid_after_utc - datetime.now(UTC)).days

    def issue(self, host: str) -> tuple[bytes, bytes]:
        """Issue a certificate for an address of this computer, or a name: it and its key, PEM."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID

        key = ec.generate_private_key(ec.SECP256R1())
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        made = (
            _builder(_name(host), self.certificate.subject, key.public_key(), _SERVER_DAYS)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return (
            made.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def server_context(self, host: str, folder: Path) -> ssl.SSLContext:
        """Make the TLS of a server at this address: with a certificate of now and a key of its own,
        which are on the disk only while they are read.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self.renew(context, host, folder)
        return context

    def renew(self, context: ssl.SSLContext, host: str, folder: Path) -> None:
        """Give a TLS a certificate of now and a new key: connections from now on have them."""
        certificate, key = self.issue(host)
        make_private_folder(folder)
        descriptor, name = tempfile.mkstemp(prefix=".home-", suffix=".pem", dir=folder)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(key + certificate)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()


def _name(text: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: object, days: int
) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + timedelta(days=days))
    )
