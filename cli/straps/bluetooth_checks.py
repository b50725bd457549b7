"""What ``ebbtide doctor`` checks of Bluetooth: adapters, permission, connection intervals."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from cli.straps.check import Check, Finding
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from ebbtide.settings import Settings


def check_bluetooth() -> Iterator[Check]:
    """Check the adapters, their switches, and that a scan can start."""
    import asyncio

    if sys.platform == "linux":
        from ingest.straps.bluetooth.linux import adapters, switched_off

        found = adapters()
        if not found:
            yield Check(
                "Bluetooth adapter",
                Finding.ERROR,
                "this machine has none, or its driver is not loaded",
                "Plug in a Bluetooth 4.0 (or newer) USB adapter; dmesg | grep -i bluetooth says "
                "whether the kernel knows it.",
            )
            return
        yield Check(
            "Bluetooth adapter", Finding.OK, ", ".join(found), facts={"adapters": len(found)}
        )
        for name, how in switched_off().items():
            remedy = "rfkill unblock bluetooth" if how == "by software" else "Use the switch."
            yield Check("Bluetooth switch", Finding.ERROR, f"{name} is off {how}", remedy)
    yield asyncio.run(_check_adapter())


async def _check_adapter() -> Check:
    """Check that a scan can start: daemon, power, and permission."""
    from ingest.straps.bluetooth.adapter import ADAPTER_ERRORS, BleAdapter

    try:
        straps = await BleAdapter().listen(3.0)
    except ADAPTER_ERRORS as error:
        return Check(
            "Bluetooth", Finding.ERROR, _describe(error), _adapter_remedy(_describe(error))
        )
    return Check(
        "Bluetooth",
        Finding.OK,
        f"works; heart-rate straps heard in 3 s: {len(straps)}",
        facts={"straps_heard": len(straps)},
    )


def _describe(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _adapter_remedy(message: str) -> str:
    lower = message.lower()
    if sys.platform != "linux":
        return "Switch Bluetooth on, and allow this terminal to use it in the privacy settings."
    if "accessdenied" in lower or "permission" in lower:
        return "You may not use Bluetooth: sudo usermod -aG bluetooth $USER, then sign in anew."
    if "powered" in lower or "not ready" in lower:
        return "The adapter is off: bluetoothctl power on"
    if "org.bluez" in lower or "serviceunknown" in lower or "not provided" in lower:
        return "The Bluetooth daemon does not run: sudo systemctl enable --now bluetooth"
    if "no such file" in lower or "dbus" in lower or "connection refused" in lower:
        return (
            "There is no system D-Bus here: install and start dbus and bluez. In a container, "
            "mount /run/dbus/system_bus_socket."
        )
    return "See: systemctl status bluetooth, and bluetoothctl show"


def check_intervals(settings: Settings) -> Iterator[Check]:
    """Check connection intervals, in the past connections and in the kernel's limits.

    Where the kernel rejects the interval that a strap requests, the strap ends the connection
    after 30 or 150 s.
    """
    from ingest.outbox.connection_history import dropped_early, rejected_parameters
    from ingest.outbox.outbox import Outbox

    spells = []
    with suppress(EbbtideError):  # _outbox reports a damaged one
        if settings.outbox_file.exists():
            with Outbox(settings.outbox_file) as outbox:
                spells = outbox.connections.all()
    for strap, count in rejected_parameters(spells).items():
        yield Check(
            "Connections of " + strap,
            Finding.ERROR,
            f"{count} of the last ones ended after exactly 30 or 150 s: the kernel rejects the "
            "connection interval that the strap asks for",
            _widen_remedy(),
        )
    for strap, count in dropped_early(spells).items():
        yield Check(
            "Connections of " + strap,
            Finding.WARNING,
            f"{count} of the last 10 ended within 10 s: the strap may want to be paired with this "
            "machine, or is held by a phone",
            "Take it off other devices; then: bluetoothctl remove ADDRESS, and ebbtide pair",
        )
    if sys.platform != "linux":
        return
    from ingest.straps.bluetooth.linux import NEEDED_MAX_INTERVAL, interval_limits

    limits = interval_limits()
    if limits is None:
        if rejected_parameters(spells):
            yield Check(
                "Connection interval",
                Finding.WARNING,
                "the kernel's limits can be read by root only",
                "sudo ebbtide doctor reads them.",
            )
        return
    for limit in limits:
        wide = limit.largest >= NEEDED_MAX_INTERVAL
        yield Check(
            f"Connection interval of {limit.adapter}",
            Finding.OK if wide else Finding.WARNING,
            f"{limit.smallest * 1.25:g} to {limit.largest * 1.25:g} ms"
            + ("" if wide else ": Polar straps ask for up to 500 ms and may be dropped for it"),
            "" if wide else _widen_remedy(limit.adapter),
        )


def _widen_remedy(adapter: str = "hci0") -> str:
    from ingest.straps.bluetooth.linux import widen_command

    return (
        f"Until the next start of the machine: {widen_command(adapter)}  "
        "(docs/guides/straps.md: for good)"
    )
