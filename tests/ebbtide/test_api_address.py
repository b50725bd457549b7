"""Beats and tokens go unencrypted over one's own machine and network alone."""

from __future__ import annotations

import pytest

from ebbtide.api_address import require_encrypted
from ebbtide.client import Client
from ebbtide.errors import EbbtideError
from ingest.outbox.api_client import IngestClient

OWN = [
    "https://clinic.example",
    "http://localhost:8420",
    "http://127.0.0.1:8420",
    "http://[::1]:8420",
    "http://192.168.1.20:8420",
    "http://10.0.0.3",
    "http://[fd00::1]:8420",
    "http://[fe80::1%25eth0]:8420",
    "http://api:8420",
    "http://raspberry.local:8420/",
]
PUBLIC = [
    "http://clinic.example",
    "http://clinic.example.:8420",
    "HTTP://CLINIC.EXAMPLE",
    "http://8.8.8.8:8420",
    "http://[2001:4860:4860::8888]",
    "http://local.example",
    "http://user@clinic.example/",
]


@pytest.mark.parametrize("url", OWN)
def test_own_network_or_tls(url: str) -> None:
    assert require_encrypted(url) == url


@pytest.mark.parametrize("url", PUBLIC)
def test_others_need_tls(url: str) -> None:
    with pytest.raises(EbbtideError, match="https://"):
        require_encrypted(url)
    with pytest.raises(EbbtideError, match="not encrypted"):
        Client(url, "token")
    with pytest.raises(EbbtideError, match="not encrypted"):
        IngestClient(url, "token")
