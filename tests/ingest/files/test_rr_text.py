from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ingest.files.rr_text import read_rr_file


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "rr.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "1000\n500\n750\n",
        "1000\r\n500\r\n750",
        "1.0\n0.5\n0.75\n",
        "# from a watch\nRR\n1000\n\n500\n750\n",
        "time,rr_ms\n1,1000\n2,500\n3,750\n",
        "rr_ms;note\n1000;\n500;x\n750;\n",
        "time_s,symbol\n0,N\n1.0,N\n1.5,N\n2.25,V\n",
        "\ufeff1000\n500\n750\n",
    ],
)
def test_forms_of_a_file(tmp_path: Path, text: str) -> None:
    read = read_rr_file(written(tmp_path, text))
    assert read.runs == ((1024, 512, 768),)
    assert read.problems == ()


def test_a_bad_line_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    read = read_rr_file(written(tmp_path, "1000\n1000\noops\n500\n-3\n500\nnan\n"))
    assert read.runs == ((1024, 1024), (512,), (512,))
    assert [problem.split(":")[0] for problem in read.problems] == ["line 3", "line 5", "line 7"]
    assert read.count == 4


def test_times_that_go_back_are_reported(tmp_path: Path) -> None:
    read = read_rr_file(written(tmp_path, "time_s\n0\n1\n0.5\n1.5\n2.5\n"))
    assert read.runs == ((1024,), (1024, 1024))
    assert read.problems == ("line 4: time 0.5 is not after 1.0",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("\n\n# only words\n", "is empty"),
        ("hello world!\nwhat?\n", "holds no RR interval"),
        ("a,b\n1,2\n", "columns a, b, none of them known"),
        ("40\n41\n42\n", "neither in milliseconds"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not a text file"),
    ],
)
def test_files_that_cannot_be_read_say_why(tmp_path: Path, text: str | bytes, why: str) -> None:
    with pytest.raises(EbbtideError, match=why) as caught:
        read_rr_file(written(tmp_path, text))
    assert caught.value.remedy


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.txt", tmp_path):
        with pytest.raises(EbbtideError, match="cannot be read"):
            read_rr_file(path)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("aura_nn_intervals.txt", 1000),
        ("pyhrv_nni_long.txt", 4684),
        ("pyhrv_nni_short.txt", 337),
        ("rest_rri.txt", 910),
        ("mitdb_100_beats.csv", 2272),
    ],
)
def test_real_recordings_are_read_whole(recordings: Path, name: str, count: int) -> None:
    read = read_rr_file(recordings / name)
    assert read.problems == ()
    assert len(read.runs) == 1
    assert read.count == count
