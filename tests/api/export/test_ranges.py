"""Exports by URL and by ranges, with the programs that read so."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import duckdb
import duckdb_extension_httpfs
import fsspec
import httpx
import polars
import pytest

from api.services.erasure import erase_person
from api.services.snapshots import Snapshot, Snapshots
from store import Stores
from store.models import Purpose
from tests.conftest import skip_or_fail
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together

PARQUET = "/v1/export/beats.parquet"


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"], days=1)
        yield opened


def change(clinic: Clinic) -> None:
    """Another beat, so that a new export has other bytes."""
    fill(clinic.stores, clinic.people["ada"], days=1, seed=int(time.time_ns() % 10**6))


def ranged(client: httpx.Client, path: str, words: str, **headers: str) -> httpx.Response:
    return client.get(path, headers={"Range": words, **headers})


def test_ranges_fit_together_and_tell_what_they_are(clinic: Clinic) -> None:
    ada = clinic["ada"]
    head = ada.head(PARQUET)
    assert head.status_code == 200
    assert head.content == b""
    size, tag = int(head.headers["content-length"]), head.headers["etag"]
    assert head.headers["accept-ranges"] == "bytes"
    assert tag.startswith('"')
    whole = ada.get(PARQUET)
    assert (len(whole.content), whole.headers["etag"]) == (size, tag)
    middle = ranged(ada, PARQUET, f"bytes=100-{size - 101}")
    assert middle.status_code == 206
    assert middle.headers["content-range"] == f"bytes 100-{size - 101}/{size}"
    assert middle.content == whole.content[100:-100]
    assert ranged(ada, PARQUET, "bytes=-8").content == whole.content[-8:]
    assert ranged(ada, PARQUET, f"bytes={size - 3}-{size + 99}").content == whole.content[-3:]
    beyond = ranged(ada, PARQUET, f"bytes={size}-")
    assert_problem(beyond, 416)
    assert beyond.headers["content-range"] == f"bytes */{size}"
    for ignored in ("bytes=0-1,4-5", "lines=0-1", "bytes=9-3", "bytes=-"):
        answer = ranged(ada, PARQUET, ignored)
        assert (answer.status_code, answer.content) == (200, whole.content)
    assert ada.get(PARQUET, headers={"If-None-Match": tag}).status_code == 304
    assert ada.get(PARQUET, headers={"If-Match": tag}).status_code == 200
    assert_problem(ada.get(PARQUET, headers={"If-Match": '"other"'}), 412)
    assert_problem(ada.get(PARQUET, headers={"If-Match": f"W/{tag}"}), 412)


def test_a_download_goes_on_with_its_own_bytes_or_begins_anew(clinic: Clinic) -> None:
    ada = clinic["ada"]
    first = ada.get(PARQUET)
    tag = first.headers["etag"]
    change(clinic)
    # What was begun is gone on with, by tag and without one.
    for headers in ({"If-Range": tag}, {"If-Match": tag}, {}):
        rest = ranged(ada, PARQUET, "bytes=50-", **headers)
        assert rest.status_code == 206
        assert first.content[:50] + rest.content == first.content
    newer = ada.get(PARQUET)
    assert newer.headers["etag"] != tag
    assert ranged(ada, PARQUET, "bytes=50-").content == newer.content[50:]
    assert ranged(ada, PARQUET, "bytes=50-", **{"If-Range": tag}).content == first.content[50:]
    for wrong in ('"0"', f"W/{tag}", "Fri, 27 Nov 2026 08:00:00 GMT"):
        whole = ranged(ada, PARQUET, "bytes=50-", **{"If-Range": wrong})
        assert (whole.status_code, whole.content) == (200, newer.content)
    # Of another program, which has begun nothing: the whole, not the end of other bytes.
    other = ranged(ada, PARQUET, "bytes=50-", **{"User-Agent": "another"})
    assert (other.status_code, other.content) == (200, newer.content)


def test_a_reading_that_began_with_head_stays_the_same(clinic: Clinic) -> None:
    ada = clinic["ada"]
    head = ada.head(PARQUET)
    change(clinic)
    again = ada.head(PARQUET)
    assert again.headers["etag"] == head.headers["etag"]
    size = int(head.headers["content-length"])
    tail = ranged(ada, PARQUET, f"bytes={size - 4}-{size - 1}")
    assert tail.content == b"PAR1"


def test_compressed_bytes_have_another_tag_and_no_ranges(clinic: Clinic) -> None:
    ada = clinic["ada"]
    path = "/v1/export/beats.csv"
    plain = ada.get(path, headers={"Accept-Encoding": "identity"})
    small = ada.get(path, headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["etag"] == f"W/{plain.headers['etag']}"
    assert small.headers["accept-ranges"] == "none"
    answer = ranged(ada, path, "bytes=0-9", **{"Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.content) == (206, plain.content[:10])
    assert "content-encoding" not in answer.headers
    unchanged = ada.get(path, headers={"If-None-Match": small.headers["etag"]})
    assert unchanged.status_code == 304
    assert "accept-encoding" in unchanged.headers["vary"].lower()


def test_whoever_takes_consent_back_is_in_no_range(clinic: Clinic) -> None:
    ann = clinic["ann"]
    fill(clinic.stores, clinic.people["ada"], days=1, weeks_ago=RELEASED_WEEKS)
    agree_together(clinic, "ada", people=6)
    path = "/v1/research/beats.csv"
    size = int(ann.head(path).headers["content-length"])
    assert len(ranged(ann, path, "bytes=200-").content) == size - 200
    clinic.agree("ada", Purpose.RESEARCH, given=False)
    assert int(ann.head(path).headers["content-length"]) < 200
    answer = ranged(ann, path, "bytes=200-")
    assert_problem(answer, 416)
    clinic.agree("other0", Purpose.RESEARCH, given=False)  # now they are too few
    assert_problem(ranged(ann, path, "bytes=0-"), 403, "Fewer than 5 people")


def test_a_withdrawal_and_a_removed_recording_leave_no_snapshot(clinic: Clinic) -> None:
    folder, ada = clinic.snapshots, clinic["ada"]
    (stream, *_) = ada.get("/v1/streams").json()["streams"]
    for last in (
        lambda: ada.post(
            "/v1/consents", json={"purpose": "research", "given": False, "wording": "test"}
        ),
        lambda: ada.delete(f"/v1/streams/{stream['id']}"),
    ):
        clinic["ada"].get(PARQUET)
        assert list(folder.glob("*.snapshot"))
        assert last().is_success
        assert list(folder.glob("*.snapshot")) == []


def test_an_erasure_deletes_every_snapshot(clinic: Clinic) -> None:
    folder = clinic.snapshots
    clinic["ada"].get(PARQUET)
    files = list(folder.glob("*.snapshot"))
    assert files
    assert folder.stat().st_mode & 0o077 == 0
    assert files[0].stat().st_mode & 0o077 == 0
    erase_person(clinic.stores, "ada@example.org", folder)
    assert list(folder.glob("*.snapshot")) == []


def test_a_server_that_starts_deletes_what_has_ended(stores: Stores, tmp_path: Path) -> None:
    folder = tmp_path / "export-snapshots"
    folder.mkdir(parents=True)
    names = ("a.b.c.snapshot", "a.pin", "a.part")
    for name in names:
        (folder / name).write_text("x")
        os.utime(folder / name, (0, time.time() - 3601))
    (folder / "d.e.f.snapshot").write_text("x")
    with opened_clinic(stores, tmp_path):
        deadline = time.monotonic() + 20
        while any((folder / name).exists() for name in names) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert [path.name for path in folder.iterdir()] == ["d.e.f.snapshot"]


def test_snapshots_end_and_have_a_quota(tmp_path: Path) -> None:
    store = Snapshots(tmp_path / "cache", 10_000, 100.0)
    made = [
        store.write(f"{k:040x}", f"{k:064x}", iter([bytes([k]) * 4000]), None) for k in range(4)
    ]
    assert all(isinstance(item, Snapshot) for item in made)
    left = [item for item in made if isinstance(item, Snapshot) and item.path.exists()]
    assert [item.path.name for item in left] == [
        item.path.name for item in made[2:] if isinstance(item, Snapshot)
    ]
    assert store.find_by_content(f"{3:040x}", f"{3:064x}") == made[3]
    os.utime(left[-1].path, (0, time.time() - 101))
    assert store.find_by_content(f"{3:040x}", f"{3:064x}") is None
    # Too large: given all the same, and nothing of it stays.
    chunks = [bytes([k]) * 3000 for k in range(5)]
    given = store.write("a" * 40, "b" * 64, iter(chunks), None)
    assert not isinstance(given, Snapshot)
    assert b"".join(given) == b"".join(chunks)
    assert list((tmp_path / "cache").glob("*.part")) == []
    # Too slow: it begins before it is whole, and is there for the next one.
    slow = store.write("c" * 40, "d" * 64, iter([b"1", b"2", b"3"]), -1.0)
    assert not isinstance(slow, Snapshot)
    assert b"".join(slow) == b"123"
    found = store.find_by_content("c" * 40, "d" * 64)
    assert found is not None
    assert found.path.read_bytes() == b"123"


def total_ticks(client: httpx.Client) -> int:
    rows = client.get("/v1/export/beats", params={"limit": 100_000}).json()["rows"]
    return sum(row["rr_ticks"] for row in rows)


def test_fsspec_reads_by_url(clinic: Clinic) -> None:
    ada = clinic["ada"]
    headers = {"Authorization": ada.headers["Authorization"]}
    with fsspec.open(f"{clinic.url}{PARQUET}", "rb", headers=headers, block_size=2**12) as file:
        assert file.size == int(ada.head(PARQUET).headers["content-length"])
        found = polars.read_parquet(file)
    assert found["rr_ticks"].sum() == total_ticks(ada)
    assert found["time"].dtype == polars.Datetime("ns", "UTC")


def test_duckdb_reads_by_url(clinic: Clinic) -> None:
    ada = clinic["ada"]
    folder = Path(duckdb_extension_httpfs.__file__).parent
    (extension,) = folder.rglob("httpfs.duckdb_extension")
    database = duckdb.connect()
    database.execute(f"LOAD '{extension}'")
    token = ada.headers["Authorization"]
    headers = f"MAP {{'Authorization': '{token}'}}"
    database.execute(f"CREATE SECRET (TYPE http, EXTRA_HTTP_HEADERS {headers})")
    query = "SELECT sum(rr_ticks)::BIGINT, max(time) - min(time) FROM "
    parquet = database.execute(f"{query} read_parquet('{clinic.url}{PARQUET}')").fetchone()
    csv_url = f"{clinic.url}/v1/export/beats.csv"
    csv = database.execute(f"{query} read_csv('{csv_url}')").fetchone()
    assert parquet == csv
    assert parquet is not None
    assert parquet[0] == total_ticks(ada)


class _WithToken(http.server.BaseHTTPRequestHandler):
    """Pass requests on with a token, which polars cannot send."""

    target, token = "", ""
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        words = self.headers.get("Range", "")
        self.seen.append(words)
        names = ("Range", "If-Range", "If-Match", "User-Agent")
        headers = {name: self.headers[name] for name in names if name in self.headers}
        answer = httpx.request(
            self.command,
            f"{self.target}{self.path}",
            headers={**headers, "Authorization": self.token, "Accept-Encoding": "identity"},
        )
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_polars_reads_by_url(clinic: Clinic) -> None:
    ada = clinic["ada"]
    _WithToken.target, _WithToken.token = clinic.url, ada.headers["Authorization"]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _WithToken) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{proxy.server_port}{PARQUET}"
        frame = polars.scan_parquet(url).select("rr_ticks").sum().collect()
        proxy.shutdown()
        thread.join()
    assert frame.item() == total_ticks(ada)
    assert any(words.startswith("bytes=") for words in _WithToken.seen)


def test_a_reading_without_a_beginning_by_head_sees_what_is_new(clinic: Clinic) -> None:
    """Polars begins with the end of the file: a minute later that is another reading."""
    ada = clinic["ada"]
    first = ranged(ada, PARQUET, "bytes=-100").headers["etag"]
    change(clinic)
    assert ranged(ada, PARQUET, "bytes=-100").headers["etag"] == first
    for pin in clinic.snapshots.glob("*.pin"):
        os.utime(pin, (0, time.time() - 61))
    assert ranged(ada, PARQUET, "bytes=4-9").headers["etag"] == first
    for pin in clinic.snapshots.glob("*.pin"):
        os.utime(pin, (0, time.time() - 61))
    assert ranged(ada, PARQUET, "bytes=-100").headers["etag"] != first


def test_curl_goes_on_where_it_stopped(clinic: Clinic, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        skip_or_fail("no curl on this machine (Debian: apt install curl)")
    token = clinic["ada"].headers["Authorization"]
    target, whole = tmp_path / "beats.parquet", tmp_path / "whole.parquet"
    call = ["curl", "-sS", "--fail", "-H", f"Authorization: {token}", f"{clinic.url}{PARQUET}"]
    subprocess.run([*call, "-o", str(whole)], check=True)
    target.write_bytes(whole.read_bytes()[:777])
    change(clinic)  # the rest is of the file that was begun
    subprocess.run([*call, "-o", str(target), "-C", "-"], check=True)
    assert target.read_bytes() == whole.read_bytes()
    # After the end of the snapshot, curl says so and does not glue two files together.
    for path in clinic.snapshots.iterdir():
        path.unlink()
    target.write_bytes(whole.read_bytes()[:777])
    done = subprocess.run([*call, "-o", str(target), "-C", "-"], capture_output=True, check=False)
    assert done.returncode == 33  # "HTTP server doesn't seem to support byte ranges"
    assert target.read_bytes() == whole.read_bytes()[:777]


def test_head_works_wherever_get_does(clinic: Clinic) -> None:
    document = httpx.get(f"{clinic.url}/openapi.json", timeout=60).json()
    now = "2026-11-27T00:00:00Z"
    tried = 0
    for path, methods in document["paths"].items():
        if "get" not in methods or "{patient}" in path or path.startswith("/v1/oidc"):
            continue
        path = path.replace("{table}", "sessions")
        if "{" in path:
            continue
        params = {"start": "2026-11-01T00:00:00Z", "end": now, "seconds": 1}
        for who in ("ada", "ann", "tom"):
            got = clinic[who].get(path, params=params, headers={"Accept-Encoding": ""})
            head = clinic[who].head(path, params=params)
            assert head.status_code == got.status_code, path
            assert head.content == b""
            assert head.headers["content-type"] == got.headers["content-type"], path
            if got.is_success and "content-length" in got.headers:
                tried += 1
    assert tried > 25
    assert "HEAD" in httpx.options(f"{clinic.url}/v1/ratings").headers["Allow"]


@pytest.mark.parametrize("path", ["/v1/export/beats.parquet", "/v1/export/hrv.csv"])
def test_any_tag_is_met_by_files_as_by_pages(clinic: Clinic, path: str) -> None:
    """RFC 9110, 13.1.2: `*` is false where there is something; of a GET the answer is 304."""
    ada, condition = clinic["ada"], {"If-None-Match": "*"}
    for url in (path, "/v1/export/beats", "/v1/ratings"):
        unconditional = ada.get(url).raise_for_status()
        for answer in (ada.get(url, headers=condition), ada.head(url, headers=condition)):
            assert (answer.status_code, answer.content) == (304, b""), url
            tag = answer.headers["etag"].removeprefix("W/").strip('"')
            assert unconditional.headers["etag"].removeprefix("W/").strip('"').startswith(tag)


def test_a_withdrawal_of_somebody_breaks_no_export_that_is_being_made(tmp_path: Path) -> None:
    """All files are deleted then, also those that are still written."""
    store = Snapshots(tmp_path / "cache", 10**6, 100.0)

    def chunks() -> Iterator[bytes]:
        yield b"a" * 3000
        store.clear()
        yield b"b" * 3000

    for wait_s in (None, 0.0):  # read at once when it is whole, and sent while it is made
        given = store.write("a" * 40, "b" * 64, chunks(), wait_s)
        assert not isinstance(given, Snapshot)
        assert b"".join(given) == b"a" * 3000 + b"b" * 3000
        assert list(store.folder.iterdir()) == []
