"""A notification of the desktop (org.freedesktop.Notifications, over D-Bus)."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from typing import Any

from api.services.reminders.ways import Message
from store.models import ReminderPlan

_NAME = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_TIMEOUT_S = 5.0


class DesktopWay:
    """Show it on the desktop of this computer. A second one takes the place of the first."""

    name = "desktop"

    def __init__(self) -> None:
        self._last_id = 0

    def is_set_up(self, plan: ReminderPlan) -> bool:
        """Whether the person wishes it, and this computer has a desktop."""
        return plan.desktop and has_desktop()

    def send(self, message: Message) -> bool:
        """Show it; whether the desktop took it."""
        asyncio.run(asyncio.wait_for(self._notify(message.title, message.text), _TIMEOUT_S))
        return True

    async def _notify(self, title: str, text: str) -> None:
        # Comes with bleak, on Linux alone.
        from dbus_fast import BusType, MessageType
        from dbus_fast import Message as BusMessage
        from dbus_fast.aio import MessageBus

        bus = await MessageBus(bus_type=BusType.SESSION).connect()
        try:
            body: list[Any] = ["Ebbtide", self._last_id, "", title, text, [], {}, -1]
            reply = await bus.call(
                BusMessage(
                    destination=_NAME,
                    path=_PATH,
                    interface=_NAME,
                    member="Notify",
                    signature="susssasa{sv}i",
                    body=body,
                )
            )
            if reply is None or reply.message_type is MessageType.ERROR:
                raise OSError("the desktop shows no notifications")
            self._last_id = int(reply.body[0])
        finally:
            bus.disconnect()
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


def has_desktop() -> bool:
    """Whether there is a session bus, on which a desktop would listen."""
    return (
        "DBUS_SESSION_BUS_ADDRESS" in os.environ
        and importlib.util.find_spec("dbus_fast") is not None
    )
