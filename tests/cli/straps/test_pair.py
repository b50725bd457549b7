"""The list of paired straps."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ingest.straps.paired import PairedStrap, PairedStraps


def test_paired_straps_are_stored(tmp_path: Path) -> None:
    straps = PairedStraps(tmp_path / "straps.json")
    assert straps.all() == []
    first = PairedStrap("AA:BB:CC:DD:EE:01", "chest", "ada@example.org", model="H10")
    straps.put(first)
    straps.put(PairedStrap("AA:BB:CC:DD:EE:02", "arm", "eve@example.org", "ppi"))
    with pytest.raises(EbbtideError, match="called 'chest' already"):
        straps.put(PairedStrap("AA:BB:CC:DD:EE:03", "chest", "eve@example.org"))
    again = PairedStraps(tmp_path / "straps.json")
    assert again.find("aa:bb:cc:dd:ee:01") == again.find("chest") == first
    straps.put(PairedStrap("aa:bb:cc:dd:ee:01", "mine", "ada@example.org"))
    assert [strap.name for strap in again.all()] == ["arm", "mine"]
    again.remove(again.all()[0])
    assert [strap.name for strap in straps.all()] == ["mine"]
    (tmp_path / "straps.json").write_text("{")
    with pytest.raises(EbbtideError, match="pair the straps again"):
        straps.all()
