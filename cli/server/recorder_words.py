"""What to do about a strap that cannot be reached, in a sentence."""

from __future__ import annotations

_WORDS = {
    "not heard": (
        "It was not heard. Moisten its electrodes, put it on, and end the app on a phone or watch "
        "that may hold it."
    ),
    "no answer": (
        "It was heard and did not answer. End the app on a phone or watch that may hold it, come "
        "closer, and try again."
    ),
    "address changed": "It has another address now. Forget it here, and pair it anew.",
    "no link left": "This computer holds no more straps at once. Take another one off first.",
    "no adapter": "This computer has no Bluetooth. A small USB adapter adds it.",
    "adapter off": "Bluetooth is switched off on this computer. Switch it on.",
    "no daemon": "The Bluetooth service of this computer does not run: ebbtide doctor says more.",
    "not allowed": "This user may not use Bluetooth: ebbtide doctor says more.",
    "other": "Bluetooth did not work. Try again; ebbtide doctor says more.",
}


def describe_trouble(trouble: str) -> str:
    """Say what to do about a trouble of ``ingest.straps.bluetooth.troubles``."""
    return _WORDS.get(trouble, _WORDS["other"])
