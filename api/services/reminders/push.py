"""Web Push: notifications that a browser shows while nobody looks at its pages (RFC 8030, 8188,
8291, 8292).

What is posted is encrypted for the browser; the push service, which is of the browser's maker, sees
when and to whom something comes, and nothing of what.
"""

from __future__ import annotations

import base64
import fnmatch
import ipaddress
import json
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.services.reminders.ways import Message
from ebbtide._lazy import lazy_module
from ebbtide.i18n import N_, translator
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND
from store import Stores
from store.models import PushSubscription, ReminderPlan

if TYPE_CHECKING:
    import py_vapid
    import pywebpush
    import requests
else:
    # 20 MB with an HTTP client of its own, for what few processes send.
    py_vapid, pywebpush, requests = map(lazy_module, ("py_vapid", "pywebpush", "requests"))

log = logging.getLogger("ebbtide.api")

MAX_SUBSCRIPTIONS = 10
_KEY_NAME = "vapid"
_TIMEOUT_S = 10.0
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class PushServices:
    """The origins to which may be posted. One that has a port or plain http is of one's own, named
    by who runs this service: it alone may have a private address.
    """

    patterns: tuple[str, ...]

    @classmethod
    def from_settings(cls, settings: Settings) -> PushServices:
        """Those that ``EBBTIDE_PUSH_SERVICES`` names."""
        names = (item.strip().rstrip("/") for item in settings.push_services.split(","))
        return cls(tuple(name.lower() for name in names if name))

    def allows(self, endpoint: str) -> bool:
        """Whether an endpoint is at one of them."""
        return self._pattern_of(endpoint) is not None

    def allows_now(self, endpoint: str) -> bool:
        """The same, and its name does not lead into a private network."""
        pattern = self._pattern_of(endpoint)
        if pattern is None:
            return False
        if "*" not in pattern and _is_own(pattern):
            return True
        host = urlsplit(endpoint).hostname or ""
        try:
            found = socket.getaddrinfo(host, 443, proto=socket.IPPROTO_TCP)
        except OSError:
            return False
        addresses = [ipaddress.ip_address(str(item[4][0]).partition("%")[0]) for item in found]
        return bool(addresses) and all(address.is_global for address in addresses)

    def _pattern_of(self, endpoint: str) -> str | None:
        try:
            parts = urlsplit(endpoint)
            port = parts.port
        except ValueError:
            return None
        if not parts.hostname or parts.username is not None or "\\" in endpoint:
            return None
        # Two libraries that read an address must not read two hosts.
        if not all("!" <= character <= "~" for character in endpoint):
            return None
        origin = f"{parts.scheme}://{parts.hostname}" + ("" if port is None else f":{port}")
        for pattern in self.patterns:
            # A star stands for one name or several, never for a port or a path.
            if origin == pattern or (
                pattern.startswith("https://*.")
                and port is None
                and parts.scheme == "https"
                and fnmatch.fnmatchcase(parts.hostname, pattern.removeprefix("https://"))
            ):
                return pattern
        return None


def _is_own(pattern: str) -> bool:
    parts = urlsplit(pattern)
    return parts.scheme == "http" or parts.port is not None


class PushWay:
    """Post to every browser in which the person allowed notifications."""

    name = "push"

    def __init__(self, stores: Stores, services: PushServices, contact: str) -> None:
        self._stores = stores
        self._services = services
        self._contact = contact

    def is_set_up(self, plan: ReminderPlan) -> bool:
        """Whether the person wishes it, and a browser allows it."""
        return plan.push and bool(self._stores.prompts.subscriptions(plan.person_id))

    def send(self, message: Message) -> bool:
        """Post to each; whether one was taken. One that is gone is not posted to again."""
        now = self._stores.now()
        left_s = max(0, message.prompt.expires_ns - now) // SECOND
        _ = translator(message.person.language)
        text = json.dumps(
            {
                "id": message.prompt.id,
                "receipt": message.receipt,
                "expires": message.prompt.expires_ns // 1_000_000,
                "title": message.title,
                "text": message.text,
                "asks": message.prompt.asks,
                "later": _(N_("Later")),
                "letGo": _(N_("Not this time")),
            }
        )
        taken = False
        for subscription in self._stores.prompts.subscriptions(message.person.id):
            taken |= self._post(subscription, text, left_s, message.prompt.id)
        return taken

    def _post(self, subscription: PushSubscription, text: str, ttl_s: int, prompt_id: str) -> bool:
        if not self._services.allows_now(subscription.endpoint):
            log.warning("a push service is not allowed, or its name leads nowhere that is")
            return False
        key = py_vapid.Vapid.from_pem(load_key(self._stores).encode())
        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        with requests.Session() as session:
            session.max_redirects = 0  # it is posted where it is allowed, and nowhere else
            try:
                pywebpush.webpush(
                    {"endpoint": subscription.endpoint, "keys": keys},
                    text,
                    vapid_private_key=key,
                    vapid_claims={"sub": self._contact},
                    timeout=_TIMEOUT_S,
                    # Not after it has expired; a second one takes the place of one not shown yet.
                    ttl=ttl_s,
                    headers={"Topic": prompt_id.replace("-", ""), "Urgency": "high"},
                    requests_session=session,
                )
            except pywebpush.WebPushException as error:
                status = None if error.response is None else error.response.status_code
                if status in _GONE:
                    self._stores.prompts.delete_subscription(
                        subscription.person_id, subscription.id
                    )
                log.warning("a push was refused: %s", status)
                return False
            except (requests.RequestException, ValueError) as error:
                log.warning("a push service does not answer: %s", type(error).__name__)
                return False
        return True


def load_key(stores: Stores) -> str:
    """The key that signs pushes (VAPID), in PEM: made at first use, and kept in the store."""
    return stores.prompts.server_key(_KEY_NAME, _make_key, stores.now())


def public_key(stores: Stores) -> str:
    """Its public half, as browsers take it: an uncompressed point, base64url without padding."""
    private = serialization.load_pem_private_key(load_key(stores).encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    point = private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return encode_base64url(point)


def is_valid_keys(p256dh: str, auth: str) -> bool:
    """Whether these are keys of a browser: a point of the curve, and 16 bytes."""
    try:
        point, secret = decode_base64url(p256dh), decode_base64url(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(secret) == 16


def encode_base64url(content: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Decode with or without padding. Raises ValueError."""
    return base64.b64decode(
        text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True
    )


def _make_key() -> str:
    private = ec.generate_private_key(ec.SECP256R1())
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
