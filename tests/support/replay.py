"""Play recorded bytes or a file through the product's own path: ``python -m tests.support.replay``.

    python -m tests.support.replay packets packets.csv   # 'arrival in ms,hex of 0x2A37' a line
    python -m tests.support.replay file activity.fit     # a file with times, in UTC
    python -m tests.support.replay vectors tests/phone/vectors.json  # writes the file

The last line printed is one JSON object. Times count from 1,790,000,000 s: in ms for ``packets``,
in s for ``file``.

``packets`` plays the notifications through decoder, recorder and outbox: ``beats`` (count),
``rr_ms``, ``beat_ms`` (time of each beat), ``late_ms`` (arrival less that), ``rates``, ``gaps``
(start, end, reason), ``malformed``, ``repeated``, ``notes`` (every text of the live line) and
``wall_ms`` (from first to last arrival). ``file`` reads it as ``ebbtide import`` does: ``beats``
(times) and ``gaps`` (lengths).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from cli.straps.live_line import live_line
from ebbtide.beats import Gap, Notification, Origin
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest import BatchWriter, Outbox, Recorder, open_recording
from ingest.straps.heart_rate import HeartRateMeasurement, decode
from ingest.straps.strap import RawNotification
from tests.support.phone_vectors import make_vectors

START = 1_790_000_000 * SECOND
_MAX_NOTIFICATIONS = 1_000_000  # of one stream, read back from the outbox


class RecordedStrap:
    """A strap that sends ``packets``: (arrival in UTC ns, bytes)."""

    name = "played"
    origin = Origin.SIMULATED
    ticks_per_second = STRAP_TICKS_PER_SECOND

    def __init__(self, packets: list[tuple[int, bytes]]) -> None:
        self._packets = packets

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        """Decode as for a real strap."""
        return decode(payload)

    def stop(self) -> None:
        """Do nothing: ``events`` ends with the last packet."""

    async def events(self) -> AsyncIterator[RawNotification]:
        """Yield one notification a packet; its arrival serves as the monotonic time too."""
        for arrival, payload in self._packets:
            yield RawNotification(payload, arrival, arrival)


def read_packets(path: Path) -> list[tuple[int, bytes]]:
    """Read lines 'arrival in ms,hex'."""
    rows = (line.split(",") for line in path.read_text().split())
    return [(START + int(ms) * MILLISECOND, bytes.fromhex(payload)) for ms, payload in rows]


async def replay_packets(packets: list[tuple[int, bytes]], folder: Path) -> dict[str, object]:
    """Record ``packets`` into an outbox in ``folder``; what it then holds."""
    strap = RecordedStrap(packets)
    with Outbox(folder / "outbox.sqlite") as outbox, BatchWriter(outbox) as writer:
        recorder = Recorder(strap, writer, "account")
        recording = await recorder.run()
        written: list[Notification] = []
        rr_ms: list[float] = []
        gaps: list[Gap] = []
        for stream_id in recorder.stream_ids:
            notifications, stream_gaps = outbox.waiting(stream_id, _MAX_NOTIFICATIONS)
            written += notifications
            scale = outbox.state(stream_id).stream.ticks_per_second
            rr_ms += [ticks * 1000 / scale for item in notifications for ticks in item.rr_ticks]
            gaps += stream_gaps
    line = live_line("played", "p", recording, strap.ticks_per_second, 0, packets[-1][0])
    return {
        "beats": sum(len(item.rr_ticks) for item in written),
        "rr_ms": rr_ms,
        "beat_ms": [_ms(time) for item in written for time in item.beat_times_ns],
        "late_ms": [
            _ms(item.received_ns) - _ms(time) for item in written for time in item.beat_times_ns
        ],
        "rates": [item.heart_rate_bpm for item in written],
        "gaps": [[_ms(gap.start_ns), _ms(gap.end_ns), str(gap.reason)] for gap in gaps],
        "malformed": recording.malformed,
        "repeated": recording.repeated,
        "notes": [str(value) for value in asdict(line).values() if isinstance(value, str)],
        "wall_ms": _ms(packets[-1][0]) - _ms(packets[0][0]),
    }


def replay_file(path: Path) -> dict[str, object]:
    """Read the recordings in ``path`` as an import does."""
    recordings = open_recording(path, zone="UTC").recordings
    return {
        "beats": [
            (time - START) / SECOND
            for recording in recordings
            for item in recording.notifications
            for time in item.beat_times_ns
        ],
        "gaps": [
            (gap.end_ns - gap.start_ns) / SECOND
            for recording in recordings
            for gap in recording.gaps
        ],
    }


def write_vectors() -> str:
    """The vectors that the native recorder and the phone's share, as the text of their file."""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in make_vectors())
    return f"[\n{lines}\n]\n"


def _ms(time_ns: int) -> float:
    return (time_ns - START) / MILLISECOND


def main(mode: str, path: Path) -> None:
    """Print what ``mode`` finds in ``path``."""
    if mode == "file":
        print(json.dumps(replay_file(path)))
    elif mode == "packets":
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asyncio.run(replay_packets(read_packets(path), Path(folder)))))
    elif mode == "vectors":
        path.write_text(write_vectors(), encoding="utf-8")
        print(json.dumps({"written": str(path)}))
    else:
        sys.exit(f"{mode!r} is neither 'packets' nor 'file' nor 'vectors'")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
