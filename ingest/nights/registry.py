"""The kinds of exports of nights, recognised by content, and the one way to read any of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, find_fault, is_fuller
from ebbtide.timestamps import now_ns
from ebbtide.upload_schema import MAX_AHEAD_NS
from ingest.files.choices import ChoiceError
from ingest.nights import (
    apple,
    fitbit,
    garmin,
    garmin_json,
    health_connect,
    night_table,
    oura,
    polar,
    polar_account,
    samsung,
    sleep_rates,
    whoop,
)
from ingest.nights.members import Member, Members, UnpackedSizeError, open_members
from ingest.nights.night_file import NightContext, NightFile, NightFormat

NIGHT_FORMATS: tuple[NightFormat, ...] = (
    apple.FORMAT,
    health_connect.FORMAT,
    oura.FORMAT,
    whoop.FORMAT,
    samsung.FORMAT,
    polar.FORMAT,
    polar_account.FORMAT,
    garmin_json.FORMAT,
    sleep_rates.FORMAT,
    fitbit.FORMAT,
    garmin.FORMAT,
    night_table.FORMAT,  # last: others' tables have such columns too
)

_MAX_SEARCHED, _MAX_SEARCHED_BYTES = 100, 300_000_000  # files whose first bytes say nothing
_WITH_BEATS = frozenset({apple.FORMAT.name, garmin.FORMAT.name})


def find_night_formats(members: Members) -> list[tuple[NightFormat, list[Member]]]:
    """The kinds of exports in the files, with their files. A file is of the first that matches."""
    found: dict[str, tuple[NightFormat, list[Member]]] = {}
    for member in members.all:
        for night_format in NIGHT_FORMATS:
            if night_format.matches(member):
                found.setdefault(night_format.name, (night_format, []))[1].append(member)
                break
    return list(found.values()) or _find_further_in(members)


def _find_further_in(members: Members) -> list[tuple[NightFormat, list[Member]]]:
    """JSON in which something else comes first. Of many or large files that would take minutes."""
    unknown = [member for member in members.all if member.is_json]
    if len(unknown) > _MAX_SEARCHED or sum(one.size for one in unknown) > _MAX_SEARCHED_BYTES:
        return []
    owners = {key: one for one in NIGHT_FORMATS for key in one.keys}
    found: dict[str, tuple[NightFormat, list[Member]]] = {}
    for member in unknown:
        key = members.find(member, [f'"{key}"' for key in owners])
        if key is not None:
            owner = owners[key.strip('"')]
            found.setdefault(owner.name, (owner, []))[1].append(member)
    return list(found.values())


def holds_nights(path: Path) -> bool:
    """Whether a file is an export of nights alone, which is read as a whole."""
    with open_members(path) as members:
        return any(one.name not in _WITH_BEATS for one, _ in find_night_formats(members))


def read_nights(
    path: Path, *, zone: str | None, on_progress: Callable[[float], None] | None = None
) -> NightFile | None:
    """Read the nights in a zip, a folder or a file; None where it is no export of nights.

    ``zone``: of local times without an offset. ``on_progress`` gets the share that is done. Raises
    EbbtideError where it is such an export and holds no night; None too where it may hold beats.
    """
    with open_members(path) as members:
        found = find_night_formats(members)
        if not found:
            return None
        context = NightContext(zone, on_progress)
        files: list[NightFile] = []
        errors: list[EbbtideError] = []
        for night_format, of_format in found:
            try:
                files.append(night_format.read(members, of_format, context))
            except UnpackedSizeError:  # no reader of beats is to try it after this
                raise
            except EbbtideError as error:
                errors.append(error)
        # A FIT file of a strap, or a Health export without sleep, may still hold beats.
        others = {one.name for one, _ in found} - _WITH_BEATS
        asked = next((error for error in errors if isinstance(error, ChoiceError)), None)
        if not files and asked is not None:
            raise asked
        if not files and not others:
            return None
        if not files:
            raise errors[0]
        names = frozenset(
            member.name
            for night_format, of_format in found
            if night_format.name not in _WITH_BEATS
            for member in of_format
        )
    nights = tuple(night for file in files for night in file.nights)
    nights, more = _storable(_once(nights))
    problems = (*(problem for file in files for problem in file.problems), *more)
    return NightFile(
        " and ".join(file.format for file in files),
        tuple(sorted(nights, key=_place)),
        problems,
        tuple(note for file in files for note in file.notes),
        names,
        not others,
    )


def _once(nights: tuple[Night, ...]) -> tuple[Night, ...]:
    """The fuller of two nights of one device, which it exports in files of two kinds."""
    found: dict[tuple[str, str], Night] = {}
    for night in nights:
        there = found.get(_place(night))
        if there is None or is_fuller(night, there):
            found[_place(night)] = night
    return tuple(found.values())


def _storable(nights: tuple[Night, ...]) -> tuple[tuple[Night, ...], list[str]]:
    """The nights that the API takes, and what is said of the others: one would refuse a part."""
    latest_ns = now_ns() + MAX_AHEAD_NS
    kept: list[Night] = []
    late: list[Night] = []
    faults: list[str] = []
    for night in nights:
        fault = find_fault(night)
        if fault is not None:
            faults.append(f"{night.day}: {fault[0]} {fault[1].rstrip('.')}")
        elif night.end_ns > latest_ns:
            late.append(night)
        else:
            kept.append(night)
    said = []
    if faults:
        said.append(f"{len(faults)} nights cannot be, the first of {faults[0]}; left out")
    if late:
        said.append(f"{len(late)} nights are in the future, the first {late[0].day}; left out")
    return tuple(kept), said


def _place(night: Night) -> tuple[str, str]:
    return night.source, night.day
