"""Find another ``ebbtide start`` of this user that has the port already."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from pathlib import Path

import httpx

from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings

PROVE_PATH, ADDRESS_PATH = "/start/proof", "/start/address"
_TIMEOUT_S = 15.0
_SOON_S = 3.0
_STARTING_S = 90.0  # it has the port before it answers, long before on a busy machine


def ask_running(
    settings: Settings, url: str, on_wait: Callable[[], None] = lambda: None
) -> str | None:
    """Ask the process that has the port for an address that opens its pages; None where it is no
    Ebbtide. Raises EbbtideError where it is one that has no pages, or another user's.

    ``on_wait`` is called where it does not answer at once: two clicks on an icon start two, and the
    first is still starting then.
    """
    try:
        try:
            health = httpx.get(f"{url}/v1/health", timeout=_SOON_S).json()
        except httpx.TimeoutException:
            on_wait()
            health = httpx.get(f"{url}/v1/health", timeout=_STARTING_S).json()
        if health.get("status") != "ok" or "version" not in health:
            return None
    except (httpx.HTTPError, ValueError, AttributeError):
        return None
    try:
        written = json.loads(running_file(settings).read_text())
        # Before anything secret is sent: a file may be older than who has the port now.
        if written["url"] == url and _knows_mark(url, written["mark"]):
            headers = {"Authorization": f"Bearer {written['mark']}"}
            answer = httpx.post(f"{url}{ADDRESS_PATH}", headers=headers, timeout=_TIMEOUT_S)
            return str(answer.json()["address"])
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError):
        pass
    raise EbbtideError(
        f"Another Ebbtide runs at {url}: of another user, of another folder, or without pages.",
        "End it, or choose another port: ebbtide start --port 8430",
    )


def is_running(settings: Settings) -> bool:
    """Whether the process that wrote its address and mark into the file still answers there. A
    file that a killed process left behind says nothing.
    """
    try:
        written = json.loads(running_file(settings).read_text())
        return _knows_mark(written["url"], written["mark"])
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError, httpx.InvalidURL):
        return False


def _knows_mark(url: str, mark: str) -> bool:
    nonce = secrets.token_urlsafe(32)
    proof = httpx.get(f"{url}{PROVE_PATH}", params={"nonce": nonce}, timeout=_TIMEOUT_S)
    return proof.text == prove(mark, nonce)


def prove(mark: str, nonce: str) -> str:
    """Return what shows that one knows the mark, without it."""
    return hashlib.sha256(f"{mark} {nonce}".encode()).hexdigest()


def running_file(settings: Settings) -> Path:
    """Return the file in which a running ``ebbtide start`` writes its address and its mark."""
    return settings.data_dir / "start.json"
