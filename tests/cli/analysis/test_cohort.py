"""``ebbtide cohort``: each person once, whatever becomes of workers, files and consent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from analytics import group_link, within_person_link
from analytics.hrv.windows import WINDOW_NS, BeatArrays, hrv_windows
from analytics.practice import PersonDraws, offer_effect
from benchmarks.cohort_lake import TABLES, name_of, replace_table, write_lake
from cli.analysis.cohort.run import CohortRun, _Here, open_executor, run_cohort
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, HOUR
from tests.conftest import ROOT
from tests.support.command_line import run_ebbtide

PEOPLE = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "lake"
    write_lake(str(folder), PEOPLE, 30, with_beats=(5, 2), buckets=3)
    return folder


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Path:
    """A copy of its own."""
    subprocess.run(["cp", "-r", str(made), str(tmp_path / "lake")], check=True)
    return tmp_path / "lake"


def run(what: str, lake: Path, executor: Executor | None = None, out: str = "out") -> CohortRun:
    target = str(lake.parent / out)
    return run_cohort(what, str(lake), target, executor or _Here(), 1, lambda *_: None)


def rows(lake: Path, kind: str, out: str = "out", order: str = "ALL") -> list[dict[str, Any]]:
    found = duckdb.sql(
        f"SELECT * EXCLUDE (filename) FROM read_parquet('{lake.parent / out}/{kind}/**/*.parquet', "
        f"filename = true, hive_partitioning = false) ORDER BY {order}"
    )
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def table(lake: Path, query: str) -> Any:
    views = " ".join(
        f"CREATE VIEW {name} AS SELECT * FROM "
        f"read_parquet('{lake}/{name}/**/*.parquet', hive_partitioning = false);"
        for name in TABLES
    )
    with duckdb.connect() as database:
        database.execute(views)
        return database.execute(query).fetchnumpy()


def test_windows_are_those_of_all_beats_of_a_person_at_once(lake: Path) -> None:
    done = run("hrv", lake)
    found = rows(lake, "hrv", order="person, start_ns")
    assert (done.people, done.rows) == (5, len(found))
    assert {row["person"] for row in found} == {name_of(number) for number in range(5)}
    for number in range(5):
        name = name_of(number)
        own = table(lake, f"SELECT * FROM beats WHERE person = '{name}' ORDER BY time_ns")
        count = len(own["time_ns"])
        beats = BeatArrays(
            np.asarray(own["time_ns"]),
            np.asarray(own["rr_ticks"]) / 1024 * 1000,
            np.asarray(own["follows"]),
            np.ones(count, np.int8),
            np.zeros(count, np.int32),
        )
        starts = np.unique(beats.time_ns // WINDOW_NS * WINDOW_NS)
        whole = hrv_windows(beats, starts, WINDOW_NS)
        mine = [row for row in found if row["person"] == name]
        assert [row["start_ns"] for row in mine] == starts.tolist()
        for metric in ("rmssd_ms", "mean_hr_bpm"):
            values = np.array([row[metric] for row in mine], dtype=float)
            np.testing.assert_allclose(values, whole.value(metric), rtol=1e-9)
        assert np.isfinite(whole.value("rmssd_ms")).mean() > 0.9
    assert {one.why for one in done.left_out} == {"no beats"}
    assert [one.person for one in done.left_out] == [name_of(k) for k in range(5, PEOPLE)]


def test_links_are_those_of_analytics(lake: Path) -> None:
    done = run("link", lake)
    assert (done.people, done.left_out) == (PEOPLE, [])
    counted = table(
        lake,
        "SELECT person, about_ns, stress, pain FROM ratings LEFT JOIN "
        "(SELECT person, prompt, reason FROM prompts) USING (person, prompt) "
        "WHERE reason IS NULL OR reason <> 'heart' ORDER BY person, about_ns",
    )
    who = np.asarray(counted["person"]).astype(str)
    time_ns = np.asarray(counted["about_ns"])
    stress, pain = (np.asarray(counted[name], dtype=float) for name in ("stress", "pain"))
    own = {row["person"]: row for row in rows(lake, "link")}
    assert sorted(own) == [name_of(number) for number in range(PEOPLE)]
    for name, row in own.items():
        mine = who == name
        hour = time_ns[mine] % DAY / HOUR
        link = within_person_link(time_ns[mine], stress[mine], pain[mine], hour)
        assert row["ratings"] == link.n == 114
        assert (row["estimate"], row["low"]) == (link.estimate, link.low)
        assert row["verdict"] == "moved together"
        assert "does not show that one brings the other" in row["caveats"][0]
    held = table(lake, "SELECT person, held_ns FROM sessions ORDER BY person, held_ns")
    names, subject = np.unique(who, return_inverse=True)
    sessions = (
        np.searchsorted(names, np.asarray(held["person"]).astype(str)),
        np.asarray(held["held_ns"]) / DAY,
    )
    hours = time_ns % DAY / HOUR
    group = group_link(
        subject, time_ns / DAY, stress, pain, hours, sessions=sessions, first_weekday=3
    )
    (cohort,) = rows(lake, "link_cohort")
    assert (cohort["people"], cohort["ratings"]) == (PEOPLE, len(who))
    assert (cohort["estimate"], cohort["p_value"]) == (group.estimate, group.p_value)
    assert cohort["verdict"].startswith("Rated pain and rated stress moved together")
    assert cohort["simulated"]


def test_practice_by_lot_is_that_of_analytics(lake: Path) -> None:
    done = run("practice", lake)
    assert (done.people, done.rows, done.left_out) == (PEOPLE, 2 * PEOPLE, [])
    found = {(row["person"], row["outcome"]): row for row in rows(lake, "practice")}
    assert len(found) == 2 * PEOPLE
    own = table(
        lake, f"SELECT * FROM decision_points WHERE person = '{name_of(3)}' ORDER BY planned_ns"
    )
    time_ns = np.asarray(own["planned_ns"])
    draws = PersonDraws(
        time_ns, own["probability"], own["offered"], own["base_probability"], list(own["block"])
    )
    before = {
        "stress before": np.asarray(own["stress_before"], dtype=float),
        "pain before": np.asarray(own["pain_before"], dtype=float),
        "hour": time_ns % DAY / HOUR,
        "day": (time_ns // DAY - time_ns[0] // DAY).astype(float),
    }
    outcome = np.asarray(own["stress_after"], dtype=float)
    effect = offer_effect(draws, outcome, before, resamples=999)
    row = found[name_of(3), "stress"]
    assert row["estimate"] == pytest.approx(effect.estimate)
    assert effect.test is not None
    assert row["p_value"] == effect.test.p_value
    (cohort,) = rows(lake, "practice_cohort")
    assert cohort["people"] == PEOPLE
    assert cohort["stress_low"] < -1 < cohort["stress_high"] < 0
    assert "stress was lower than without" in cohort["sentences"][0]


def test_of_few_people_nothing_is_said_together(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    write_lake(str(lake), 4, 30)
    run("link", lake)
    (cohort,) = rows(lake, "link_cohort")
    assert (cohort["estimate"], cohort["people"]) == (None, 4)
    assert cohort["verdict"].startswith(
        "Not enough yet to say whether pain moved with stress: 4 of"
    )
    run("practice", lake)
    (offers,) = rows(lake, "practice_cohort")
    assert offers["stress_estimate"] is None
    assert "4 people have 10 moments with all ratings; at least 8 are" in offers["sentences"][0]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as running:
        yield running.scheduler_address


@pytest.mark.parametrize("what", ["hrv", "link"])
def test_a_killed_worker_changes_nothing(
    what: str, lake: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that there are tasks left when a worker is killed.
    monkeypatch.setitem(__import__("cli.analysis.cohort.tasks", fromlist=["x"])._GROUP_PEOPLE,
                        what, 1)  # fmt: skip
    alone = run(what, lake)
    killed: list[int] = []
    with open_executor(cluster, None) as (executor, max_tasks):
        pids = list(executor._client.run(os.getpid).values())  # type: ignore[attr-defined]

        def kill_one(done: int, total: int) -> None:
            if not killed and done < total:
                os.kill(pids[0], signal.SIGKILL)
                killed.append(done)

        target = str(lake.parent / "cluster")
        shared = run_cohort(what, str(lake), target, executor, max_tasks, kill_one)
    assert killed
    assert (shared.people, shared.rows, shared.files) == (alone.people, alone.rows, alone.files)
    for kind in (what,) if what == "hrv" else (what, f"{what}_cohort"):
        assert rows(lake, kind, "cluster") == rows(lake, kind) != []
    left = [path for path in (lake.parent / "cluster").rglob("*") if ".part" in path.name]
    assert left == []


def test_memory_does_not_grow_with_the_people(tmp_path: Path) -> None:
    """In one process, whose peak is measured after a few people and after many."""
    peaks = {}
    for people in (2, 16):
        folder = tmp_path / f"{people}"
        write_lake(str(folder), people, 1, with_beats=(people, 2), buckets=1)
        code = (
            "import sys\n"
            "from cli.analysis.cohort.run import _Here, run_cohort\n"
            "done = run_cohort('hrv', sys.argv[1], sys.argv[1] + '-out', _Here(), 1, print)\n"
            "print(max(done.peak_mb.values()), done.people)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        peak, count = done.stdout.splitlines()[-1].split()
        assert int(count) == people
        peaks[people] = float(peak)
    assert peaks[16] < peaks[2] + 25, peaks


def test_a_broken_file_is_named_and_the_rest_kept(lake: Path) -> None:
    whole = {row["person"] for row in rows(lake, "link")} if run("link", lake) else set()
    file = next(iter(sorted((lake / "ratings").rglob("rows.parquet"))))
    bucket = file.parent.parent.name
    theirs = set(pq.read_table(file, columns=["person"])["person"].to_pylist())
    content = file.read_bytes()
    for broken in (content[:-40], b"PAR1" + bytes(len(content) - 8) + b"PAR1"):
        file.write_bytes(broken)
        done = run("link", lake)
        assert {row["person"] for row in rows(lake, "link")} == whole - theirs != set()
        (named,) = (one for one in done.left_out if one.partition)
        assert named.partition.startswith(f"ratings/{bucket}/month=")
        (cohort,) = rows(lake, "link_cohort")
        assert cohort["people"] == len(whole - theirs)
    # Beats of other months stay what they are.
    beats = next(iter((lake / "beats").rglob("rows.parquet")))
    file.write_bytes(content)
    beats.unlink()
    others = {row["person"] for row in table_of(lake)}
    if others:
        done = run("hrv", lake)
        assert {row["person"] for row in rows(lake, "hrv")} == others
        assert any(one.partition.startswith("beats/") for one in done.left_out)


def table_of(lake: Path) -> list[dict[str, Any]]:
    files = sorted((lake / "beats").rglob("rows.parquet"))
    return [
        {"person": name}
        for file in files
        for name in pq.read_table(file, columns=["person"])["person"].unique().to_pylist()
    ]


def test_a_damaged_page_leaves_out_the_people_who_need_it(lake: Path) -> None:
    """The names can be read, other columns cannot."""
    file = sorted((lake / "decision_points").rglob("rows.parquet"))[0]
    column = (
        pq.ParquetFile(file)
        .metadata.row_group(0)
        .column(pq.ParquetFile(file).schema_arrow.names.index("probability"))
    )
    content = bytearray(file.read_bytes())
    begin = column.dictionary_page_offset or column.data_page_offset
    content[begin : begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    theirs = set(pq.read_table(file, columns=["person"])["person"].to_pylist())
    file.write_bytes(bytes(content))
    done = run("practice", lake)
    kept = {row["person"] for row in rows(lake, "practice")}
    assert kept == {name_of(number) for number in range(PEOPLE)} - theirs != set()
    assert {one.person for one in done.left_out if one.person} == theirs


def test_a_person_whose_data_cannot_be_is_left_out_alone(lake: Path) -> None:
    file = sorted((lake / "decision_points").rglob("rows.parquet"))[0]
    found = pq.read_table(file)
    person = found["person"][0].as_py()
    chance = found["probability"].to_pylist()
    chance[found["person"].to_pylist().index(person)] = 2.0
    place = found.column_names.index("probability")
    pq.write_table(found.set_column(place, "probability", [chance]), file)
    done = run("practice", lake)
    assert [(one.person, one.why[:25]) for one in done.left_out] == [
        (person, "probability of draw 1 is ")
    ]
    assert done.people == PEOPLE - 1


def test_what_a_lake_lacks_is_said(lake: Path, tmp_path: Path) -> None:
    state = json.loads((lake / "_lake.json").read_text())

    def write(**changes: Any) -> None:
        (lake / "_lake.json").write_text(json.dumps({**state, **changes}))

    without = {name: files for name, files in state["partitions"].items() if name != "prompts"}
    write(partitions=without)
    with pytest.raises(EbbtideError, match=r"has no whole table prompts.*--table prompts"):
        run("link", lake)
    run("practice", lake)  # which needs none
    write(version=0)
    with pytest.raises(EbbtideError, match="another version of Ebbtide"):
        run("link", lake)
    write(partitions={**state["partitions"], "decision_points": {}})
    with pytest.raises(EbbtideError, match=r"Nobody in the lake has a result: .*no draws"):
        run("practice", lake)
    write()
    for file in (lake / "ratings").rglob("rows.parquet"):
        pq.write_table(pq.read_table(file, partitioning=None).drop_columns(["prompt"]), file)
    with pytest.raises(EbbtideError, match=r"No part of.*has no column prompt"):
        run("link", lake)
    with pytest.raises(EbbtideError, match="holds no lake of Ebbtide"):
        run("link", tmp_path / "nothing")


def test_results_do_not_outlive_consent(lake: Path) -> None:
    run("link", lake)
    assert (lake.parent / "out/_link.json").exists()
    replace_table(str(lake), "ratings", range(1, PEOPLE), 30, buckets=3)
    done = run("link", lake)
    assert name_of(0) not in {row["person"] for row in rows(lake, "link")}
    # Prompts of the person are still in the lake: renewed was one table of it.
    assert [(one.person, one.why) for one in done.left_out] == [(name_of(0), "no ratings")]


def test_a_lake_that_is_renewed_meanwhile_leaves_no_results(lake: Path) -> None:
    def renew(*_: int) -> None:
        replace_table(str(lake), "ratings", range(1, PEOPLE), 30, buckets=3)

    with pytest.raises(EbbtideError, match="was renewed while this ran"):
        run_cohort("link", str(lake), str(lake.parent / "out"), _Here(), 1, renew)
    assert list((lake.parent / "out").rglob("*.parquet")) == []


class Failing(Executor):
    """Works here; each task of one bucket ends the worker."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        from distributed.scheduler import KilledWorker

        if fn.__name__ == "run_group" and args[0].bucket == "bucket=01":
            done: Future[Any] = Future()
            done.set_exception(KilledWorker("task", None, 4))
            return done
        return _Here().submit(fn, *args)


def test_a_group_that_ends_every_worker_is_left_out(lake: Path) -> None:
    whole = run("link", lake).people
    done = run("link", lake, Failing())
    theirs = {one.person for one in done.left_out}
    assert 0 < len(theirs) < whole
    assert {one.why for one in done.left_out} == {"each worker that worked on this group ended"}
    assert {row["person"] for row in rows(lake, "link")}.isdisjoint(theirs)
    (cohort,) = rows(lake, "link_cohort")
    assert cohort["people"] == done.people == whole - len(theirs)


def test_other_files_are_left_alone(lake: Path) -> None:
    (lake.parent / "out").mkdir()
    (lake.parent / "out" / "letter.txt").write_text("dear")
    with pytest.raises(EbbtideError, match="holds other files"):
        run("link", lake)
    with pytest.raises(EbbtideError, match="holds other files"):
        run_cohort("link", str(lake), str(lake), _Here(), 1, lambda *_: None)


def test_the_command_says_what_there_is(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"EBBTIDE_LANGUAGE": "de"}
    done = run_ebbtide("cohort", "hrv", str(lake), "--workers", "2", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "5 Personen, " in done.stdout and "no beats" not in done.stdout, done.stdout
    assert "arning" not in done.stderr
    folder = lake.parent / "lake-results"
    said = json.loads((folder / "_hrv.json").read_text())
    assert said["people"] == 5 and len(said["left_out"]) == PEOPLE - 5
    assert (folder / "hrv").stat().st_mode & 0o077 == 0
    done = run_ebbtide("cohort", "link", str(lake), "--scheduler", "tcp://127.0.0.1:9",
                       environment={"COLUMNS": "500"})  # fmt: skip
    assert done.returncode == 1
    assert "No Dask scheduler answers at tcp://127.0.0.1:9." in done.stderr


def test_without_dask_one_core_works(lake: Path) -> None:
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "import importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name == 'distributed' else find(name, *a)\n"
        "sys.argv = ['ebbtide', *sys.argv[1:]]\n"
        "from cli.main import main; main()"
    )

    def ebbtide(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, "cohort", "practice", str(lake), *words],
            capture_output=True, text=True, check=False, cwd=ROOT,
            env={**os.environ, "COLUMNS": "500"},
        )  # fmt: skip

    done = ebbtide("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["people"] == PEOPLE
    assert 'pip install "ebbtide[cluster]"' in done.stderr
    for words in (("--workers", "2"), ("--scheduler", "tcp://127.0.0.1:8786")):
        refused = ebbtide(*words)
        assert refused.returncode == 1
        assert 'Install it: pip install "ebbtide[cluster]"' in refused.stderr
