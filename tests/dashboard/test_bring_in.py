"""Bringing in a file with AppTest against a running API; the list of what was brought in."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from dashboard.components import file_job
from dashboard.components.brought_in import group_imports
from dashboard.components.file_job import FileJob, Spool
from dashboard.i18n import language
from dashboard.pages.bring_in import _describe_progress
from store.models import Purpose
from tests.support.clinic import Clinic, fill

RR = "\n".join(str(800 + 7 * (k % 9)) for k in range(300))
OTHER = "\n".join(str(810 + 7 * (k % 8)) for k in range(300))
NIGHT = "2026-11-24 07-00-00.txt"


def script() -> None:
    from dashboard.page_shell import with_shell
    from dashboard.pages.bring_in import PAGE

    with_shell(PAGE.run)()


def opened(clinic: Clinic) -> AppTest:
    test = AppTest.from_function(script, default_timeout=30)
    test.session_state["token"] = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
    test.session_state["me"] = clinic["ada"].get("/v1/me").json()
    test.run()
    assert not test.exception, test.exception
    return test


def dropped(test: AppTest, *files: tuple[str, str]) -> AppTest:
    """Drop files, and wait until they are read."""
    test.file_uploader[0].set_value([(n, c.encode(), "text/plain") for n, c in files]).run()
    return waited(test)


def waited(test: AppTest) -> AppTest:
    """Run the page again once the reader has answered, as its fragment does twice a second."""
    deadline = time.monotonic() + 60
    while (job := state(test).get("job")) is not None and job.is_running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    test.run()
    assert not test.exception, test.exception
    return test


def state(test: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = test.session_state["bring_in"]
    return found


def words(test: AppTest) -> str:
    parts: list[Any] = [*test.markdown, *test.caption, *test.subheader, *test.info, *test.success]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def press(test: AppTest, label: str) -> AppTest:
    next(button for button in test.button if button.label == label).click().run()
    assert not test.exception, test.exception
    return test


def labels(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


def streams(clinic: Clinic) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = clinic["ada"].get("/v1/streams").json()["streams"]
    return found


def test_a_file_is_kept_listed_and_taken_out(clinic: Clinic) -> None:
    strap = fill(clinic.stores, clinic.people["ada"], days=1)
    test = dropped(opened(clinic), (NIGHT, RR))
    table = words(test)
    for cell in (
        "| Time zone | Europe/Berlin |",
        "| Heartbeats | 300 |",
        "7:00",
        "| Counted in | milliseconds |",
    ):
        assert cell in table
    assert [stream["id"] for stream in streams(clinic)] == [strap.id]
    folder = state(test)["spool"].folder
    assert folder.stat().st_mode & 0o077 == 0
    waited(press(test, "Keep these"))
    assert "Kept: 300 heartbeats" in words(test)
    assert "*My trend* shows them now" in words(test)
    assert not folder.exists()
    assert len(streams(clinic)) == 2
    press(test, "Take out")
    assert len(streams(clinic)) == 2
    press(test, "Leave it")
    press(press(test, "Take out"), "Yes, take it out")
    assert f"{NIGHT} is taken out" in words(test)
    assert [stream["id"] for stream in streams(clinic)] == [strap.id]


def test_a_date_in_front_is_no_list(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    german = Locale.parse("de")
    monkeypatch.setattr(language, "reader_locale", lambda: german)
    waited(press(dropped(opened(clinic), (NIGHT, RR)), "Diese speichern"))
    (line,) = (one.value for one in opened(clinic).caption if "300 Herzschläge" in one.value)
    assert re.match(r"\d+\\. \w+ \d{4}", line)
    assert "<li>" not in MarkdownIt("commonmark").render(line)


def test_nothing_can_be_kept_while_a_question_is_open(clinic: Clinic) -> None:
    test = dropped(opened(clinic), (NIGHT, "\n".join(str(245 + k % 9) for k in range(300))))
    assert "may be milliseconds" in words(test)
    assert "Keep these" not in labels(test)
    press(test, "Go on")
    assert "Please choose one first." in words(test)
    assert test.radio[0].options == [
        "milliseconds (numbers around 800)",
        "1/256 of a second (numbers around 205)",
    ]
    test.radio[0].set_value("1/256")
    waited(press(test, "Go on"))
    assert "1/256 of a second" in words(test)
    assert "Keep these" in labels(test)
    folder = state(test)["spool"].folder
    press(test, "Not these")
    assert not folder.exists() and streams(clinic) == []


def test_what_was_read_wrongly_can_be_put_right(clinic: Clinic) -> None:
    test = dropped(opened(clinic), (NIGHT, RR))
    zone = next(box for box in test.selectbox if "time zone" in box.label)
    zone.set_value("America/New_York")
    waited(press(test, "Read it again"))
    assert "| Time zone | America/New York |" in words(test)
    waited(press(test, "Keep these"))
    (stream,) = streams(clinic)
    assert stream["first_beat"].startswith("2026-11-24T12:00:00")


@pytest.mark.parametrize(
    ("days", "said"),
    [(3, "*My trend* shows them now."), (60, "choose 3 months"), (600, "older than *My trend*")],
)
def test_where_it_shows_depends_on_how_old_it_is(clinic: Clinic, days: int, said: str) -> None:
    morning = datetime.now(UTC) - timedelta(days=days)
    test = dropped(opened(clinic), (f"{morning:%Y-%m-%d %H-%M-%S}.txt", RR))
    waited(press(test, "Keep these"))
    assert said in words(test)


def test_of_many_files_each_is_folded_and_what_is_refused_stays_out(clinic: Clinic) -> None:
    days = [(f"2026-11-{day} 07-00-00.txt", RR.replace("800", str(780 + day))) for day in (2, 3, 4)]
    test = dropped(
        opened(clinic),
        *((f"2026-11-0{n[8]} 07-00-00.txt", c) for n, c in days),
        ("notes.txt", "a good day\n"),
    )
    folded = [box.label.replace("\\", "") for box in test.expander]
    assert "notes.txt: not read" in folded
    assert "2026-11-02 07-00-00.txt: 300 heartbeats" in folded
    assert "3 of 4 files would be kept." in words(test)
    waited(press(test, "Keep these"))
    assert "Kept: 900 heartbeats" in words(test)


def test_the_same_file_again_brings_nothing(clinic: Clinic) -> None:
    test = waited(press(dropped(opened(clinic), (NIGHT, RR)), "Keep these"))
    dropped(test, (NIGHT, RR))
    assert "here already" in words(test)
    assert "Keep these" not in labels(test)
    press(test, "Choose another file")
    dropped(test, ("2026-11-24 09-00-00.txt", RR))
    assert "the very same intervals are there already, 2 h earlier" in words(test)
    assert "Keep these" not in labels(test)
    test.checkbox[0].check().run()
    waited(press(test, "Keep these"))
    assert len(streams(clinic)) == 2


def test_what_was_brought_in_can_be_taken_out_without_consent_to_keeping(clinic: Clinic) -> None:
    waited(press(dropped(opened(clinic), (NIGHT, RR)), "Keep these"))
    clinic.agree("ada", Purpose.KEEPING, given=False)
    test = opened(clinic)
    assert not test.file_uploader
    press(press(test, "Take out"), "Yes, take it out")
    assert streams(clinic) == []


def test_a_withdrawal_while_reading_keeps_nothing_and_says_so(clinic: Clinic) -> None:
    test = dropped(opened(clinic), (NIGHT, RR))
    clinic.agree("ada", Purpose.KEEPING, given=False)
    test.run()
    assert "Keep these" not in labels(test)
    press(test, "Yes, I agree")
    assert "Keep these" in labels(test)
    clinic.agree("ada", Purpose.KEEPING, given=False)
    spool, item = state(test)["spool"], state(test)["files"][0]["item"]
    job = FileJob(
        spool,
        {
            "action": "keep",
            "items": [item],
            "api_url": clinic.url,
            "token": test.session_state["token"],
            "account": clinic.id("ada"),
            "zone": "Europe/Berlin",
        },
    )
    finished(job)
    assert job.answer is None and "consent" in str(job.error)
    assert streams(clinic) == []


def test_too_much_at_once_is_refused_before_it_is_read(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.pages.bring_in.MAX_FILES", 1)
    test = opened(clinic)
    test.file_uploader[0].set_value(
        [(NIGHT, b"800", "text/plain"), ("b.txt", b"800", "text/plain")]
    ).run()
    assert "more than 1 files or 200 MB at once" in words(test)
    assert "job" not in state(test)


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    spool = Spool()
    items = spool.add(
        [
            (name, memoryview(b"x"))
            for name in ("../../etc/x", "C:\\x\\y.csv", "..", "a\0b", "n" * 400)
        ]
    )
    assert [item["name"] for item in items][:4] == ["x", "y.csv", "file", "ab"]
    for item in items:
        assert Path(item["path"]).resolve().is_relative_to(spool.folder.resolve())
    folder = spool.folder
    del spool
    assert not folder.exists()  # with the session


def test_what_a_killed_process_left_is_deleted_a_day_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, new = tmp_path / "ebbtide-import-old", tmp_path / "ebbtide-import-new"
    for folder in (old, new):
        folder.mkdir()
    day_ago = time.time() - 90_000
    os.utime(old, (day_ago, day_ago))
    Spool().delete()
    assert not old.exists() and new.exists()


def test_a_reader_that_is_stopped_or_dies_leaves_the_page_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spool = Spool()
    request = {"action": "read", "items": [], "account": "a", "zone": "UTC", "token": "t"}
    died = FileJob(spool, request)  # without an address of the API: it ends with an exception
    finished(died)
    assert (died.answer, died.error) == (None, "")
    monkeypatch.setattr(file_job, "_AT_ONCE", file_job.threading.BoundedSemaphore(1))
    with file_job._AT_ONCE:
        waiting = FileJob(spool, request)
        time.sleep(0.1)
        assert (waiting.step, waiting.is_running, waiting.seconds_left) == ("wait", True, None)
        waiting._state.stop()
    finished(waiting)
    assert waiting.answer is None


def finished(job: FileJob) -> None:
    deadline = time.monotonic() + 60
    while job.is_running:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stream(number: int, source: str, origin: str = "file") -> dict[str, Any]:
    moment = f"2026-11-{number:02}T07:00:00+00:00"
    return {
        "id": f"id{number}",
        "source": source,
        "origin": origin,
        "first_beat": moment,
        "last_beat": moment,
        "beats": 10,
    }


def test_the_recordings_of_one_file_are_one_import() -> None:
    found = group_imports(
        [
            stream(1, "Polar H10 A1B2 (chest)", "strap"),
            stream(2, "Polar Sense 1234", "pulse"),
            stream(3, "Ada's Watch (Apple Health)"),
            stream(4, "Band (2) (Apple Health)"),
            stream(5, "training-session-1.json (Polar JSON)"),
            stream(6, "training-session-1.json (Polar JSON)"),
            stream(7, "night.csv (RR intervals)"),
            stream(8, "night.csv (RR intervals)"),  # another file of that name
            stream(9, "ppi.csv (Pulse intervals, PPI)", "pulse"),
        ]
    )
    assert [(one["name"], one["kind"], one["ids"]) for one in found] == [
        ("ppi.csv", "Pulse intervals", ["id9"]),
        ("night.csv", "RR intervals", ["id8"]),
        ("night.csv", "RR intervals", ["id7"]),
        ("training-session-1.json", "Polar JSON", ["id5", "id6"]),
        ("Apple Health", "Ada's Watch, Band (2)", ["id3", "id4"]),
    ]


def test_the_time_left_is_said_once_it_is_no_guess() -> None:
    job = FileJob(Spool(), {"action": "read", "items": []})
    finished(job)
    job.step, job.name = "read", "night.txt"
    began = time.monotonic()
    for fraction, seconds, said in (
        (0.5, 0.5, "Reading night\\.txt"),
        (0.01, 60.0, "Reading night\\.txt"),
        (0.5, 20.0, "Reading night\\.txt: less than a minute left"),
        (0.25, 60.0, "Reading night\\.txt: about 3 min left"),
    ):
        job.fraction, job._began_s = fraction, began - seconds
        assert _describe_progress(job) == said
