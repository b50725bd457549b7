"""Read the state of Bluetooth from the files of the Linux kernel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# 1.25 ms each. Polar straps ask for up to 400 (500 ms).
NEEDED_MAX_INTERVAL = 400


@dataclass(frozen=True, slots=True)
class IntervalLimits:
    """The kernel's limits for the connection interval of one adapter, in 1.25 ms."""

    adapter: str
    smallest: int
    largest: int


def adapters(sys: Path = Path("/sys")) -> list[str]:
    """Adapters that the kernel has, such as hci0."""
    folder = sys / "class" / "bluetooth"
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if ":" not in path.name)


def switched_off(sys: Path = Path("/sys")) -> dict[str, str]:
    """Bluetooth switches (rfkill) that are off: name, and "by software" or "by a switch"."""
    found = {}
    for switch in sorted((sys / "class" / "rfkill").glob("rfkill*")):
        if _text(switch / "type") != "bluetooth":
            continue
        if _text(switch / "hard") == "1":
            found[_text(switch / "name")] = "by a switch"
        elif _text(switch / "soft") == "1":
            found[_text(switch / "name")] = "by software"
    return found


def interval_limits(sys: Path = Path("/sys")) -> list[IntervalLimits] | None:
    """The limits of each adapter; None where they may not be read (root only)."""
    folder = sys / "kernel" / "debug" / "bluetooth"
    try:
        names = sorted(path.name for path in folder.iterdir() if path.name.startswith("hci"))
        return [
            IntervalLimits(
                name,
                int((folder / name / "conn_min_interval").read_text()),
                int((folder / name / "conn_max_interval").read_text()),
            )
            for name in names
        ]
    except (OSError, ValueError):
        return None


def widen_command(adapter: str) -> str:
    """The command, to be run as root, that allows the interval that Polar straps ask for."""
    file = f"/sys/kernel/debug/bluetooth/{adapter}/conn_max_interval"
    return f"echo {NEEDED_MAX_INTERVAL} | sudo tee {file}"


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
