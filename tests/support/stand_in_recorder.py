"""A process that speaks as the recorder of ``ebbtide start`` does, without Bluetooth: to test what
watches it. Scans find one strap; a probe answers by the strap's address.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

FOUND = {"address": "C0:00:00:00:00:01", "name": "H10", "signal_dbm": -50, "is_certain": True}
NO_HEART, SILENT = "C0:00:00:00:00:0F", "C0:00:00:00:00:0E"
STATE: dict[str, Any] = {
    **{"straps": {}, "waiting": {}, "uploads": {}, "bluetooth": None, "problem": None},
    **{"detail": "", "most_links": 0, "is_idle": True},
}


def main() -> None:
    say({"state": STATE})
    if "hang" in sys.argv:
        time.sleep(600)
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "scan":
            scan = {"is_running": False, "trouble": None, "seconds_left": 0, "found": [FOUND]}
            say({"state": {**STATE, "scan": scan}})
            say({"answer": command["id"]})
        elif command["do"] == "probe" and command["address"] != SILENT:
            gives = [] if command["address"] == NO_HEART else ["heart rate"]
            facts = {"gives": gives, "model": "H10", "firmware": "5"}
            strap = {"address": command["address"], "name": "H10", "facts": facts}
            strap |= {"sends_rr": True, "manufacturers": [107], "advertised": True}
            say({"answer": command["id"], "trouble": None, "strap": strap})
        elif command["do"] == "probe":
            say({"answer": command["id"], "trouble": "not heard", "strap": {}})


def say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
