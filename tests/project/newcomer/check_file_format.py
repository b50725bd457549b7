"""Check that the new format is recognised and imported."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ebbtide.timestamps import MILLISECOND, from_datetime
from ingest import Outbox, import_recordings, open_recording
from tests.conftest import ROOT

EXAMPLE = ROOT / "tests" / "ingest" / "files" / "examples" / "beat_log.txt"


def test_file_is_recognised_and_imported(tmp_path: Path) -> None:
    file = open_recording(EXAMPLE, zone="UTC")
    assert (file.format, file.beats) == ("Beat log", 30)
    start = from_datetime(datetime.fromisoformat("2026-11-24T08:30:00+01:00"))
    assert file.recordings[0].notifications[0].beat_times_ns[0] == start + 800 * MILLISECOND
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        assert import_recordings(file, outbox, "me").new_beats == 30
