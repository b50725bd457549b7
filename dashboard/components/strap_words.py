"""What a strap does, and what to do about it, in a sentence for a tired person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dashboard.i18n.formatting import format_long_day, format_number, format_time
from dashboard.i18n.language import N_, _

# Why nothing at all is recorded, or no strap of this computer is reached.
COMPUTER_TROUBLES = {
    "another recorder": N_(
        "Another program of Ebbtide records on this computer (`ebbtide record`). Nothing is lost; "
        "when that one ends, this one goes on."
    ),
    "disk": N_(
        "The disk of this computer is full, or cannot be written. Make some room; recording then "
        "goes on by itself."
    ),
    "not running": N_(
        "The recorder does not start just now. It is tried again by itself; `ebbtide doctor` says "
        "more."
    ),
    "no adapter": N_(
        "This computer has no Bluetooth just now. If its adapter is a small plug, plug it in again."
    ),
    "adapter off": N_("Bluetooth is switched off on this computer. Switch it on, and that is all."),
    "no daemon": N_(
        "The Bluetooth service of this computer does not run. Restarting the computer usually "
        "brings it back."
    ),
    "not allowed": N_(
        "This user may not use Bluetooth here. `ebbtide doctor` says how to allow it."
    ),
}
_STRAP_TROUBLES = {
    "not heard": N_(
        "Not heard just now: most straps sleep until they feel skin. If you wear it, moisten the "
        "electrodes, and close the app on a phone or watch that may hold it."
    ),
    "no answer": N_(
        "Heard, and no answer. Perhaps a phone or watch holds it: close its app there, or come a "
        "little closer."
    ),
    "address changed": N_(
        "It seems to have a new address, as after a change of battery. Forget it here, and add it "
        "again."
    ),
    "no link left": N_("This computer holds no more straps at once. Take another one off first."),
    "other": N_("Bluetooth did not work just now. It is tried again by itself."),
}
_NEAR_DBM = ((-60, N_("very near")), (-75, N_("near")), (-88, N_("further away")))
_MIN_LEAD_DB = 8  # stronger than the next by this much: probably the one that is worn
_LOW_BATTERY_PERCENT = 15
_NOW = timedelta(seconds=15)
_HOUR = timedelta(hours=1)


def describe_trouble(word: str) -> str:
    """Describe what is wrong with the computer, or with one strap."""
    return _(COMPUTER_TROUBLES.get(word) or _STRAP_TROUBLES.get(word) or _STRAP_TROUBLES["other"])


def describe_strap(strap: dict[str, Any], state: dict[str, Any]) -> str:
    """Describe how a strap does, and what to do if anything, as Markdown."""
    whole = state["problem"] or state["bluetooth"]
    if whole is not None and strap["connection"] != "connected":
        return _("Not recorded just now.")  # why is above the list
    if strap["connection"] == "connected":
        rate = strap["heart_rate_bpm"]
        if rate is None:
            return _("Connected. Waiting for a beat.")
        if strap["contact"] is False:
            return _(
                "It is on, and feels no skin. Moisten the electrodes, and pull the strap a little "
                "tighter."
            )
        heart = _("Heart **{rate}** a minute").format(rate=format_number(rate, 0))
        if strap["has_intervals"] is False:
            return heart + _(". Single beats do not come through yet: moisten the electrodes.")
        return heart + _(". It records, and all is well.")
    if strap["trouble"] is not None:
        return describe_trouble(strap["trouble"])
    if strap["connection"] == "off":
        return _("The recorder starts. A moment, please.")
    return _("Looking for it.")


def describe_battery(percent: int | None) -> str | None:
    """Describe the charge; None where the strap does not say."""
    if percent is None:
        return None
    if percent <= _LOW_BATTERY_PERCENT:
        return _("battery {percent}%: time for a new one soon").format(percent=percent)
    return _("battery {percent}%").format(percent=percent)


def describe_last_heard(text: str | None, now: datetime) -> str:
    """Describe when something came from the strap last."""
    if text is None:
        return _("not heard yet")
    heard = datetime.fromisoformat(text)
    now = now.astimezone(heard.tzinfo)
    age = now - heard
    if age < _NOW:
        return _("heard just now")
    if age < _HOUR:
        minutes = max(1, round(age.total_seconds() / 60))
        return _("heard {minutes} min ago").format(minutes=minutes)
    if heard.date() == now.date():
        return _("heard today at {time}").format(time=format_time(heard))
    if heard.date() == (now - timedelta(days=1)).date():
        return _("heard yesterday at {time}").format(time=format_time(heard))
    return _("heard last on {day}").format(day=format_long_day(heard))


def describe_signal(signal_dbm: int | None) -> str:
    """Describe how strong a strap is heard, with bars."""
    if signal_dbm is None:
        return ""
    for level, (least, word) in enumerate(_NEAR_DBM):
        if signal_dbm >= least:
            return f"{'▮' * (4 - level)}{'▯' * level} {_(word)}"
    return "▮▯▯▯ " + _("far away")


def find_worn(found: list[dict[str, Any]]) -> str | None:
    """Return the address of the strap that is probably the one that is worn: the only one, or the
    strongest by far.
    """
    free = [item for item in found if item["paired_with"] is None and item["is_certain"]]
    if not free:
        return None
    first = free[0]
    if len(free) == 1:
        return str(first["address"])
    signals = (first["signal_dbm"], free[1]["signal_dbm"])
    if None in signals or signals[0] - signals[1] < _MIN_LEAD_DB:
        return None
    return str(first["address"])
