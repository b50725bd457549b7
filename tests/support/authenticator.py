"""A software authenticator: makes passkeys and signs with them, as a browser passes it on."""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey, and the page at ``origin`` that uses it. ``count``: of the next signature."""

    origin: str
    count: int = 1
    credential_id: bytes = b"a credential of a test"
    user_handle: bytes = b""
    is_verified: bool = True
    key: ec.EllipticCurvePrivateKey = field(init=False)

    def __post_init__(self) -> None:
        # The same in each run, and another one for each credential.
        number = int.from_bytes(hashlib.sha256(self.credential_id).digest()[:31]) + 1
        self.key = ec.derive_private_key(number, ec.SECP256R1())

    def create(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Make the passkey that ``options`` ask for. ``changes``: see ``_client_data``; ``rp_id``
        in place of that of the options.
        """
        self.user_handle = decode(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public_key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id
        rp_id = changes.pop("rp_id", options["rp"]["id"])
        data = self._data(rp_id, _ATTESTED) + attested + public_key
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            clientDataJSON=self._client_data("webauthn.create", options, changes),
            attestationObject=attestation,
        )

    def get(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Sign what ``options`` ask for. ``changes``: as of ``create``."""
        data = self._data(changes.pop("rp_id", options["rpId"]), 0)
        client_data = self._client_data("webauthn.get", options, changes)
        signed = data + hashlib.sha256(client_data).digest()
        return self._credential(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
            userHandle=self.user_handle,
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.is_verified else 0)
        counter, self.count = self.count, self.count + 1
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, counter)

    def _client_data(self, kind: str, options: dict[str, Any], changes: dict[str, Any]) -> bytes:
        data = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**data, **changes}).encode()

    def _credential(self, **response: bytes) -> dict[str, Any]:
        name = encode(self.credential_id)
        encoded = {key: encode(value) for key, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": encoded}


def encode(value: bytes) -> str:
    """Write bytes in base64url."""
    return urlsafe_b64encode(value).decode().rstrip("=")


def decode(value: str) -> bytes:
    """Read base64url."""
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))
