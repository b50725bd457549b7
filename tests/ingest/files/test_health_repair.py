"""Exports of the Health app that are not well-formed, or in another language."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebbtide.errors import EbbtideError
from ingest.files.registry import open_recording


def export(*, source: str = "Watch", prefix: str = "", suffix: str = "", dtd: str = "") -> str:
    beats = "".join(
        f'<InstantaneousBeatsPerMinute bpm="72" '
        f'time="{prefix}7:13:{20 + i * 83 // 100:02}{"."}{i * 83 % 100:02}{suffix}"/>'
        for i in range(30)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{dtd}<HealthData locale="x">\n'
        f'<Record type="HKQuantityTypeIdentifierHeartRateVariabilitySDNN" sourceName="{source}" '
        f'startDate="2026-09-21 07:13:19 +0000"><HeartRateVariabilityMetadataList>{beats}'
        "</HeartRateVariabilityMetadataList></Record>\n</HealthData>\n"
    )


def count(path: Path, data: bytes) -> int:
    path.write_bytes(data)
    return open_recording(path, zone="UTC").beats


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [("", " PM"), ("", "\u202fPM"), ("下午", ""), ("오후 ", ""), ("", " μ.μ."), ("", " م")],
)
def test_times_of_other_languages(tmp_path: Path, prefix: str, suffix: str) -> None:
    text = export(prefix=prefix, suffix=suffix)
    assert count(tmp_path / "a.xml", text.encode()) == 29
    digits = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    head, times, rest = text.partition("<HeartRateVariabilityMetadataList>")
    arabic = head + times + rest.translate(digits)
    assert count(tmp_path / "b.xml", arabic.encode()) == 29


@given(
    where=st.integers(0, 5),
    junk=st.sampled_from(["\x0b", "\x00", "&#11;", "&#xD83D;&#xDE00;", "&#0;", " & ", "\uffff"]),
)
@settings(max_examples=30, deadline=None)
def test_forbidden_characters_are_left_out(
    where: int, junk: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = "Watch"[:where] + junk + "Watch"[where:]
    path = tmp_path_factory.mktemp("health") / "a.xml"
    assert count(path, export(source=name).encode()) == 29
    file = open_recording(path, zone="UTC")
    assert "not allow" in file.problems[0]
    assert file.recordings[0].source.isprintable()


@pytest.mark.parametrize(
    "dtd", ["<!DOCTYPE HealthData [\n<!ATTLIST\n stray CDATA>\n]>\n", "<!DOCT"]
)
def test_the_dtd_is_not_needed(tmp_path: Path, dtd: str) -> None:
    assert count(tmp_path / "a.xml", export(dtd=dtd).encode()) == 29


def test_a_dtd_with_entities_is_refused(tmp_path: Path) -> None:
    dtd = '<!DOCTYPE HealthData [<!ENTITY a "b">]>'
    with pytest.raises(EbbtideError, match="entities"):
        count(tmp_path / "a.xml", export(dtd=dtd).encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    assert count(tmp_path / "a.xml", export(source="Ühr").encode(encoding)) == 29


def test_zip_in_another_language(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("__MACOSX/._导出.xml", "x")
        archive.writestr("apple_health_export/导出_cda.xml", "<ClinicalDocument/>")
        archive.writestr("apple_health_export/导出.xml", export())
    assert open_recording(tmp_path / "a.zip", zone="UTC").beats == 29
