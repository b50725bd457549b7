"""``ebbtide scan``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.command_line import NO_BLUETOOTH, run_ebbtide


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is Linux's")
def test_scan_without_bluetooth_says_what_to_do(tmp_path: Path) -> None:
    done = run_ebbtide(
        "scan", "--seconds", "1", environment={"EBBTIDE_DATA_DIR": str(tmp_path), **NO_BLUETOOTH}
    )
    assert done.returncode == 1
    assert "ebbtide doctor" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
