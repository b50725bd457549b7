"""Scripts that run the app's modules in Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.conftest import skip_or_fail


def play(script: Path, *arguments: Path) -> Any:
    """Run a script, and return the JSON that it prints."""
    node = shutil.which("node")
    if node is None:
        skip_or_fail("no node on this machine (Debian: apt install nodejs)")
    played = subprocess.run([node, script, *arguments], capture_output=True, text=True, timeout=120)
    assert not played.returncode, played.stderr
    return json.loads(played.stdout)
