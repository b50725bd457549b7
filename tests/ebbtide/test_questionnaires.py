"""The files of questionnaires: what comes along, and how a broken one is refused."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from ebbtide.questionnaires import (
    QuestionnaireFileError,
    QuestionnaireLibrary,
    load_library,
    parse_questionnaire,
)

GAD7 = (files("ebbtide.questionnaires") / "files" / "gad7.toml").read_text(encoding="utf-8")


def test_those_that_come_along_say_their_licence_and_source() -> None:
    found = {item.id: item for item in load_library().newest}
    assert set(found) == {"gad7", "phq9", "pgic"}
    for item in found.values():
        assert item.languages == ("en",)
        assert item.licence.words
        assert item.source
    assert [len(found[name].items) for name in ("gad7", "phq9", "pgic")] == [7, 9, 1]
    assert {concern.item for concern in found["phq9"].concerns} == {"9"}
    assert found["phq9"].items[8].loinc == "44260-8"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "4"\n', 'id = "3"\n', "item '3' is there twice"),
        ('text.en = "Trouble relaxing"\n', "", "item '4', text: Field required"),
        ('text.en = "Trouble relaxing"', "", "item '4', text: Field required"),
        ('text.en = "Trouble relaxing"', 'text.de = "x"', "item '4' is in de, and the"),
        ("value = 2\n", 'value = "2"\n', "option '2', value: Input should be a valid integer"),
        ("value = 2\n", "value = 1\n", "item '1' has two answers of the same value"),
        ('loinc = "69734-2"', 'loinc = "x"', "item '4', loinc: "),
        ('id = "total"', 'id = "sum"', "one of the scores has to have the id 'total'"),
        ("points = 4", 'points = 4\nscore = "x"', "smallest_change is of score 'x'"),
        ("[smallest_change]", "[smallest]", "smallest: Extra inputs are not permitted"),
        ("version = 1", "version = 0", "version: "),
        ("version = 1", "version = ", "gad7.toml is no TOML"),
        ("[licence]", "[rights]", "licence: Field required"),
        ("points = 4", "points = inf", "smallest_change, points: Input should be a finite number"),
        ("points = 4", "points = nan", "smallest_change, points: Input should be a finite number"),
        ("version = 1", f"version = {10**30}", "version: "),
        ("version = 1", "version = " + 5000 * "[", "gad7.toml is no TOML"),
        ('id = "gad7"', 'id = "../gad7"', "id: String should match pattern"),
        ('text.en = "Trouble relaxing"', f'text.en = "{1001 * "x"}"', "at most 1000 characters"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(old: str, new: str, words: str) -> None:
    broken = GAD7.replace(old, new, 1)
    assert broken != GAD7
    with pytest.raises(QuestionnaireFileError) as raised:
        parse_questionnaire(broken, "gad7.toml")
    assert words in str(raised.value)
    assert "gad7.toml" in str(raised.value)


def test_a_clinics_folder_adds_files_and_newer_versions(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(GAD7.replace('id = "gad7"', 'id = "own"'), encoding="utf-8")
    newer = GAD7.replace("version = 1", "version = 2")
    (tmp_path / "newer.toml").write_text(newer, encoding="utf-8")
    library = load_library(tmp_path)
    assert [(item.id, item.version) for item in library.newest] == [
        *(("gad7", 2), ("own", 1), ("pgic", 1), ("phq9", 1)),
    ]
    old = library.find("gad7", 1)
    assert old is not None
    assert old.version == 1
    assert library.find("gad7", 3) is None
    assert library.find("unknown") is None
    (tmp_path / "again.toml").write_text(newer, encoding="utf-8")
    with pytest.raises(QuestionnaireFileError, match="Two files are version 2"):
        load_library(tmp_path)
    (tmp_path / "again.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(QuestionnaireFileError, match=r"again\.toml cannot be read"):
        load_library(tmp_path)
    with pytest.raises(QuestionnaireFileError, match="is not there"):
        load_library(tmp_path / "missing")
    assert QuestionnaireLibrary([]).newest == ()
