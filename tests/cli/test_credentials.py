"""The credentials of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.credentials import CredentialFile, Credentials
from ebbtide.errors import EbbtideError


def test_the_right_credentials_are_found(tmp_path: Path) -> None:
    stored = CredentialFile(tmp_path / "sign-ins.json")
    with pytest.raises(EbbtideError, match="not signed in"):
        stored.of(None)
    stored.put(Credentials("ada@example.org", "http://x", "t", "1"))
    assert stored.of(None).account == "1"
    stored.put(Credentials("eve@example.org", "http://x", "t", "2"))
    with pytest.raises(EbbtideError, match="--patient"):
        stored.of(None)
    assert stored.of("EVE@example.org").account == "2"
    with pytest.raises(EbbtideError, match="ebbtide sign-in bob"):
        stored.of("bob@example.org")
    stored.put(Credentials("Ada@example.org", "http://x", "new", "1"))
    assert [item.token for item in stored.all()] == ["t", "new"]
