"""What comes through a pipe is read as the same file is from the disk."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.analysis.csv_table import read_table
from cli.main import app
from ebbtide.errors import EbbtideError
from ingest.files import streams
from ingest.files.recording import FileFormat, RecordedFile
from ingest.files.registry import find_format, open_recording
from tests.ingest.files.test_formats import START, every_format, example
from tests.support.command_line import EBBTIDE


@contextmanager
def piped(content: bytes) -> Iterator[Path]:
    """The path under which a shell gives ``<(cat file)``: a pipe that is filled in pieces."""
    reading, writing = os.pipe()

    def fill() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            try:
                for begin in range(0, len(content), 1000):
                    pipe.write(content[begin : begin + 1000])
            except BrokenPipeError:
                return

    writer = threading.Thread(target=fill)
    writer.start()
    try:
        yield Path(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        writer.join()


def read(path: Path) -> RecordedFile:
    return open_recording(path, zone="Europe/Berlin", start_ns=START)


def without_names(file: RecordedFile) -> RecordedFile:
    """The recordings without what a reader took from the name of the file."""
    return replace(file, recordings=tuple(replace(one, source="") for one in file.recordings))


@every_format
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "zip"])
def test_a_pipe_gives_every_beat_of_the_file(
    file_format: FileFormat, packed: bool, tmp_path: Path
) -> None:
    path = example(file_format)
    if packed:
        whole = path
        path = tmp_path / "packed.zip"
        with zipfile.ZipFile(path, "w") as archive:
            name = "apple_health_export/export.xml" if whole.suffix == ".xml" else whole.name
            archive.write(whole, name)
    content = path.read_bytes()
    with piped(content) as pipe:
        assert without_names(read(pipe)) == without_names(read(path))


@every_format
def test_a_dash_is_standard_input(file_format: FileFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    path = example(file_format)
    with path.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        assert without_names(read(Path("-"))) == without_names(read(path))


@every_format
def test_the_format_of_a_pipe_is_found(file_format: FileFormat) -> None:
    with piped(example(file_format).read_bytes()) as pipe:
        assert find_format(pipe) is file_format


def test_errors_name_the_stream_and_not_its_copy(tmp_path: Path) -> None:
    with piped(b"no numbers here\n") as pipe, pytest.raises(EbbtideError) as caught:
        read(pipe)
    assert str(pipe) in str(caught.value)
    assert "ebbtide-" not in str(caught.value)
    with piped(gzip.compress(b"812\n799\n")) as pipe, pytest.raises(EbbtideError, match="gzip"):
        read(pipe)


def test_a_stream_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_STREAM_BYTES", 2_000_000)
    with piped(b"812\n" * 600_000) as pipe, pytest.raises(EbbtideError, match="More than 2 MB"):
        read(pipe)


def test_a_table_is_read_from_a_pipe() -> None:
    with piped(b"who,pain\nada,3\n") as pipe:
        assert read_table(pipe).text("pain").tolist() == ["3"]
    with piped(b"who,pain\nada\n") as pipe, pytest.raises(EbbtideError, match="/dev/fd/"):
        read_table(pipe)


@pytest.mark.parametrize(
    "line",
    [
        "cat {file} | {ebbtide} hrv /dev/stdin --json",
        "cat {file} | {ebbtide} hrv - --json",
        "{ebbtide} hrv - --json < {file}",
        "{ebbtide} hrv <(cat {file}) --json --output -",
    ],
)
def test_hrv_of_a_pipe_in_a_shell_is_that_of_the_file(line: str, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    intervals = [780 + 13 * (k % 11) for k in range(3000)]  # more than the sniffed 4096 bytes
    file = tmp_path / "rest.txt"
    file.write_text("".join(f"{rr}\n" for rr in intervals))
    words = line.format(file=file, ebbtide=" ".join(EBBTIDE))
    done = subprocess.run([bash, "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["quality"]["intervals"] == 3000


def test_clean_and_outcomes_take_standard_input() -> None:
    rows = "".join(f"{812 + k % 5}\n" for k in range(400))
    done = CliRunner().invoke(app, ["clean", "-"], input=rows)
    assert "standard input: 400 intervals" in done.output
    table = "who,day,pain\n" + "".join(f"p{k},{d},{5 + d}\n" for k in range(4) for d in (0, 1))
    named = ["--subject", "who", "--time", "day", "--pain", "ache"]
    done = CliRunner().invoke(app, ["outcomes", "-", *named], input=table)
    assert "standard input has no column 'ache'" in str(done.exception)
