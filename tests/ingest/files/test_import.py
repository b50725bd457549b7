"""Files of other devices and apps: recognised, placed in time, imported once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from garmin_fit_sdk import Encoder, Profile

from cli.credentials import CredentialFile, Credentials
from cli.server.thread import ApiThread
from ebbtide.beats import GapReason
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import MILLISECOND, SECOND, from_datetime
from ingest.files.importer import import_recordings
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording
from ingest.files.start_time import time_in_name
from ingest.outbox.outbox import Outbox
from store import Stores
from tests.support.health_export import health_export

BERLIN = "Europe/Berlin"
MORNING = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # 8:30 in Berlin
START = from_datetime(MORNING)


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def beats(file: RecordedFile) -> tuple[list[int], list[int]]:
    """Intervals in ms and beat times of all recordings."""
    ms, times = [], []
    for recording in file.recordings:
        for item in recording.notifications:
            ms += [round(t * 1000 / recording.ticks_per_second) for t in item.rr_ticks]
            times += item.beat_times_ns
    return ms, times


@pytest.mark.parametrize(
    ("title", "header", "separator"),
    [
        ("Polar Sensor Logger", "Phone timestamp;RR-interval [ms]", ";"),
        ("HRV Logger", "date,rr,since start", ","),
    ],
)
def test_times_of_a_phone_are_placed_as_a_straps(
    tmp_path: Path, title: str, header: str, separator: str
) -> None:
    lines, true = [header], []
    rng = np.random.default_rng(3)
    elapsed, second, sent = 0.0, 0, []
    for interval in rng.integers(700, 950, 300).tolist():
        elapsed += interval / 1000
        while elapsed > second + 1:
            second += 1
            stamp = datetime(2026, 11, 24, 8, 30, tzinfo=UTC).replace(tzinfo=None) + timedelta(
                seconds=second, milliseconds=40
            )
            for ms in sent:
                row = [stamp.isoformat(timespec="milliseconds"), str(ms)]
                lines.append(separator.join([*row, "0"] if separator == "," else row))
            sent = []
        sent.append(interval)
        true.append(START + round(elapsed * 1000) * MILLISECOND)
    lines.insert(50, "oops")
    file = open_recording(written(tmp_path, "x.txt", "\n".join(lines)), zone=BERLIN)
    assert file.format == title
    assert [p.split(":")[0] for p in file.problems] == ["line 51"]
    ms, times = beats(file)
    error = (np.array(times) - np.array(true[: len(times)])) / MILLISECOND
    assert len(ms) == len(true) - len(sent)
    assert np.abs(error[60:]).max() < 150
    assert file.recordings[0].gaps == ()


def test_the_hour_that_comes_twice(tmp_path: Path) -> None:
    """In the night of 25 October 2026 Berlin's clocks go from 3:00 back to 2:00."""
    lines = ["Phone timestamp;RR-interval [ms]"]
    moment = datetime(2026, 10, 25, 0, 58, 0, tzinfo=UTC)
    for _ in range(240):
        moment += timedelta(seconds=1)
        local = moment.astimezone().replace(tzinfo=None)
        hour = 2  # 2:58 summer time, then 2:00 winter time
        local = moment.replace(tzinfo=None, hour=hour, minute=moment.minute)
        lines.append(f"{local.isoformat(timespec='milliseconds')};1000")
    file = open_recording(written(tmp_path, "night.txt", "\n".join(lines)), zone=BERLIN)
    _, times = beats(file)
    assert len(times) == 240
    assert set(np.diff(times).tolist()) <= set(range(980_000_000, 1_020_000_001))
    assert file.recordings[0].gaps == ()


def test_polar_flow_marks_when_the_strap_was_off(tmp_path: Path) -> None:
    text = "duration,offline\n" + "800,0\n" * 5 + "2000,1\n3000,1\n" + "810,0\n" * 5
    file = open_recording(written(tmp_path, "Ada_2026-11-24_08-30-00_RR.csv", text), zone=BERLIN)
    assert file.format == "Polar Flow"
    ms, times = beats(file)
    assert ms == [800] * 5 + [810] * 5
    assert times[0] == START + 800 * MILLISECOND
    assert times[5] == times[4] + 5 * SECOND + 810 * MILLISECOND
    (gap,) = file.recordings[0].gaps
    assert (gap.end_ns - gap.start_ns, gap.reason) == (5 * SECOND, GapReason.PAUSED)


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-24 08-30-00.txt",  # Elite HRV
        "HRV4Training_20261124_083000.csv",
        "20261124083000_RR.txt",
        "2026-11-24T08:30:00.csv",
    ],
)
def test_the_time_in_a_name_counts(tmp_path: Path, name: str) -> None:
    file = open_recording(written(tmp_path, name, "812\n799\n830\n"), zone=BERLIN)
    ms, times = beats(file)
    assert ms == [812, 799, 830]
    assert times[0] == START + 812 * MILLISECOND


def test_names_without_a_time() -> None:
    for name in ("rest.txt", "2026-13-45 08-30-00.txt", "12345678.txt"):
        assert time_in_name(name, BERLIN) is None


def test_a_file_without_any_time_asks_for_one(tmp_path: Path) -> None:
    path = written(tmp_path, "rest.txt", "812\n799\n")
    with pytest.raises(EbbtideError, match="--start"):
        open_recording(path, zone=BERLIN)
    assert beats(open_recording(path, zone=BERLIN, start_ns=START))[1][0] > START


def fit_file(folder: Path, *, damaged: bool = False) -> Path:
    """As a watch writes it: once a second a record, and the intervals since the last."""
    encoder = Encoder()
    numbers = Profile["mesg_num"]
    encoder.write_mesg(
        {
            "mesg_num": numbers["FILE_ID"],
            "type": "activity",
            "manufacturer": "garmin",
            "time_created": MORNING,
        }
    )
    elapsed, waiting, second = 0.0, [], 0
    for index in range(400):
        interval = 0.700 + (index % 50) / 250
        elapsed += interval
        while elapsed > second + 1:
            second += 1
            if waiting:
                encoder.write_mesg({"mesg_num": numbers["HRV"], "time": waiting})
                waiting = []
            encoder.write_mesg(
                {
                    "mesg_num": numbers["RECORD"],
                    "timestamp": MORNING + timedelta(seconds=second),
                    "heart_rate": 75,
                }
            )
        waiting.append(round(interval, 3))
    data = bytes(encoder.close())
    return written(folder, "activity.fit", data[: len(data) // 2] if damaged else data)


def test_garmin_fit(tmp_path: Path) -> None:
    file = open_recording(fit_file(tmp_path), zone=BERLIN)
    assert (file.format, file.problems) == ("FIT", ())
    ms, times = beats(file)
    assert ms[:3] == [700, 704, 708]
    assert len(ms) >= 398
    true = START + np.cumsum(ms) * MILLISECOND
    assert np.abs(np.array(times) - true)[60:].max() < 150 * MILLISECOND


def test_a_damaged_fit_file_is_read_up_to_the_damage(tmp_path: Path) -> None:
    file = open_recording(fit_file(tmp_path, damaged=True), zone=BERLIN)
    assert len(beats(file)[0]) > 150
    assert "damaged" in file.problems[0]


def test_a_fit_file_without_rr_says_how_to_record_them(tmp_path: Path) -> None:
    encoder = Encoder()
    encoder.write_mesg({"mesg_num": Profile["mesg_num"]["FILE_ID"], "type": "activity"})
    path = written(tmp_path, "x.fit", bytes(encoder.close()))
    with pytest.raises(EbbtideError, match="Log HRV"):
        open_recording(path, zone=BERLIN)


@pytest.mark.parametrize("zipped", [False, True])
def test_apple_health(tmp_path: Path, zipped: bool) -> None:
    text = health_export(2)
    path = tmp_path / ("export.zip" if zipped else "export.xml")
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("apple_health_export/export_cda.xml", "<x/>")
            archive.writestr("apple_health_export/export.xml", text)
    else:
        path.write_text(text)
    file = open_recording(path, zone=BERLIN)
    assert file.format == "Apple Health"
    (both,) = file.recordings  # one stream a source
    ms, times = beats(file)
    # 20 beats without the seventh: 5 intervals before the hole, 12 after it, twice.
    assert len(ms) == 34
    assert set(ms) <= {800, 810, 820}
    lost, between, lost_again = both.gaps
    assert {gap.reason for gap in both.gaps} == {GapReason.PAUSED}
    assert lost.end_ns - lost.start_ns < 2 * SECOND > lost_again.end_ns - lost_again.start_ns
    assert 3580 * SECOND < between.end_ns - between.start_ns < 3600 * SECOND
    assert 0 <= times[0] - START < 10 * SECOND
    assert times[17] - times[0] == 3600 * SECOND


def test_a_longer_export_adds_only_what_is_new(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        two = open_recording(written(tmp_path, "a.xml", health_export(2)), zone=BERLIN)
        three = open_recording(written(tmp_path, "b.xml", health_export(3)), zone=BERLIN)
        assert import_recordings(two, outbox, "me").new_beats == 34
        again = import_recordings(two, outbox, "me")
        assert (again.new_beats, again.known_beats) == (0, 34)
        longer = import_recordings(three, outbox, "me")
        assert (longer.new_beats, longer.known_beats) == (17, 34)
        assert longer.stream_ids == again.stream_ids
        shorter = import_recordings(two, outbox, "me")
        assert (shorter.new_beats, shorter.known_beats) == (0, 34)
        assert outbox.state(longer.stream_ids[0]).beats_kept == 51


def test_a_measurement_that_was_deleted_shifts_no_other(tmp_path: Path) -> None:
    text = health_export(4)
    records = text.split("<Record type=")
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        whole = open_recording(written(tmp_path, "a.xml", text), zone=BERLIN)
        first = import_recordings(whole, outbox, "me")
        deleted = "<Record type=".join([*records[:3], *records[4:]])
        less = open_recording(written(tmp_path, "b.xml", deleted), zone=BERLIN)
        assert less.beats == 51
        other = import_recordings(less, outbox, "me")
        assert other.stream_ids != first.stream_ids and other.new_beats == 51
        assert import_recordings(less, outbox, "me").new_beats == 0
        assert import_recordings(whole, outbox, "me").new_beats == 0


def test_measurements_out_of_order_are_put_in_order_and_said_once(tmp_path: Path) -> None:
    text = health_export(4)
    head, step, *records = text.split("<Record type=")
    records[-1], tail = records[-1].removesuffix("</HealthData>"), "</HealthData>"
    mixed = "<Record type=".join([head, step, records[2], *records[:2], records[3], records[1]])
    path = written(tmp_path, "a.xml", mixed + tail)
    straight = open_recording(written(tmp_path, "b.xml", text), zone=BERLIN)
    found = open_recording(path, zone=BERLIN)
    assert found.recordings == straight.recordings
    assert found.problems == (
        "Watch: 17 beats of measurements that overlap with another one were left out",
    )


@pytest.mark.parametrize("done", [1, 7, 12])
def test_an_import_that_was_cut_off_goes_on(
    tmp_path: Path, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.files.importer._BATCH", 1)
    file = open_recording(written(tmp_path, "a.xml", health_export(6)), zone=BERLIN)
    seen = []

    def stop(beats: int) -> None:
        seen.append(beats)
        if len(seen) == done:
            raise KeyboardInterrupt

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        with pytest.raises(KeyboardInterrupt):
            import_recordings(file, outbox, "me", stop)
        rest = import_recordings(file, outbox, "me")
        assert rest.new_beats == file.beats - sum(seen)
        notifications, gaps = outbox.waiting(rest.stream_ids[0], 1000)
        assert notifications == list(file.recordings[0].notifications)
        assert tuple(gaps) == file.recordings[0].gaps


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("x.fit", b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT" + b"\x00" * 20, "holds no RR"),
        ("x.xml", b"<HealthData><Record", "no beat-to-beat"),
        ("x.zip", b"PK\x03\x04" + b"\x00" * 30, "no beat-to-beat"),
        ("x.txt", b"Phone timestamp;RR-interval [ms]\n", "ends after its header"),
        ("x.txt", b"Phone timestamp;RR-interval [ms]\nyesterday;800\n", "line 2"),
        ("x.txt", b"\xff\xfe\x00", "not a text file"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    with pytest.raises(EbbtideError, match=why) as caught:
        open_recording(written(tmp_path, name, data), zone=BERLIN, start_ns=START)
    assert caught.value.remedy


def test_the_command_imports_once_and_uploads(
    tmp_path: Path, recordings: Path, api: ApiThread, stores: Stores, client: httpx.Client
) -> None:
    me = client.get("/v1/me").json()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    data = tmp_path / "machine"
    CredentialFile(data / "sign-ins.json").put(
        Credentials(me["email"], api.url, token, me["id"], me["zone"])
    )
    renamed = written(
        tmp_path, "2026-11-20 07-00-00.txt", (recordings / "pyhrv_nni_long.txt").read_bytes()
    )
    bad = written(tmp_path, "bad.txt", "hello world!\nwhat?\n")

    def run(*files: Path) -> tuple[int, dict[str, object]]:
        done = subprocess.run(
            [sys.executable, "-m", "ebbtide", "import", *map(str, files), "--json"],
            env={**os.environ, "EBBTIDE_DATA_DIR": str(data)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        printed: dict[str, object] = json.loads(done.stdout)
        return done.returncode, printed

    status, printed = run(renamed, bad)
    files = printed["files"]
    assert isinstance(files, list)
    assert (status, printed["upload"]) == (1, None)  # the exit status reports the bad one
    assert (files[0]["new_beats"], files[0]["error"]) == (4684, None)
    assert "no RR interval" in files[1]["error"]
    status, printed = run(renamed)
    files = printed["files"]
    assert isinstance(files, list)
    assert (status, files[0]["new_beats"], files[0]["known_beats"]) == (0, 0, 4684)
    # So does the folder that it is in, with the endings of recordings.
    folder = tmp_path / "folder" / "inside"
    folder.mkdir(parents=True)
    (folder / renamed.name).write_bytes(renamed.read_bytes())
    (folder / "notes.md").write_text("hello")
    status, said = run(tmp_path / "folder")
    files = said["files"]
    assert isinstance(files, list)
    assert (status, len(files), files[0]["known_beats"]) == (0, 1, 4684)
    # Another machine, which has no outbox yet, adds nothing either.
    (data / "outbox.sqlite").unlink()
    run(renamed)
    assert client.get("/v1/streams").json()["beats"] == 4684
    (stream,) = client.get("/v1/streams").json()["streams"]
    assert stream["origin"] == "file"
    assert stream["first_beat"].startswith("2026-11-20T06:00:0")
