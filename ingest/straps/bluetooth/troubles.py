"""Name what keeps a strap from being recorded, from what the system's Bluetooth says."""

from __future__ import annotations

import sys
from enum import StrEnum

from ingest.straps.bluetooth.linux import adapters, switched_off


class Trouble(StrEnum):
    """Why a strap, or all straps, cannot be reached."""

    NOT_HEARD = "not heard"
    NO_ANSWER = "no answer"
    MOVED = "address changed"
    NO_LINK_LEFT = "no link left"
    NO_ADAPTER = "no adapter"
    ADAPTER_OFF = "adapter off"
    NO_DAEMON = "no daemon"
    NOT_ALLOWED = "not allowed"
    OTHER = "other"


# Of the computer, and so of all its straps.
OF_COMPUTER = frozenset(
    {Trouble.NO_ADAPTER, Trouble.ADAPTER_OFF, Trouble.NO_DAEMON, Trouble.NOT_ALLOWED}
)
# In this order: what comes first is the more precise. Texts of Bleak, D-Bus, BlueZ, WinRT.
_WORDS: tuple[tuple[Trouble, tuple[str, ...]], ...] = (
    (Trouble.MOVED, ("under its address",)),
    (Trouble.NOT_HEARD, ("not heard", "was not found")),
    (Trouble.NO_LINK_LEFT, ("limit exceeded", "0x09", "too many", "no more profiles")),
    (Trouble.NOT_ALLOWED, ("accessdenied", "access denied", "rejected send", "denied")),
    (Trouble.ADAPTER_OFF, ("powered", "not ready", "notready", "turned off", "radio is off")),
    (Trouble.NO_ADAPTER, ("no bluetooth adapter", "no such adapter", "adapter 'hci")),
    (
        Trouble.NO_DAEMON,
        (
            *("serviceunknown", "not provided by any", "noreply", "org.freedesktop.dbus.error"),
            *("no such file", "connection refused", "cannot be used here", "went away"),
        ),
    ),
    (Trouble.NO_ANSWER, ("did not answer", "abort", "timeout", "timed out", "page-timeout")),
)


def name_trouble(words: str) -> Trouble:
    """Name the trouble that these words of the system describe.

    Where the daemon does not answer, the kernel says whether there is an adapter at all.
    """
    lower = words.lower()
    found = next(
        (trouble for trouble, parts in _WORDS if any(part in lower for part in parts)),
        Trouble.OTHER,
    )
    if found is Trouble.NO_DAEMON and sys.platform == "linux":
        if not adapters():
            return Trouble.NO_ADAPTER
        if switched_off():
            return Trouble.ADAPTER_OFF
    return found
