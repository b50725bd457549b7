"""The process that reads files for the pages: what it answers, what it brings in, its bounds."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.server.thread import ApiThread
from ebbtide.errors import EbbtideError
from ingest.files import archive
from ingest.files.import_worker import answer_request
from store import Stores
from store.models import Consent, Purpose
from tests.conftest import ROOT
from tests.support.health_export import health_export

EXAMPLES = Path(__file__).parent / "examples"
NIGHT = "2026-11-24 07-00-00.txt"
RR = "\n".join(str(800 + 7 * (k % 9)) for k in range(300))


class Pages:
    """Requests as the pages send them, for one patient."""

    def __init__(self, folder: Path, api: ApiThread, client: httpx.Client) -> None:
        self.folder = folder / "spool"
        self.folder.mkdir()
        self.client = client
        self.progress: list[dict[str, Any]] = []
        me = client.get("/v1/me").json()
        token = client.headers["Authorization"].removeprefix("Bearer ")
        self.common = {
            "api_url": api.url,
            "token": token,
            "account": me["id"],
            "zone": me["zone"],
            "folder": str(self.folder),
        }

    def request(self, action: str, *items: dict[str, Any]) -> dict[str, Any]:
        return {**self.common, "action": action, "items": list(items)}

    def read(self, *items: dict[str, Any]) -> list[dict[str, Any]]:
        answer = answer_request(self.request("read", *items), self.progress.append)
        files: list[dict[str, Any]] = answer["files"]
        return files

    def keep(self, *items: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = answer_request(self.request("keep", *items), self.progress.append)
        return answer

    def streams(self) -> list[dict[str, Any]]:
        streams: list[dict[str, Any]] = self.client.get("/v1/streams").json()["streams"]
        return streams

    def file(self, name: str, content: str | bytes, **choice: str) -> dict[str, Any]:
        path = self.folder / f"{len(list(self.folder.iterdir()))}" / name
        path.parent.mkdir()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return {"path": str(path), "name": name, "choice": choice}


@pytest.fixture
def pages(tmp_path: Path, api: ApiThread, client: httpx.Client) -> Pages:
    return Pages(tmp_path, api, client)


def test_a_file_is_read_and_nothing_is_stored_until_it_is_kept(pages: Pages) -> None:
    item = pages.file(NIGHT, RR)
    (file,) = pages.read(item)
    assert (file["beats"], file["new_beats"], file["what"]) == (300, 300, None)
    assert (file["format"], file["zone"], file["read_as"]["unit"]) == (
        "RR intervals",
        "Europe/Berlin",
        "ms",
    )
    assert file["begin"].startswith("2026-11-24T06:00:00")
    assert pages.streams() == []
    assert pages.keep(item) == {"beats": 300, "new_beats": 300, "files": 1}
    (stream,) = pages.streams()
    assert (stream["beats"], stream["source"]) == (300, f"{NIGHT} (RR intervals)")
    assert pages.progress[-1]["fraction"] <= 1
    (again,) = pages.read(item)
    assert (again["new_beats"], again["same"]) == (0, None)
    assert pages.keep(item)["new_beats"] == 0


def test_the_same_intervals_at_another_time_are_found(pages: Pages) -> None:
    pages.keep(pages.file(NIGHT, RR))
    (moved,) = pages.read(pages.file("2026-11-24 09-00-00.txt", RR))
    assert "the very same intervals are there already, 2 h earlier" in moved["same"]


@pytest.mark.parametrize(
    ("name", "content", "asked"),
    [
        (NIGHT, "\n".join(str(245 + k % 9) for k in range(300)), {"unit": ("ms", "1/256")}),
        ("morning.txt", RR, {"start": ()}),
        (
            NIGHT,
            "rr_a,rr_b\n" + "\n".join(f"{800 + k % 9},{900 + k % 7}" for k in range(300)),
            {"column": ("rr_a", "rr_b")},
        ),
    ],
)
def test_a_question_has_its_readings_and_an_answer_is_taken(
    pages: Pages, name: str, content: str, asked: dict[str, tuple[str, ...]]
) -> None:
    item = pages.file(name, content)
    (file,) = pages.read(item)
    assert file["asks"] == asked
    assert str(pages.folder) not in file["what"]
    (choice,) = asked
    answer = asked[choice][1] if asked[choice] else "2026-11-20T21:30:00"
    (read,) = pages.read({**item, "choice": {choice: answer}})
    assert (read["what"], read["new_beats"]) == (None, 300)


def test_a_file_without_beats_says_so_in_the_importers_words(pages: Pages) -> None:
    picture, rates = pages.read(
        pages.file("x.png", b"\x89PNG" + bytes(40)),
        pages.file("rates.csv", "time,heart_rate\n0,60\n1,61\n2,62\n"),
    )
    assert picture["what"] == "The file is a picture (PNG), which is not read."
    assert picture["remedy"] and not picture["asks"]
    assert "heart rates" in rates["what"]


def test_a_remedy_has_no_option_of_the_command_line_and_asks_for_what_it_named(
    pages: Pages,
) -> None:
    (file,) = pages.read(pages.file(NIGHT, "no\nnumbers\nhere\n"))
    assert file["shows_remedy"] and "--" not in file["remedy"]
    assert set(file["asks"]) == {"column"}


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_format_is_read_kept_and_seen_again(pages: Pages, path: Path) -> None:
    item = pages.file(path.name, path.read_bytes())
    (file,) = pages.read(item)
    if file["asks"]:
        assert set(file["asks"]) == {"start"}
        item["choice"] = {"start": "2026-11-20T21:30:00"}
        (file,) = pages.read(item)
    assert file["what"] is None and file["new_beats"] == file["beats"] > 0
    assert pages.keep(item)["new_beats"] == file["beats"]
    assert pages.read(item)[0]["new_beats"] == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("takeout.zip", "Fitbit"),
        ("samsunghealth.zip", "Samsung Health"),
        ("health_connect.zip", "Health Connect"),
        ("physiological_cycles.csv", "WHOOP"),
        ("oura_sleep.json", "Oura"),
    ],
)
def test_exports_of_watches_are_read_as_nights(pages: Pages, name: str, why: str) -> None:
    path = ROOT / "tests" / "ingest" / "nights" / "examples" / name
    (file,) = pages.read(pages.file(name, path.read_bytes()))
    assert (file["format"], file["what"], file["beats"]) == (why, None, 0)
    assert file["new_nights"] == file["nights"] >= 25


def test_a_zip_of_several_files_is_read_file_by_file(pages: Pages, tmp_path: Path) -> None:
    path = tmp_path / "days.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"a/{NIGHT}", RR)
        packed.writestr("b/2026-11-25 07-00-00.txt", RR.replace("800", "790"))
        packed.writestr("b/notes.txt", "a good day\n")
        packed.writestr("__MACOSX/b/._notes.txt", "x")
        packed.writestr("../../outside 2026-11-26 07-00-00.txt", RR.replace("800", "780"))
    files = pages.read(pages.file("days.zip", path.read_bytes()))
    read = [file for file in files if file["what"] is None]
    assert {file["item"]["name"] for file in read} == {
        f"{NIGHT} (days.zip)",
        "2026-11-25 07-00-00.txt (days.zip)",
        "outside 2026-11-26 07-00-00.txt (days.zip)",
    }
    assert all(Path(file["item"]["path"]).is_relative_to(pages.folder) for file in files)
    assert [file["item"]["name"] for file in files if file["what"]] == ["notes.txt (days.zip)"]
    assert pages.keep(*(file["item"] for file in read))["new_beats"] == 900
    assert len(pages.streams()) == 3


def test_what_a_zip_unpacks_to_is_bounded(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("a.txt", "b.txt"):
            packed.writestr(name, b"0" * 3_000_000)
    item = pages.file("bomb.zip", path.read_bytes())
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 4_000_000)
    (refused,) = pages.read(item)
    assert "larger than 4 MB when unpacked" in refused["what"]
    monkeypatch.setattr(archive, "MAX_MEMBERS", 1)
    (refused,) = pages.read(item)
    assert "holds 2 files; 1 are read at a time" in refused["what"]


def test_a_longer_health_export_adds_what_is_new_from_an_empty_outbox(pages: Pages) -> None:
    two, three = (pages.file("export.xml", health_export(count)) for count in (2, 3))
    assert pages.keep(two)["new_beats"] == 34
    (file,) = pages.read(three)
    assert (file["beats"], file["new_beats"]) == (51, 17)
    assert pages.keep(three)["new_beats"] == 17
    assert pages.read(two)[0]["new_beats"] == 0
    assert [stream["beats"] for stream in pages.streams()] == [51]


def test_a_measurement_deleted_since_shifts_no_other_in_the_store(pages: Pages) -> None:
    text = health_export(4)
    records = text.split("<Record type=")
    less = "<Record type=".join([*records[:3], *records[4:]])
    pages.keep(pages.file("export.xml", health_export(3)))
    item = pages.file("export.xml", less)
    assert pages.read(item)[0]["new_beats"] == 51
    assert pages.keep(item)["new_beats"] == 51
    assert sorted(stream["beats"] for stream in pages.streams()) == [51, 51]
    assert pages.read(item)[0]["new_beats"] == 0


def test_no_beat_enters_before_keeping_is_agreed_to(pages: Pages, stores: Stores) -> None:
    account = pages.common["account"]
    stores.records.add_consent(
        Consent(account, Purpose.KEEPING, given=False, wording="test, 1", at_ns=stores.now())
    )
    with pytest.raises(EbbtideError, match="consent"):
        pages.keep(pages.file(NIGHT, RR))
    assert pages.streams() == []


def test_a_recording_of_the_future_is_a_question(pages: Pages) -> None:
    (file,) = pages.read(pages.file("2098-11-24 07-00-00.txt", RR))
    assert "in the future" in file["what"]
    assert set(file["asks"]) == {"start", "zone"}


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is bounded on Linux")
def test_more_memory_than_a_page_may_take_is_refused_in_words(pages: Pages) -> None:
    words = "import ingest.files.import_worker as w; w._MAX_MEMORY_BYTES = {}; w.main()"
    item = pages.file(NIGHT, b"8" * 120_000_000)
    done = subprocess.run(
        [sys.executable, "-c", words.format(300 << 20)],
        input=json.dumps(pages.request("read", item)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={"OPENBLAS_NUM_THREADS": "1"},
    )
    (refused,) = json.loads(done.stdout.splitlines()[-1])["answer"]["files"]
    assert "more memory" in refused["what"]


def test_a_file_of_heart_rates_alone_is_brought_in(pages: Pages) -> None:
    lines = [f"2026-11-20T08:{k // 60:02}:{k % 60:02}Z,{60 + k % 9}" for k in range(300)]
    item = pages.file("watch.csv", "time,heart_rate\n" + "\n".join(lines))
    (read,) = pages.read(item)
    assert (read["what"], read["beats"], read["rates"], read["new_beats"]) == (None, 0, 300, 300)
    assert read["begin"].startswith("2026-11-20T08:00:00")
    assert read["end"].startswith("2026-11-20T08:04:59")
    kept = pages.keep(item)
    assert (kept["beats"], kept["new_beats"], kept["new_rates"]) == (0, 0, 300)
    (stream,) = pages.streams()
    assert (stream["beats"], stream["rates"], stream["origin"]) == (0, 300, "file")
    assert stream["first_beat"].startswith("2026-11-20T08:00:00")
    (again,) = pages.read(item)
    assert again["new_beats"] == 0
