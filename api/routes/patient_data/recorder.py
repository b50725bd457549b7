"""The recorder of this computer (``ebbtide start``): straps, scan, pairing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from api.http.deps import Patient
from api.http.problems import describe_problems
from api.schemas.recorder import (
    Address,
    PairedOut,
    PairIn,
    RecorderOut,
    ScanIn,
    ScanOut,
    StrapChangeIn,
    StrapOut,
)
from api.services.recorder import LocalRecorder

router = APIRouter(tags=["recorder"])
StrapAddress = Annotated[Address, Path(description="The Bluetooth address of a paired strap")]


async def get_recorder(request: Request) -> LocalRecorder:
    """The recorder of this computer, or what says that there is none."""
    recorder: LocalRecorder = request.app.state.recorder
    return recorder


RecorderDep = Annotated[LocalRecorder, Depends(get_recorder)]


@router.get("/recorder", responses=describe_problems(401, 403, 404))
def recorder_state(person: Patient, recorder: RecorderDep) -> RecorderOut:
    """What the computer that runs this service records for the caller: their paired straps, and
    what keeps it from recording. 404 where this service does not record.
    """
    return recorder.state(person.id, person.zone)


@router.post("/recorder/scan", status_code=202, responses=describe_problems(401, 403, 404, 409))
def start_scan(body: ScanIn, person: Patient, recorder: RecorderDep) -> ScanOut:
    """Begin to listen for straps, one scan at a time."""
    return recorder.start_scan(person.id, body.seconds)


@router.get("/recorder/scan", responses=describe_problems(401, 403, 404))
def scan(person: Patient, recorder: RecorderDep) -> ScanOut:
    """What is heard meanwhile, or was heard last: certain straps first, the strongest first."""
    return recorder.scan(person.id)


@router.post(
    "/recorder/straps", status_code=201, responses=describe_problems(401, 403, 404, 409, 422)
)
def pair(body: PairIn, person: Patient, recorder: RecorderDep) -> PairedOut:
    """Ask a strap what it sends, which takes up to 30 s, and pair it with the caller: it is
    recorded from then on.
    """
    return recorder.pair(person.id, body.address, body.name)


@router.patch("/recorder/straps/{address}", responses=describe_problems(401, 403, 404, 409, 422))
def rename(
    address: StrapAddress, body: StrapChangeIn, person: Patient, recorder: RecorderDep
) -> StrapOut:
    """Call a strap something else; what it records from then on is another stream."""
    return recorder.rename(person.id, address, body.name)


@router.delete(
    "/recorder/straps/{address}", status_code=204, responses=describe_problems(401, 403, 404)
)
def forget(address: StrapAddress, person: Patient, recorder: RecorderDep) -> None:
    """Forget a strap. What it recorded stays."""
    recorder.forget(person.id, address)


@router.post(
    "/recorder/straps/{address}/off-said",
    status_code=204,
    responses=describe_problems(401, 403, 404),
)
def note_off_said(address: StrapAddress, person: Patient, recorder: RecorderDep) -> None:
    """Note that the caller was told that this strap is off, so that it is said once."""
    recorder.note_off_said(person.id, address)
