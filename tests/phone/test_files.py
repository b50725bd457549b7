"""The list of the app's files, its version, and what the service worker gets."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from phone.files import load_files

WORKER = 'const VERSION = "development";\nconst FILES = [];\nself.addEventListener("x", y);\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "js").mkdir()
    for path, text in (
        ("index.html", "<!doctype html>" + "<p>words</p>" * 50),
        ("js/main.js", "export const x = 1;"),
        ("service-worker.js", WORKER),
        (".hidden.js", "x"),
        ("js/main.js~", "x"),
        ("tsconfig.toml", "x"),
    ):
        (tmp_path / path).write_text(text)
    (tmp_path / "icon.png").write_bytes(b"\x89PNG")
    return tmp_path


def test_the_service_worker_gets_one_version_and_each_hash(folder: Path) -> None:
    loaded = load_files(folder)
    assert set(loaded.files) == {"index.html", "js/main.js", "icon.png", "service-worker.js"}
    worker = loaded.files["service-worker.js"].content.decode()
    assert f'const VERSION = "{loaded.version}";' in worker
    assert worker.endswith('self.addEventListener("x", y);\n')
    found = re.search(r"^const FILES = (.*);$", worker, re.MULTILINE)
    assert found is not None
    listed = {item["path"]: item["sha256"] for item in json.loads(found[1])}
    assert set(listed) == {"index.html", "js/main.js", "icon.png"}  # not the worker itself
    for path, digest in listed.items():
        content = (folder / path).read_bytes()
        assert base64.b64decode(digest) == hashlib.sha256(content).digest()
    page = loaded.files["index.html"]
    assert page.compressed is not None and len(page.compressed) < len(page.content)
    assert gzip.decompress(page.compressed) == page.content
    assert loaded.files["icon.png"].compressed is None


@pytest.mark.parametrize("path", ["index.html", "service-worker.js"])
def test_the_version_changes_with_each_file_and_only_then(folder: Path, path: str) -> None:
    before = load_files(folder).version
    assert load_files(folder).version == before
    with (folder / path).open("a") as file:
        file.write("\n")
    assert load_files(folder).version != before


def test_a_worker_without_a_place_for_them_is_refused(folder: Path) -> None:
    (folder / "service-worker.js").write_text(WORKER.replace("FILES", "PATHS"))
    with pytest.raises(EbbtideError, match="const FILES"):
        load_files(folder)
