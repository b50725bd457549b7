"""Exports as files: types, units and meanings as other programs read them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.export.columns import COLUMNS, Table
from api.services.reminders.plans import change_plan
from ebbtide.beats import Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from ingest.nights import read_nights
from ingest.nights.upload import night_body
from store import Stores
from store.models import DecisionPoint, Person, Prompt, PromptState, TurnResult
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import agree_together, identity_of, with_movable_clock
from tests.support.nights import put_nights

WORDS = 'a "good" day, really;\nthe 2nd line = 1'


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    stores, clock = with_movable_clock(stores)
    with opened_clinic(stores) as opened:
        ada = opened.people["ada"]
        fill(stores, ada, days=1)
        body = {"pain": 3, "stress": 4, "note": WORDS, "pleasant_note": "NA"}
        opened["ada"].post("/v1/ratings", json=body).raise_for_status()
        put_nights(opened["ada"], 3)
        points = [
            {
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                    "effectiveDateTime": to_datetime(
                        stores.now() // SECOND * SECOND - k * SECOND
                    ).isoformat(),
                    "valueQuantity": {
                        **{"value": 61.4 + k, "code": "/min"},
                        "system": "http://unitsofmeasure.org",
                    },
                    "device": {"display": f"Watch of {ada.name}"},
                }
            }
            for k in range(5)
        ]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": points}
        opened["ada"].post("/v1/fhir", json=bundle).raise_for_status()
        add_prompt(stores, ada)
        add_gap(stores, ada)
        clock.until_released(opened)
        agree_together(opened, "ada")
        yield opened


def add_gap(stores: Stores, person: Person) -> None:
    """Of another strap, an hour ago."""
    start = stores.now() - HOUR
    stream = Stream(new_id(), Origin.STRAP, "a strap out of reach", start)
    stores.beats.put_stream(person.subject_id, stream)
    end = start + MINUTE
    beats = [Notification(n, at, 60, (1024,), (at,), True) for n, at in ((1, start), (2, end))]
    gap = Gap(2, start, end, GapReason.LINK_LOST)
    stores.beats.append(person.subject_id, stream.id, beats, [gap])


def add_prompt(stores: Stores, person: Person) -> None:
    """One that came an hour ago and was let be."""
    planned_ns = stores.now() - HOUR
    prompt = Prompt(
        *(new_id(), person.id, "2026-11-24 random 0", "random", planned_ns, person.zone),
        *(0.01, 1, planned_ns, planned_ns + 45 * MINUTE, PromptState.SENT),
        sent_ns=planned_ns + SECOND,
    )
    change_plan(stores, person, lambda plan: plan, enabled=False)
    stores.prompts.take_turn(stores.now(), lambda turn: TurnResult(turn.plan, (prompt,)), person.id)
    point = DecisionPoint(
        *(new_id(), person.id, 1, prompt.id, planned_ns, person.zone, "1/0 evening", 0.5),
        *("paced breathing", 30, "c0" * 32, planned_ns - DAY, False, "at night"),
    )
    stores.offers.put_points([point])


def content(clinic: Clinic, who: str, name: str) -> bytes:
    kind = "research" if who == "ann" else "export"
    return clinic[who].get(f"/v1/{kind}/{name}").raise_for_status().content


@pytest.mark.parametrize("form", ["parquet", "arrows"])
def test_times_are_timestamps_and_fields_say_their_unit(clinic: Clinic, form: str) -> None:
    for table in Table:
        data = content(clinic, "ann", f"{table}.{form}")
        read = (
            pq.read_table(io.BytesIO(data))
            if form == "parquet"
            else pa.ipc.open_stream(data).read_all()
        )
        assert len(read) or table is Table.SESSIONS
        for field in read.schema:
            assert field.metadata is not None
            assert len(field.metadata[b"description"]) > 8
            if field.name.endswith("_ns"):
                assert field.metadata[b"unit"] == b"ns"
                stamp = read[field.name.removesuffix("_ns")]
                assert stamp.type == pa.timestamp("ns")  # local, without a zone
                assert stamp.cast(pa.int64()) == read[field.name]
            elif field.name.endswith("_ms"):
                assert field.metadata[b"unit"] == b"ms"


def test_csv_has_the_same_types_in_every_program(clinic: Clinic) -> None:
    text = content(clinic, "ada", "ratings.csv")
    lines = text.decode().splitlines()
    assert lines[0].startswith("rating,version,about_ns,entered_ns,zone,")
    assert ",FALSE," in lines[1]
    assert '"' not in lines[1]  # data.table::fread takes what is in quotes for text
    by_pandas = pd.read_csv(
        io.BytesIO(text), parse_dates=["about", "entered"], keep_default_na=False
    )
    by_polars = polars.read_csv(text, try_parse_dates=True)
    by_duckdb = duckdb.from_csv_auto(io.BytesIO(text)).pl()
    assert by_pandas["simulated"].dtype == bool
    assert by_polars["simulated"].dtype == polars.Boolean
    assert by_duckdb["simulated"].dtype == polars.Boolean
    assert str(by_pandas["about"].dtype).startswith("datetime64")
    assert by_polars["about"].dtype == polars.Datetime("us", "UTC") or isinstance(
        by_polars["about"].dtype, polars.Datetime
    )
    assert isinstance(by_duckdb["about"].dtype, polars.Datetime)
    for frame in (by_pandas, by_polars, by_duckdb):
        assert list(frame["note"])[-1] == WORDS
        assert list(frame["pleasant_note"])[-1] == "NA"
        assert int(next(iter(frame["about_ns"]))) == int(lines[1].split(",")[2])
    # Base R takes TRUE and FALSE for logical, and ISO 8601 with as.POSIXct(..., format =
    # "%Y-%m-%dT%H:%M:%OSZ"): each value is of that form.
    assert by_pandas["about_ns"].dtype == "int64"


def test_notes_are_for_the_person_and_not_for_analysts(clinic: Clinic) -> None:
    rows = clinic["ada"].get("/v1/export/ratings").json()["rows"]
    assert (rows[-1]["note"], rows[-1]["pleasant_note"]) == (WORDS, "NA")
    theirs = clinic["ann"].get("/v1/research/ratings")
    assert not {"note", "pleasant_note", "zone", "entered_ns"} & theirs.json()["rows"][0].keys()
    assert "good" not in theirs.text
    for form in ("csv", "parquet", "arrows"):
        assert b"2nd line" not in content(clinic, "ann", f"ratings.{form}")


def test_the_table_of_nights_can_be_imported(clinic: Clinic, tmp_path: Path) -> None:
    path = tmp_path / "nights.csv"
    path.write_bytes(content(clinic, "ada", "nights.csv"))
    found = read_nights(path, zone=None)
    assert found is not None
    assert not found.problems
    stored = clinic["ada"].get("/v1/nights").raise_for_status().json()["nights"]
    assert len(stored) == len(found.nights) == 3
    body = {"nights": [night_body(night) for night in found.nights]}
    answer = clinic["ada"].put("/v1/nights", json=body).raise_for_status().json()
    assert (answer["new"], answer["known"]) == (0, 3)
    assert clinic["ada"].get("/v1/nights").json()["nights"] == stored


def test_heart_rates_from_elsewhere_come_out_in_bulk(clinic: Clinic) -> None:
    rows = clinic["ada"].get("/v1/export/heart_rates").json()["rows"]
    assert [row["bpm"] for row in rows] == [65.4, 64.4, 63.4, 62.4, 61.4]
    assert {row["device"] for row in rows} == {"Watch of The name of ada"}
    identity = identity_of(clinic.stores, clinic.people["ann"], clinic.people["ada"])
    times = np.array([row["time_ns"] for row in rows], dtype=np.int64)
    moved, _ = identity.clock.to_research(times)
    theirs = clinic["ann"].get("/v1/research/heart_rates", params={"limit": 2}).json()
    assert [row["time_ns"] for row in theirs["rows"]] == [
        time // MINUTE * MINUTE for time in moved[:2].tolist()
    ]
    assert theirs["next"]
    assert "device" not in theirs["rows"][0]
    assert not {row["rate"] for row in theirs["rows"]} & {row["rate"] for row in rows}


@pytest.mark.parametrize("who", ["ada", "ann"])
def test_the_datapackage_describes_the_files_beside_it(
    clinic: Clinic, who: str, tmp_path: Path
) -> None:
    package: dict[str, Any] = json.loads(content(clinic, who, "datapackage.json"))
    (tmp_path / "datapackage.json").write_text(json.dumps(package))
    for resource in package["resources"]:
        (tmp_path / resource["path"]).write_bytes(content(clinic, who, resource["path"]))
    report = frictionless.Package(str(tmp_path / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "message"])[:5]
    assert {resource["name"] for resource in package["resources"]} == set(Table)
    # It notices a file that is not as it says.
    path = tmp_path / "sessions.csv"
    path.write_text(path.read_text() + ("x," * path.read_text().split("\n")[0].count(",")) + "x\n")
    assert not frictionless.Package(str(tmp_path / "datapackage.json")).validate().valid


def test_every_column_says_what_it_is() -> None:
    for table, columns in COLUMNS.items():
        for name, column in columns.items():
            assert len(column.description) > 8, (table, name)
            if name.endswith(("_ns", "_ms", "_bpm", "_mg")):
                assert column.unit, (table, name)
