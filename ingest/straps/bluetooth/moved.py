"""Find a paired strap again whose Bluetooth address changed.

Some straps change their address when their battery is replaced or by themselves (random addresses).
A name alone proves little: many straps of one model share it, and the one next to it may be another
person's. So a strap is followed by itself only when all agree: one strap with this name, which
holds a serial number, the Heart Rate Service, the same manufacturer, and nobody's paired address.
Otherwise a person has to say, with ``ebbtide pair``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bleak.exc import BleakError

from ingest.straps.bluetooth.adapter import BleAdapter, NotFoundError
from ingest.straps.bluetooth.scan import FoundStrap, find_moved, scan
from ingest.straps.paired import PairedStrap

_LISTEN_S = 6.0
# Four letters or digits or more with two digits among them: "Polar H10 8C4CAD25", "HRM-Pro 421337".
_WORD = re.compile(r"[0-9A-Za-z]{4,}")
_MIN_DIGITS = 2


class MovedStrapError(BleakError):
    """A strap was heard that may be the paired one under another address: a person must say."""


async def find_again(
    paired: PairedStrap,
    all_paired: Sequence[PairedStrap],
    adapter: BleAdapter,
    seconds: float = _LISTEN_S,
) -> str:
    """Find the new address of ``paired``.

    Raises MovedStrapError, naming what was heard and what to do, where it is not certain, and
    NotFoundError where nothing fits.
    """
    name = paired.advertised_name
    if name is None:
        raise NotFoundError("it was not heard")
    taken = {strap.address.upper() for strap in all_paired}
    heard = [strap for strap in await scan(seconds, adapter) if strap.address.upper() not in taken]
    fits = find_moved(name, paired.manufacturers, heard)
    if len(fits) == 1 and _is_certain(fits[0], paired):
        return fits[0].address
    if fits:
        addresses = ", ".join(strap.address for strap in fits)
        raise MovedStrapError(
            f"it was not heard under its address; of its name ({name}) was heard: {addresses}. "
            f"If that is this strap: ebbtide pair '{paired.name}'"
        )
    raise NotFoundError("it was not heard")


def _is_certain(strap: FoundStrap, paired: PairedStrap) -> bool:
    has_serial = any(
        sum(letter.isdigit() for letter in word) >= _MIN_DIGITS
        for word in _WORD.findall(strap.name)
    )
    same_maker = bool(set(strap.manufacturers) & set(paired.manufacturers))
    return strap.is_certain and has_serial and same_maker
