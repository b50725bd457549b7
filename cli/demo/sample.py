"""``ebbtide sample``: simulated recordings and tables, for the examples of the documents.

The same in each run: fixed seeds, and dates that are over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _
from cli.options import Force, Json
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import numpy as np

_SEED = 2025
_BEGIN = datetime.fromisoformat("2025-03-03T08:00")  # local: files of watches name no zone
_NIGHT_MINUTES, _WALK_MINUTES = 120, 40
_MARK = "Simulated by ebbtide sample: no person's data"
_README = f"""{_MARK}.

night.txt    two hours of a night: RR intervals in ms, one a line; some beats are disturbed
walk.hrm     forty minutes with a walk in them, as a Polar watch writes them in R-R mode
ratings.csv  six people who rated pain and stress three times a day for four weeks
trial.csv    sixty people in two arms, before and after eight weeks
bundle.json  three ratings of pain, as another system sends them (FHIR)
"""


def sample(
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")] = Path("sample"),
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a simulated recording and simulated tables to try the other commands with."""
    from cli.written_files import refuse_existing

    targets = {folder / name: make for name, make in _FILES.items()}
    for target in targets:
        refuse_existing(target, force=force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target, make in targets.items():
            target.write_text(make(), encoding="utf-8", newline="\n")
    except OSError as error:
        raise EbbtideError(
            f"{folder} cannot be written: {error.strerror or error}.", "Choose another folder."
        ) from error
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": list(_FILES), "simulated": True}))
        return
    typer.echo(
        _("{count} files are in {folder}, all simulated: {names}.").format(
            count=len(targets), folder=folder, names=", ".join(_FILES)
        )
    )


def _rng(number: int) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng([_SEED, number])


def _night() -> str:
    """Two hours of RR intervals, with extra and missed beats now and then."""
    import numpy as np

    from cli.demo.heart import Minutes, SampleHeart
    from ebbtide.rr_units import STRAP_TICKS_PER_SECOND

    rng, minutes = _rng(1), _NIGHT_MINUTES
    asleep = np.clip((np.arange(minutes) - 15) / 20, 0, 1)
    course = Minutes(
        (23 + np.arange(minutes) / 60) % 24, np.full(minutes, 2.0), np.zeros(minutes), asleep
    )
    ticks = SampleHeart().generate_rr(course, rng)
    rr_ms = np.rint(ticks * 1000 / STRAP_TICKS_PER_SECOND).astype(int).tolist()
    places = rng.choice(np.arange(50, len(rr_ms) - 50, 10), 24, replace=False).tolist()
    for number, place in enumerate(sorted(places)):
        if number % 2:  # an extra beat early, and the pause after it
            early = round(0.62 * rr_ms[place])
            rr_ms[place], rr_ms[place + 1] = early, rr_ms[place] + rr_ms[place + 1] - early
        else:  # a beat that the strap missed
            rr_ms[place] += rr_ms[place + 1]
            rr_ms[place + 1] = 0
    return "\n".join([f"# {_MARK}", "rr_ms", *(str(value) for value in rr_ms if value)]) + "\n"


def _walk() -> str:
    """Forty minutes in Polar's text form, half of them a walk."""
    import numpy as np

    from cli.demo.heart import Minutes, SampleHeart
    from ebbtide.rr_units import STRAP_TICKS_PER_SECOND

    minutes = np.arange(_WALK_MINUTES)
    walking = np.where((minutes >= 10) & (minutes < 30), 0.6, 0.0)
    course = Minutes(
        8 + minutes / 60, np.full(_WALK_MINUTES, 3.0), walking, np.zeros(_WALK_MINUTES)
    )
    ticks = SampleHeart().generate_rr(course, _rng(2))
    rr_ms = np.rint(ticks * 1000 / STRAP_TICKS_PER_SECOND).astype(int).tolist()
    length = timedelta(milliseconds=sum(rr_ms))
    head = [
        *("[Params]", "Version=106", "Monitor=22", "SMode=000000000"),
        *(f"Date={_BEGIN:%Y%m%d}", f"StartTime={_BEGIN:%H:%M:%S}.0"),
        *(f"Length=0{str(length)[:9]}", "Interval=238", "", "[Note]", _MARK, "", "[HRData]"),
    ]
    return "\r\n".join([*head, *(str(value) for value in rr_ms)]) + "\r\n"


def _ratings() -> str:
    """Pain and stress that both fall, and a stress that comes and goes, felt as pain."""
    rng = _rng(3)
    rows = ["who,when,stress,pain,simulated"]
    for person, coupling in enumerate((0.5, 0.7, 0.4, 0.6, 0.5, 0.3), 1):
        swing = 0.0
        for number in range(84):
            day, hour = divmod(number, 3)
            at = _BEGIN + timedelta(days=day, hours=(1, 6, 12)[hour], minutes=int(rng.integers(45)))
            swing = 0.4 * swing + float(rng.normal(0, 1.4))
            stress = min(10, max(0, round(5.5 - 2.0 * day / 28 + swing)))
            pain = 5.5 - 2.5 * day / 28 + coupling * swing + float(rng.normal(0, 0.9))
            rows.append(
                f"s{person:02},{at:%Y-%m-%dT%H:%M},{stress},{min(10, max(0, round(pain)))},yes"
            )
    return "\n".join(rows) + "\n"


def _trial() -> str:
    """Two arms, before and after; four people did not come again."""
    rng = _rng(4)
    rows = ["id,arm,visit,pain_avg,simulated"]
    for number in range(60):
        arm, fall = ("therapy", 2.6) if number % 2 else ("usual care", 0.7)
        before = float(min(9.0, max(3.0, rng.normal(5.8, 1.1))))
        after = min(10.0, max(0.0, before - fall + float(rng.normal(0, 1.3))))
        rows.append(f"p{number + 1:02},{arm},0,{before:.1f},yes")
        if number % 15 != 7:
            rows.append(f"p{number + 1:02},{arm},8,{after:.1f},yes")
    return "\n".join(rows) + "\n"


def _bundle() -> str:
    """Three ratings of pain as FHIR Observations of a patient of another system."""
    entries: list[dict[str, Any]] = []
    for day, pain in enumerate((6, 4, 5)):
        at = f"{_BEGIN + timedelta(days=day, hours=1):%Y-%m-%dT%H:%M:%S}+01:00"
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "meta": {
                "security": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                        "code": "HTEST",
                    }
                ]
            },
            "identifier": [{"system": "urn:example:simulated", "value": f"pain-{day + 1}"}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
            "subject": {"reference": "Patient/12"},
            "effectiveDateTime": at,
            "issued": at,
            "valueQuantity": {
                "value": pain,
                "unit": "{score}",
                "system": "http://unitsofmeasure.org",
                "code": "{score}",
            },
        }
        entries.append({"resource": resource})
    return (
        json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}, indent=2) + "\n"
    )


_FILES: dict[str, Callable[[], str]] = {
    "night.txt": _night,
    "walk.hrm": _walk,
    "ratings.csv": _ratings,
    "trial.csv": _trial,
    "bundle.json": _bundle,
    "README.txt": lambda: _README,
}
