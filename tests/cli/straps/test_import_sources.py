"""What ``ebbtide import`` reads of files, folders and zips."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from cli.credentials import CredentialFile, Credentials
from cli.straps.import_files import import_files
from cli.straps.import_sources import count_recordings, open_sources
from ingest.files import archive
from tests.support.accounts import PASSWORD

RR = "rr_ms\n" + "812\n790\n801\n" * 40


def make_zip(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in members.items():
            packed.writestr(name, text)
    return path


def test_a_zip_is_read_file_by_file_with_its_folders(tmp_path: Path) -> None:
    path = make_zip(
        tmp_path / "watch.zip",
        {
            "2025/03/2025-03-03 08-00-00.txt": RR,
            "2025/04/2025-04-03 08-00-00.txt": RR,
            "2025/notes.md": "hello",
            "__MACOSX/2025/x.txt": "hello",
        },
    )
    plain = tmp_path / "plain.txt"
    plain.write_text(RR)
    assert count_recordings([plain, path]) == 3
    seen = []
    for source in open_sources([plain, path]):
        assert (source.error, source.path.read_text()) == (None, RR)
        seen.append(source)
    assert [source.name for source in seen] == [
        str(plain),
        f"{path}: 2025/03/2025-03-03 08-00-00.txt",
        f"{path}: 2025/04/2025-04-03 08-00-00.txt",
    ]
    assert [source.path.exists() for source in seen] == [True, False, False]  # removed after


def test_a_zip_that_grows_without_bound_is_refused_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 2_000_000)
    bomb = make_zip(tmp_path / "bomb.zip", {f"{n}.txt": "800\n" * 500_000 for n in range(3)})
    assert bomb.stat().st_size < 100_000
    plain = tmp_path / "plain.txt"
    plain.write_text(RR)
    refused, read = open_sources([bomb, plain])
    assert refused.error is not None and "larger than" in refused.error
    assert read.path == plain


def test_the_command_reads_a_zip_and_names_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path / "data"))
    CredentialFile(tmp_path / "data" / "sign-ins.json").put(
        Credentials("ada@example.org", "http://127.0.0.1:9", PASSWORD, "1", "Europe/Berlin")
    )
    path = make_zip(
        tmp_path / "watch.zip",
        {"a/2025-03-03 08-00-00.txt": RR, "b/broken.txt": "hello world!\nwhat?\n"},
    )
    with pytest.raises(BaseException) as ended:
        import_files([path], as_json=True)
    assert getattr(ended.value, "exit_code", None) == 1
    files = json.loads(capsys.readouterr().out)["files"]
    assert [(item["new_beats"], item["error"] is None) for item in files] == [
        (120, True),
        (0, False),
    ]
    assert files[0]["file"] == f"{path}: a/2025-03-03 08-00-00.txt"
    assert f"{path}: b/broken.txt" in files[1]["error"]
    assert "ebbtide-import-" not in files[1]["error"]
