"""Questionnaires over HTTP: due, answered, scored, corrected, compared, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from api.services.cache.analysis import AnalysisCache
from api.services.questionnaires import QuestionnaireService
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, to_datetime
from store import open_stores
from store.models import Consent, Programme, Purpose, TherapySession
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.standards import require_valid_r4

RESPONSES = "/v1/questionnaires/responses"
ALL_ONES = {str(item): 1 for item in range(1, 8)}


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with opened_clinic(open_stores(Settings(data_dir=tmp_path))) as opened:
        stores, eve = opened.stores, opened.id("eve")
        stores.records.add_consent(Consent(eve, Purpose.CARE, True, "1", stores.now()))
        yield opened


def begin(clinic: Clinic, days_ago: int) -> None:
    """Eve's programme began then, and had eight sessions within 25 days."""
    person, stores = clinic.people["eve"], clinic.stores
    started = stores.now() - days_ago * DAY
    stores.programme.put_programme(Programme(person.id, started, started))
    for number in range(1, 9):
        held = started + int((number - 1) * 3.5 * DAY)
        stores.records.add_session(TherapySession(new_id(), person.id, number, held))


def test_answers_are_scored_corrected_and_withdrawn(clinic: Clinic) -> None:
    eve, tom = clinic["eve"], clinic["tom"]
    found = eve.get("/v1/questionnaires").json()
    assert [item["id"] for item in found["questionnaires"]] == ["gad7", "pgic", "phq9"]
    assert "112" in " ".join(found["help"])
    german = eve.get("/v1/questionnaires", headers={"Accept-Language": "de-DE"}).json()
    assert "Rufen Sie jetzt den Notruf an (112 in der EU" in " ".join(german["help"])
    assert len(german["help"]) == len(found["help"]) == 5
    assert not set(german["help"]) & set(found["help"])
    body = {"questionnaire": "gad7", "answers": ALL_ONES, "id": new_id()}
    created = eve.post(RESPONSES, json=body)
    assert created.status_code == 201
    answers = created.json()
    assert (answers["scores"][0]["value"], answers["help"]) == (7, [])
    assert (answers["occasion"], answers["planned_by"]) == ("before", "programme")
    again = eve.post(RESPONSES, json=body)
    assert (again.status_code, again.json()) == (200, answers)
    path = f"{RESPONSES}/{answers['id']}"
    corrected = eve.put(path, json={"answers": {**ALL_ONES, "1": 3}, "version": 1}).json()
    assert (corrected["version"], corrected["scores"][0]["value"]) == (2, 9)
    late = eve.put(path, json={"answers": ALL_ONES, "version": 1})
    assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (409, "changed-meanwhile")
    seen = tom.get(f"/v1/patients/{clinic.id('eve')}/questionnaires/responses").json()
    assert seen == [corrected]
    assert len(tom.get(f"/v1/patients/{clinic.id('eve')}{path[3:]}/history").json()) == 2
    assert eve.delete(path, params={"version": 2}).json()["withdrawn"]
    assert eve.get(RESPONSES).json() == []


def test_what_cannot_be_an_answer_is_refused_in_words(clinic: Clinic) -> None:
    for body, words in (
        ({"questionnaire": "gad7", "answers": {"1": 4}}, "item '1' takes 0, 1, 2, 3"),
        ({"questionnaire": "gad7", "answers": {"8": 0}}, "no item '8'"),
        ({"questionnaire": "tsk", "answers": {"1": 0}}, "is none of gad7, pgic, phq9"),
        ({"questionnaire": "gad7", "answers": {"1": 0}, "language": "de"}, "is none of en"),
        ({"questionnaire": "gad7", "answers": {"1": 0}, "about": "2099-01-01T00:00:00Z"}, "future"),
        ({"questionnaire": "gad7", "answers": {"1": 0}, "zone": "Mars"}, "Mars"),
    ):
        refused = clinic["eve"].post(RESPONSES, json=body)
        assert refused.status_code == 422
        assert words in refused.text


def test_the_ninth_question_brings_words_at_once_and_a_flag_for_the_therapist(
    clinic: Clinic,
) -> None:
    eve, tom = clinic["eve"], clinic["tom"]
    calm = {str(item): 0 for item in range(1, 10)}
    first = eve.post(RESPONSES, json={"questionnaire": "phq9", "answers": {**calm, "9": 1}}).json()
    assert first["concerns"] == ["9"]
    words = " ".join(first["help"])
    for needed in ("112", "999", "911", "988", "116 123", "Nobody watches"):
        assert needed in words
    change = f"/v1/patients/{clinic.id('eve')}/questionnaires/change"
    (flag,) = tom.get(change).json()["concerns"]
    assert (flag["item"], flag["answer"], flag["is_latest"]) == ("9", "Several days", True)
    second = eve.post(RESPONSES, json={"questionnaire": "phq9", "answers": calm}).json()
    assert second["help"] == []
    (flag,) = tom.get(change).json()["concerns"]
    assert flag["is_latest"] is False
    assert clinic["tess"].get(change).status_code == 404


def test_due_follows_the_programme_and_change_names_what_matters(clinic: Clinic) -> None:
    eve = clinic["eve"]
    begin(clinic, 60)
    started = clinic.stores.now() - 60 * DAY
    asked = {item["questionnaire"]: item["occasion"] for item in eve.get(DUE).json()}
    assert asked == {"gad7": "1 month", "pgic": "1 month", "phq9": "1 month"}
    early = {"questionnaire": "gad7", "answers": dict.fromkeys(ALL_ONES, 2)}
    about = to_datetime(started - DAY).isoformat()
    assert eve.post(RESPONSES, json=early | {"about": about}).json()["occasion"] == "before"
    late = eve.post(RESPONSES, json={"questionnaire": "gad7", "answers": ALL_ONES}).json()
    assert late["occasion"] == "1 month"
    assert {item["questionnaire"] for item in eve.get(DUE).json()} == {"pgic", "phq9"}
    (change,) = eve.get("/v1/questionnaires/change").json()["changes"]
    assert (change["first"], change["last"], change["change"]) == (14, 7, -7)
    assert (change["better"], change["smallest"], change["matters"]) == (True, 4, True)
    assert "Toussaint" in change["smallest_source"]


DUE = "/v1/questionnaires/due"


@pytest.mark.parametrize("form", ["redcap", "m-path"])
def test_csv_out_and_in_is_the_same(clinic: Clinic, form: str) -> None:
    eve = clinic["eve"]
    for name, answers in (("gad7", ALL_ONES), ("gad7", {"1": 0}), ("pgic", {"1": 2})):
        body = {"questionnaire": name, "answers": answers}
        about = clinic.stores.now() - (len(eve.get(RESPONSES).json()) + 1) * DAY
        assert eve.post(RESPONSES, json=body | {"about": to_datetime(about).isoformat()})
    before = eve.get(RESPONSES).json()
    text = eve.get("/v1/questionnaires/csv", params={"form": form}).text
    repeated = eve.post("/v1/questionnaires/csv", json={"form": form, "csv": text}).json()
    assert repeated == {"stored": 3, "new": 0, "skipped": []}
    eva = clinic["ada"]
    foreign = _without(text, ";" if form == "m-path" else ",", "ebbtide_id")
    taken = eva.post("/v1/questionnaires/csv", json={"form": form, "csv": foreign}).json()
    assert (taken["new"], taken["skipped"]) == (3, [])
    again = eva.post("/v1/questionnaires/csv", json={"form": form, "csv": foreign}).json()
    assert (again["stored"], again["new"]) == (3, 0)
    compared = ("questionnaire", "answers", "occasion", "scores", "zone", "language")
    assert _content(eva.get(RESPONSES).json(), compared) == _content(before, compared)
    stolen = eva.post("/v1/questionnaires/csv", json={"form": form, "csv": text}).json()
    assert (stolen["new"], len(stolen["skipped"])) == (0, 3)


@pytest.mark.parametrize(
    ("line", "times", "words"),
    [
        ("1,2026-11-20 08:{:02}:{:02},2", 1_001, "has more than 1,000 rows"),
        ("1,2026-11-20 08:00:00,2\n" + "2" * 100_001, 1, "row 2 has a cell of more than 100,000"),
        ("1,2026-11-20 08:00:00,2,,," + "2" * 100_001, 1, "row 1 has a cell of more than 100,000"),
    ],
)
def test_a_csv_file_that_is_refused_leaves_nothing(
    clinic: Clinic, line: str, times: int, words: str, request: pytest.FixtureRequest
) -> None:
    # Other libraries of the process lift this limit: the refusal may not rest on it.
    before = csv.field_size_limit(10_000_000)
    request.addfinalizer(lambda: csv.field_size_limit(before))
    lines = [line.format(n // 60 % 60, n % 60) for n in range(times)]
    text = "record_id,pgic_timestamp,pgic_1\n" + "\n".join(lines)
    refused = clinic["eve"].post("/v1/questionnaires/csv", json={"form": "redcap", "csv": text})
    assert refused.status_code == 422
    assert words in refused.text
    assert clinic["eve"].get(RESPONSES).json() == []


def test_fhir_out_and_in_is_the_same(clinic: Clinic) -> None:
    eve, ada = clinic["eve"], clinic["ada"]
    for name, answers in (("gad7", ALL_ONES), ("phq9", {"1": 3}), ("pgic", {"1": 2})):
        eve.post(RESPONSES, json={"questionnaire": name, "answers": answers})
        resource = eve.get(f"/v1/fhir/Questionnaire/{name}-1").raise_for_status().json()
        require_valid_r4(resource)
    bundle = eve.get("/v1/fhir/QuestionnaireResponse").json()
    require_valid_r4(bundle)
    before = eve.get(RESPONSES).json()
    again = eve.post("/v1/fhir", json=bundle).json()
    assert (again["answers"], again["new"], again["skipped"]) == (3, 0, [])
    refused = ada.post("/v1/fhir", json=bundle).json()
    assert {item["reason"] for item in refused["skipped"]} == {"it is of another patient"}
    for entry in bundle["entry"]:
        del entry["resource"]["subject"], entry["resource"]["identifier"]
    taken = ada.post("/v1/fhir", json=bundle).json()
    assert (taken["answers"], taken["new"], taken["skipped"]) == (3, 3, [])
    compared = ("questionnaire", "answers", "occasion", "scores", "zone", "about_ns")
    assert _content(ada.get(RESPONSES).json(), compared) == _content(before, compared)


def test_a_response_of_another_system_is_known_by_loinc(clinic: Clinic) -> None:
    ada = clinic["ada"]
    item = {"linkId": "/69725-0", "answer": [{"valueCoding": {"code": "LA6570-1"}}]}
    item["answer"][0]["valueCoding"]["system"] = "http://loinc.org"  # type: ignore[index]
    foreign = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "http://loinc.org/q/69737-5",
        "status": "completed",
        "authored": "2026-01-05T08:00:00+01:00",
        "item": [{"linkId": "group", "item": [item]}],
    }
    assert ada.post("/v1/fhir", json=foreign).json()["new"] == 1
    assert ada.get(RESPONSES).json()[0]["answers"] == {"1": 2}
    for change, words in (
        ({"status": "in-progress"}, "its status is in-progress"),
        ({"questionnaire": "urn:other"}, "none that is here"),
        ({"authored": "2099-01-01T00:00:00Z"}, "has not been yet"),
        ({"item": []}, "no answer"),
        ({"item": [{"linkId": "x", "answer": [{"valueInteger": 1}]}]}, "no item 'x'"),
        ({"item": [{"linkId": "1", "answer": [{"valueInteger": 9}]}]}, "item '1' takes"),
    ):
        (skipped,) = ada.post("/v1/fhir", json=foreign | change).json()["skipped"]
        assert words in skipped["reason"]


def test_rows_of_others_are_taken_or_skipped_with_a_reason(clinic: Clinic) -> None:
    eve = clinic["eve"]
    table = (
        "record_id,gad7_timestamp,gad7_1,gad7_2,phq9_9,gad7_total_score\n"
        "1,2026-01-05 08:00,1,2,,3\n"
        "1,2026-01-06 08:00,7,2,,9\n"
        "1,,1,1,,2\n"
        "1,yesterday,1,1,,2\n"
        "1,2099-01-01 08:00,1,1,,2\n"
        "1,2026-01-07 08:00,NA,,,\n"
    )
    report = eve.post("/v1/questionnaires/csv", json={"form": "redcap", "csv": table}).json()
    assert (report["stored"], report["new"]) == (1, 1)
    assert [item["entry"] for item in report["skipped"]] == [1, 2, 3, 4]
    assert "item '1' takes" in report["skipped"][0]["reason"]
    (stored,) = eve.get(RESPONSES).json()
    assert (stored["answers"], stored["planned_by"]) == ({"1": 1, "2": 2}, "import")
    mpath = (
        "connectionId;timeStampStop;gad7_1_multipleChoice_index;gad7_1_multipleChoice_likert\n"
        "7;1767600000;2;1\n"
    )
    report = eve.post("/v1/questionnaires/csv", json={"form": "m-path", "csv": mpath}).json()
    assert (report["new"], report["skipped"]) == (1, [])
    assert [item["answers"] for item in eve.get(RESPONSES).json()] == [{"1": 1, "2": 2}, {"1": 1}]
    refused = eve.post("/v1/questionnaires/csv", json={"form": "redcap", "csv": "a,b\n1,2\n"})
    assert refused.status_code == 422


def test_a_clinic_chooses_what_is_asked_and_whom_to_call(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    chosen = settings.model_copy(
        update={"questionnaires_asked": "pgic, gad7", "help_contact": "Our clinic: 030 1"}
    )
    service = QuestionnaireService.from_settings(chosen)
    assert [item.id for item in service.asked] == ["pgic", "gad7"]
    assert "Our clinic: 030 1" in service.help_words
    other = settings.model_copy(update={"help_lines": "Call 143."})
    words = " ".join(QuestionnaireService.from_settings(other).help_words)
    assert "Call 143." in words and "116 123" not in words and "112" in words
    with pytest.raises(EbbtideError, match="no questionnaire 'tsk11'"):
        QuestionnaireService.from_settings(
            settings.model_copy(update={"questionnaires_asked": "tsk11"})
        )
    (tmp_path / "broken.toml").write_text("id = 1", encoding="utf-8")
    with pytest.raises(EbbtideError, match=r"broken\.toml"):
        QuestionnaireService.from_settings(
            settings.model_copy(update={"questionnaires_dir": tmp_path})
        )


def test_answers_without_their_file_are_shown_without_a_score(clinic: Clinic) -> None:
    eve, store = clinic["eve"], clinic.stores.programme
    eve.post(RESPONSES, json={"questionnaire": "gad7", "answers": ALL_ONES})
    (stored,) = store.responses(clinic.id("eve"))
    store.add_response(replace(stored, id=new_id(), definition_version=9))
    found = eve.get(RESPONSES).json()
    assert sorted(len(item["scores"]) for item in found) == [0, 1]
    assert [bool(item["missing"]) for item in found if not item["scores"]] == [True]


def use_files(clinic: Clinic, settings: Settings) -> None:
    """Read the files of questionnaires anew, as a start does."""
    service = QuestionnaireService.from_settings(settings)
    clinic.app.state.questionnaires = service
    clinic.app.state.cache = AnalysisCache(questionnaires=service.library)


def test_a_file_that_changes_under_a_person_loses_nothing(tmp_path: Path) -> None:
    text = (files("ebbtide.questionnaires") / "files" / "gad7.toml").read_text(encoding="utf-8")
    folder = tmp_path / "own"
    folder.mkdir()
    newer = folder / "newer.toml"
    german = text.replace("en = ", "de = ").replace("version = 1", "version = 2")
    newer.write_text(german, encoding="utf-8")
    settings = Settings(data_dir=tmp_path / "data", questionnaires_dir=folder)
    with opened_clinic(open_stores(settings)) as clinic:
        eve = clinic["eve"]
        use_files(clinic, settings)
        # The page had version 1 when version 2 came: it is stored, and scored, as version 1.
        read = {"questionnaire": "gad7", "definition_version": 1, "language": "en"}
        found = eve.post(RESPONSES, json={**read, "answers": ALL_ONES}).json()
        assert (found["definition_version"], found["scores"][0]["value"]) == (1, 7)
        wrong = eve.post(
            RESPONSES, json={"questionnaire": "gad7", "language": "en", "answers": ALL_ONES}
        )
        assert_problem(wrong, 422, "is none of de")
        gone = eve.post(RESPONSES, json={**read, "definition_version": 3, "answers": ALL_ONES})
        assert_problem(gone, 422, "not here any more")
        newest = eve.post(RESPONSES, json={"questionnaire": "gad7", "answers": ALL_ONES}).json()
        assert (newest["definition_version"], newest["language"]) == (2, "de")
        change = eve.get("/v1/questionnaires/change").json()["changes"]
        assert [item["missing"] for item in change] == ["The questionnaire changed in between."]
        # The answers were changed in the file, and its version was not.
        newer.write_text(german.replace("value = 1\n", "value = 7\n", 1), encoding="utf-8")
        use_files(clinic, settings)
        found = [item for item in eve.get(RESPONSES).json() if item["definition_version"] == 2]
        assert [(item["scores"], bool(item["missing"])) for item in found] == [([], True)]
        assert eve.get("/v1/questionnaires/change").status_code == 200
        assert eve.get("/v1/questionnaires/csv").status_code == 200
        assert eve.get("/v1/export/scores").status_code == 200
        assert eve.get("/v1/fhir/QuestionnaireResponse").status_code == 200


def test_two_who_answer_at_once_are_kept_once_each(clinic: Clinic) -> None:
    eve = clinic["eve"]
    ids = [new_id() for _ in range(4)]

    def send(own_id: str) -> int:
        body = {"questionnaire": "gad7", "answers": ALL_ONES, "id": own_id}
        return eve.post(RESPONSES, json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(send, ids * 4))
    assert (codes.count(201), codes.count(200)) == (4, 12)
    assert sorted(item["id"] for item in eve.get(RESPONSES).json()) == sorted(ids)
    assert [item["questionnaire"] for item in eve.get("/v1/questionnaires/due").json()] == ["phq9"]


@pytest.mark.parametrize(
    "answers",
    [
        {"1": 4},
        {"1": -1},
        {"1": 10**30},
        {"1": 1.5},
        {"1": True},
        {"1": "1"},
        {"1": None},
        {"8": 1},
        {"__proto__": 1},
        {},
        {str(item): 0 for item in range(300)},
    ],
)
def test_answers_out_of_range_store_nothing(clinic: Clinic, answers: dict[str, object]) -> None:
    refused = clinic["eve"].post(RESPONSES, json={"questionnaire": "gad7", "answers": answers})
    assert refused.status_code == 422
    assert clinic.stores.programme.responses(clinic.id("eve")) == []


def test_half_filled_answers_have_no_score_and_the_ninth_question_counts_alone(
    clinic: Clinic,
) -> None:
    body = {"questionnaire": "phq9", "answers": {"9": 1}}
    found = clinic["eve"].post(RESPONSES, json=body).json()
    assert found["scores"][0]["value"] is None
    assert "8 of 9 questions left out" in found["scores"][0]["missing_reason"]
    assert found["concerns"] == ["9"] and found["help"]
    seen = clinic["tom"].get(f"/v1/patients/{clinic.id('eve')}/questionnaires/change").json()
    assert [item["is_latest"] for item in seen["concerns"]] == [True]


def test_the_caseload_asks_about_an_answer_until_a_newer_one_or_four_weeks_later(
    clinic: Clinic,
) -> None:
    eve, tom, now = clinic["eve"], clinic["tom"], clinic.stores.now()

    def answer(ninth: int, days_ago: float) -> None:
        about = to_datetime(now - int(days_ago * DAY), "UTC").isoformat()
        body = {"questionnaire": "phq9", "answers": {"9": ninth}, "about": about}
        assert eve.post(RESPONSES, json=body).status_code == 201

    def asks() -> list[str]:
        first = tom.get("/v1/patients").json()[0]
        assert first["id"] == clinic.id("eve")
        return [words for words in first["told"] if words.startswith("please ask")]

    answer(3, 29)
    assert asks() == []
    answer(1, 2)
    assert len(asks()) == 1
    assert "PHQ-9" in asks()[0]
    answer(0, 1)
    assert asks() == []


def _without(text: str, separator: str, column: str) -> str:
    rows = list(csv.DictReader(io.StringIO(text), delimiter=separator))
    file = io.StringIO()
    columns = [name for name in rows[0] if name != column]
    writer = csv.DictWriter(file, columns, delimiter=separator, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _content(found: list[dict[str, object]], names: tuple[str, ...]) -> list[str]:
    return sorted(repr([item[name] for name in names]) for item in found)
