"""The specimens of five watches and rings, against what they hold, to rounding."""

from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, NightBasis
from ingest.nights import NightFile, read_nights

EXAMPLES = Path(__file__).parent / "examples"
BERLIN = "Europe/Berlin"
UNWORN = {"2026-10-07", "2026-10-15"}
# (file, format, source, how far RMSSD and heart rate may be off: half of what was rounded)
SPECIMENS = [
    ("takeout.zip", "Fitbit", "Fitbit", 0.001, 0.5),
    ("health_connect.zip", "Health Connect", "Health Connect (Watch)", 0.001, 0.5),
    ("oura_sleep.json", "Oura", "Oura", 0.5, 0.006),
    ("physiological_cycles.csv", "WHOOP", "WHOOP", 0.5, 0.5),
    ("samsunghealth.zip", "Samsung Health", "Samsung Health", 0.001, None),
]
TRUTH = {
    row["night_ends"]: row
    for row in csv.DictReader((EXAMPLES / "truth.csv").read_text("utf-8").splitlines())
}


def read(path: Path, zone: str | None = BERLIN) -> NightFile:
    found = read_nights(path, zone=zone)
    assert found is not None
    return found


def worn(file: NightFile) -> dict[str, Night]:
    nights = {night.day: night for night in file.nights if night.is_measured}
    assert len(nights) == sum(night.is_measured for night in file.nights)
    return nights


@pytest.mark.parametrize(("name", "kind", "source", "rmssd_off", "rate_off"), SPECIMENS)
def test_a_specimen_holds_what_is_true_of_it(
    name: str, kind: str, source: str, rmssd_off: float, rate_off: float | None
) -> None:
    file = read(EXAMPLES / name)
    assert (file.format, file.problems) == (kind, ())
    nights = worn(file)
    assert nights.keys() == TRUTH.keys()
    for day, night in nights.items():
        true = TRUTH[day]
        assert night.source == source
        assert night.rmssd_ms == pytest.approx(float(true["mean_rmssd_ms"]), abs=rmssd_off)
        if rate_off is not None:
            assert night.mean_hr_bpm == pytest.approx(float(true["mean_hr_bpm"]), abs=rate_off)
        if night.steps:
            assert night.steps == int(true["windows"])
        assert night.offset_s == 7200


def test_figures_are_marked_as_whose_they_are() -> None:
    basis = {name: {n.basis for n in read(EXAMPLES / name).nights} for name, *_ in SPECIMENS}
    assert basis == {
        "takeout.zip": {NightBasis.VALUES},
        "health_connect.zip": {NightBasis.VALUES},
        "samsunghealth.zip": {NightBasis.VALUES},
        "oura_sleep.json": {NightBasis.DEVICE},
        "physiological_cycles.csv": {NightBasis.DEVICE},
    }
    samsung = read(EXAMPLES / "samsunghealth.zip").nights
    assert all(night.sdnn_ms != night.rmssd_ms for night in samsung)
    others = [name for name, *_ in SPECIMENS if name != "samsunghealth.zip"]
    assert all(n.sdnn_ms is None for name in others for n in read(EXAMPLES / name).nights)
    # What is null in the list of Oura is no value, and its own average counts it.
    (first, *_) = read(EXAMPLES / "oura_sleep.json").nights
    assert (first.rmssd_ms, first.windows, first.steps) == (48.0, 70, 71)


def test_a_night_that_was_not_worn_is_a_gap_with_a_reason() -> None:
    nights = read(EXAMPLES / "physiological_cycles.csv").nights
    assert {night.day for night in nights if not night.is_measured} == UNWORN
    assert all("not worn" in (n.missing_reason or "") for n in nights if not n.is_measured)


def test_the_same_five_minutes_are_at_the_same_moments_in_every_export() -> None:
    """Local without a zone, epoch milliseconds and UTC: one person's one night."""
    names = ("takeout.zip", "health_connect.zip", "samsunghealth.zip", "oura_sleep.json")
    of_name = {name: worn(read(EXAMPLES / name)) for name in names}
    for day in TRUTH:
        assert len({of_name[name][day].start_ns for name in names}) == 1
        assert len({tuple(v.at_s for v in of_name[n][day].values) for n in names[:3]}) == 1


def test_recognised_by_content_and_read_unpacked_too(tmp_path: Path) -> None:
    renamed = tmp_path / "my backup.zip"
    shutil.copy(EXAMPLES / "takeout.zip", renamed)
    whole = read(renamed)
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(renamed) as archive:
        archive.extractall(folder)
    assert read(folder).nights == whole.nights
    shutil.copy(EXAMPLES / "oura_sleep.json", tmp_path / "export.txt")
    assert read(tmp_path / "export.txt").format == "Oura"
    # Several exports at once, in one zip.
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as archive:
        for name in ("oura_sleep.json", "physiological_cycles.csv"):
            archive.write(EXAMPLES / name, f"a folder/{name}")
    assert {night.source for night in read(both).nights} == {"Oura", "WHOOP"}


def test_local_times_without_a_zone_ask_for_it() -> None:
    with pytest.raises(EbbtideError, match="--zone"):
        read(EXAMPLES / "takeout.zip", zone=None)
    # Those that have one need none.
    for name, *_ in SPECIMENS[1:]:
        assert len(worn(read(EXAMPLES / name, zone=None))) == 25


@pytest.mark.parametrize("name", [name for name, *_ in SPECIMENS])
def test_a_damaged_export_is_refused_or_read_so_far_and_nothing_else(
    name: str, tmp_path: Path
) -> None:
    data = (EXAMPLES / name).read_bytes()
    true = {(n.source, n.day): n for n in read(EXAMPLES / name).nights}
    for cut in (1, 40, 500, len(data) // 3, len(data) // 2, len(data) - 40, len(data) - 1):
        path = tmp_path / name
        path.write_bytes(data[:cut])
        try:
            found = read_nights(path, zone=BERLIN)
        except EbbtideError as error:
            assert error.remedy
            continue
        for night in () if found is None else found.nights:
            assert (night.source, night.day) in true
