"""The contract of every file format in ``FORMATS``, run on an example file of each.

The example is ``examples/<name of the format>.<any extension>``, lower case with underscores.
"""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
from ebbtide.upload_schema import GapBody, NotificationBody
from ingest.files import registry
from ingest.files.builder import RecordingBuilder
from ingest.files.importer import import_recordings
from ingest.files.recording import FileFormat, ReadContext, RecordedFile
from ingest.files.registry import FORMATS, find_format, open_recording
from ingest.outbox.outbox import Outbox

START = 1_790_000_000 * SECOND
EXAMPLES = Path(__file__).with_name("examples")
every_format = pytest.mark.parametrize("file_format", FORMATS, ids=lambda item: item.name)


def example(file_format: FileFormat) -> Path:
    stem = file_format.name.lower().replace(" ", "_")
    found = sorted(EXAMPLES.glob(f"{stem}.*"))
    assert found, f"{file_format.name} has no example: tests/ingest/files/examples/{stem}.*"
    return found[0]


def read(path: Path) -> RecordedFile:
    return open_recording(path, zone="Europe/Berlin", start_ns=START)


@every_format
def test_example_is_recognised_by_its_first_bytes(file_format: FileFormat) -> None:
    assert find_format(example(file_format)) is file_format


@every_format
@given(head=st.binary(max_size=200))
def test_matches_takes_any_bytes(file_format: FileFormat, head: bytes) -> None:
    assert file_format.matches(head) in (True, False)


def test_names_differ_and_only_the_last_format_matches_everything() -> None:
    assert len({item.name for item in FORMATS}) == len(FORMATS)
    assert [item.name for item in FORMATS if item.matches(b"")] == [FORMATS[-1].name]


@every_format
def test_recordings_are_what_a_stream_can_hold(file_format: FileFormat) -> None:
    file = read(example(file_format))
    assert file.format
    assert file.problems == ()
    assert file.beats > 20
    for recording in file.recordings:
        items = recording.notifications
        assert 0 < len(recording.source) <= 200
        assert recording.source.isprintable()
        assert [item.sequence for item in items] == list(range(1, len(items) + 1))
        times = [time for item in items for time in item.beat_times_ns]
        assert all(after > before for before, after in itertools.pairwise(times))
        assert all(ticks > 0 for item in items for ticks in item.rr_ticks)
        assert {gap.sequence for gap in recording.gaps} <= {item.sequence for item in items}
        for item in items:
            NotificationBody.from_notification(item)
        for gap in recording.gaps:
            GapBody.from_gap(gap)


@every_format
def test_beat_times_agree_with_intervals(file_format: FileFormat) -> None:
    for recording in read(example(file_format)).recordings:
        broken = {gap.sequence for gap in recording.gaps}
        previous = None
        for item in recording.notifications:
            if item.sequence in broken:
                previous = None
            for ticks, time in zip(item.rr_ticks, item.beat_times_ns, strict=True):
                if previous is not None:
                    interval = ticks * SECOND // recording.ticks_per_second
                    assert abs(time - previous - interval) < 0.3 * SECOND
                previous = time


@every_format
def test_second_import_adds_nothing_even_under_another_name(
    file_format: FileFormat, tmp_path: Path
) -> None:
    path = example(file_format)
    renamed = Path(shutil.copy(path, tmp_path / f"renamed{path.suffix}"))
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        first = import_recordings(read(path), outbox, "me")
        again = import_recordings(read(renamed), outbox, "me")
    assert first.new_beats == read(path).beats
    assert (again.new_beats, again.known_beats) == (0, first.new_beats)
    assert again.stream_ids == first.stream_ids


@every_format
def test_beginning_is_needed_only_without_times(file_format: FileFormat, tmp_path: Path) -> None:
    path = example(file_format)
    undated = Path(shutil.copy(path, tmp_path / f"rest{path.suffix}"))
    if file_format.timed:
        assert open_recording(undated, zone="UTC") == open_recording(
            undated, zone="UTC", start_ns=START
        )
    else:
        with pytest.raises(EbbtideError, match="--start"):
            open_recording(undated, zone="UTC")


@every_format
def test_truncated_file_is_read_in_part_or_refused_in_words(
    file_format: FileFormat, tmp_path: Path
) -> None:
    whole = example(file_format).read_bytes()
    beats = read(example(file_format)).beats
    for tenths in range(1, 10):
        path = tmp_path / f"part{tenths}{example(file_format).suffix}"
        path.write_bytes(whole[: len(whole) * tenths // 10])
        try:
            assert read(path).beats <= beats
        except EbbtideError as error:
            assert error.what and error.remedy


# What stands in the place of a number, or between bytes, where a file is damaged or made by hand.
ODD = [
    *(b"nan", b"inf", b"1e999", b"9" * 400, "\u00b2".encode(), b"9999", b"0001", b"-1", b"true"),
    *(b"null", b"[", b"}", b'"', b",", b";", b"\x00", b"\x14", b"\xff", b"\n", b"99991231", b""),
]


@every_format
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_file_is_read_in_part_or_refused_in_words(
    file_format: FileFormat, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = example(file_format)
    damaged = path.read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        numbers = [match.span() for match in re.finditer(rb"\d+", damaged[:4000])]
        spans = st.sampled_from(numbers) if numbers else st.nothing()
        places = st.integers(0, len(damaged)).map(lambda at: (at, at))
        begin, end = data.draw(spans | places)
        damaged = damaged[:begin] + data.draw(st.sampled_from(ODD)) + damaged[end:]
    other = tmp_path_factory.mktemp("damaged") / f"x{path.suffix}"
    other.write_bytes(damaged)
    try:
        file = read(other)
    except EbbtideError as error:
        assert error.what and error.remedy
        return
    for recording in file.recordings:
        times = [time for item in recording.notifications for time in item.beat_times_ns]
        assert all(before < after for before, after in itertools.pairwise(times))


def test_registering_a_format_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_example(path: Path, context: ReadContext) -> RecordedFile:
        assert context.start_ns is not None
        builder = RecordingBuilder(path.name, 1000)
        builder.add_run([int(line) for line in path.read_text().split()[1:]], context.start_ns)
        return RecordedFile("Example", (builder.build(),), ())

    added = FileFormat("Example", False, lambda head: head.startswith(b"EXAMPLE\n"), read_example)
    monkeypatch.setattr(registry, "FORMATS", [added, *FORMATS])
    path = tmp_path / "x.example"
    path.write_text("EXAMPLE\n812\n799\n")
    assert find_format(path) is added
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        assert import_recordings(read(path), outbox, "me").new_beats == 2
