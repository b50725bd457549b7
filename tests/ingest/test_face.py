"""The public face of ``ingest``: every name is there, and none of them loads Bluetooth."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ingest


def test_every_name_of_the_face_can_be_imported() -> None:
    for name in ingest.__all__:
        assert getattr(ingest, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Bleak'"):
        _ = ingest.Bleak


def test_face_loads_nothing_before_use_and_never_bleak() -> None:
    code = (
        "import sys, ingest\n"
        "assert not [m for m in sys.modules if m.startswith('ingest.')], 'loaded early'\n"
        "assert all(hasattr(ingest, name) for name in ingest.__all__)\n"
        "assert 'bleak' not in sys.modules, 'Bleak was loaded'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
