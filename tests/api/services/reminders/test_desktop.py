"""Notifications of a desktop, over a private D-Bus session with a played desktop on it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from api.services.reminders.desktop import DesktopWay
from api.services.reminders.ways import Message
from store.models import Person, Prompt, ReminderPlan, Role
from tests.conftest import skip_or_fail

NAME = "org.freedesktop.Notifications"


@dataclass
class Desktop:
    shown: list[list[Any]] = field(default_factory=list)
    refuses: bool = False


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        skip_or_fail("dbus-daemon is not installed")
    from dbus_fast import BusType, MessageType
    from dbus_fast import Message as BusMessage
    from dbus_fast.aio import MessageBus

    process = subprocess.Popen(
        [str(daemon), "--session", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", process.stdout.readline().strip())
    played, loop = Desktop(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve() -> MessageBus:
        bus = await MessageBus(bus_type=BusType.SESSION).connect()

        def answer(message: Any) -> Any:
            if message.member != "Notify" or message.message_type is not MessageType.METHOD_CALL:
                return None
            if played.refuses:
                return BusMessage.new_error(message, f"{NAME}.Error", "no")
            played.shown.append(message.body)
            return BusMessage.new_method_return(message, "u", [7])

        bus.add_message_handler(answer)
        await bus.request_name(NAME)
        return bus

    bus = asyncio.run_coroutine_threadsafe(serve(), loop).result(20)
    yield played

    async def leave() -> None:
        bus.disconnect()
        await bus.wait_for_disconnect()

    asyncio.run_coroutine_threadsafe(leave(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()
    process.terminate()
    process.wait()
    process.stdout.close()


def a_message(**changes: Any) -> Message:
    person = Person("p", "s", "ada@example.org", "Ada", "UTC", Role.PATIENT, False, "", 0)
    plan = ReminderPlan("p", "seed", "{}", "UTC", **changes)
    return Message(person, plan, Prompt("i", "p", "slot", "random", 0, "UTC", 1, 1, 0, 1), "secret")


def test_a_notification_is_shown_and_the_next_takes_its_place(desktop: Desktop) -> None:
    way, message = DesktopWay(), a_message()
    assert way.is_set_up(message.plan)
    assert not way.is_set_up(a_message(desktop=False).plan)
    assert way.send(message)
    assert way.send(message)
    first, second = desktop.shown
    assert (first[0], first[1], second[1]) == ("Ebbtide", 0, 7)
    assert "pain" not in " ".join(map(str, first)).lower()
    assert "Ada" not in " ".join(map(str, first)) and "secret" not in " ".join(map(str, first))


def test_a_desktop_that_shows_none_is_a_failure(desktop: Desktop) -> None:
    desktop.refuses = True
    with pytest.raises(OSError, match="no notifications"):
        DesktopWay().send(a_message())


def test_without_a_desktop_it_is_not_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert not DesktopWay().is_set_up(a_message().plan)
