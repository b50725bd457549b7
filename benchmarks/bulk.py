"""A bulk export of many people's beats: rows a second, and the memory of the API.

    uv run python benchmarks/bulk.py [--patients 200 --days 30]
    uv run python benchmarks/bulk.py --hours 24    # 600 million beats, seven minutes

``ebbtide serve`` on the embedded store; the beats of everybody as one stream of each form, read
here as it comes. All have the same beats: they go through the store once, for the first, and are
copied in its file for the others, since to append them all would take most of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.services.access_tokens import issue_token
from benchmarks.children import end_with_us
from benchmarks.soak import answers, free_port, memory_mb
from benchmarks.store import MIDNIGHT, day_of
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR
from store import open_stores
from store.models import Consent, Purpose, Role
from tests.support.accounts import add_account

_EARLIER_NS = 40 * 7 * DAY  # what is newer is not given to analysts


def _earlier(item: Notification, sequence: int) -> Notification:
    return replace(
        item,
        sequence=sequence,
        received_ns=item.received_ns - _EARLIER_NS,
        beat_times_ns=tuple(time - _EARLIER_NS for time in item.beat_times_ns),
    )


def main() -> None:
    """Fill, export, and print JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=200)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--hours", type=int, default=2, help="A day, that the strap is worn")
    options.add_argument("--forms", nargs="+", default=["arrow", "parquet", "csv"])
    args = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-bulk-", dir="/tmp"))
    settings = Settings(data_dir=folder)
    stores = open_stores(settings)

    def person(name: str, role: Role) -> object:
        return add_account(stores, f"{name}@example.org", name=name, role=role)

    worn = [
        [
            item
            for item in day_of(1, day, 1)
            if item.beat_times_ns[0] % (24 * HOUR) < args.hours * HOUR
        ]
        for day in range(args.days)
    ]
    sequence, days = 1, []
    for items in worn:
        days.append([_earlier(item, sequence + k) for k, item in enumerate(items)])
        sequence += len(items)
    hashed = person("first", Role.PATIENT)
    streams: list[str] = []
    for k in range(args.patients):
        patient = hashed if k == 0 else _another(stores, hashed, k)
        stores.records.add_consent(
            Consent(patient.id, Purpose.RESEARCH, True, "bench", stores.now())  # type: ignore[attr-defined]
        )
        stream = Stream(new_id(), Origin.SIMULATED, "a strap", MIDNIGHT - _EARLIER_NS)
        stores.beats.put_stream(patient.subject_id, stream)  # type: ignore[attr-defined]
        streams.append(stream.id)
    for items in days:
        stores.beats.append(hashed.subject_id, streams[0], items)  # type: ignore[attr-defined]
    analyst = person("ann", Role.ANALYST)
    token, _ = issue_token(stores, analyst)  # type: ignore[arg-type]
    stores.close()
    with closing(sqlite3.connect(settings.beats_file)) as file, file:
        file.executemany(
            "INSERT INTO blocks SELECT ?, first_sequence, last_sequence, beats, start_ns, end_ns,"
            " data, kept_ns FROM blocks WHERE stream_id = ?",
            [(stream, streams[0]) for stream in streams[1:]],
        )
    port = free_port()
    with (folder / "api.log").open("wb") as log:
        api = subprocess.Popen(
            [sys.executable, "-m", "ebbtide", "serve", "--port", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "EBBTIDE_DATA_DIR": str(folder)},
        )
        end_with_us(api)
    url = f"http://127.0.0.1:{port}"
    answers(f"{url}/v1/ready")
    before, most, ended = memory_mb(api.pid), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.1):
            most = max(most, memory_mb(api.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    found = {}
    for form in args.forms:
        most = 0.0
        began, size, rows = time.monotonic(), 0, 0
        with httpx.stream(
            "GET",
            f"{url}/v1/research/beats",
            params={"format": form},
            headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"},
            timeout=3600,
        ) as answer:
            answer.raise_for_status()
            first = None
            if form == "arrow":
                read = pa.ipc.open_stream(_Body(answer.iter_bytes(1 << 20)))
                for batch in read:
                    first = first or time.monotonic() - began
                    rows += len(batch)
            else:
                for piece in answer.iter_bytes(1 << 20):
                    first = first or time.monotonic() - began
                    size += len(piece)
        took = time.monotonic() - began
        found[form] = {
            "seconds": round(took, 1),
            "first_byte_s": round(first or 0, 2),
            "most_mb": round(most),
            **({"rows": rows, "rows_per_s": round(rows / took)} if rows else {"mb": size >> 20}),
        }
    ended.set()
    watching.join()
    print(
        json.dumps(
            {
                "patients": args.patients,
                "days": args.days,
                "hours": args.hours,
                "api_mb_before": round(before),
                "forms": found,
            },
            indent=2,
        )
    )
    api.terminate()
    api.wait(30)
    shutil.rmtree(folder)


def _another(stores: object, like: object, number: int) -> object:
    """Another patient; to hash a password for each would take longer than the rest."""
    made = replace(
        like,  # type: ignore[type-var]
        id=new_id(),
        subject_id=new_id(),
        email=f"p{number}@example.org",
    )
    stores.records.add_person(made)  # type: ignore[attr-defined]
    return made


class _Body:
    """The bytes of an answer as a file."""

    def __init__(self, pieces: object) -> None:
        self._pieces = iter(pieces)  # type: ignore[call-overload]
        self._rest = b""
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


if __name__ == "__main__":
    main()
