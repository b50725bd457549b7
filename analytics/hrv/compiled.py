"""The loops of a day's HRV as machine code, where Numba is installed (``ebbtide[fast]``).

Nothing here is needed: the modules that use it have the same in NumPy, and the tests compare the
two to 1e-9. Numba takes a second to import, and the loops some ten seconds to compile, once: they
are kept beside this file, or in the user's cache where that cannot be written. So they are loaded
for long work only, or by whoever begins much of it.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

WORTH_WINDOWS = 20_000  # a week every 30 s: as many save more than the import takes
_LOOPS = "analytics.hrv._loops"
_SERIES = "analytics.hrv._series_loops"


def load() -> bool:
    """Use the compiled loops for the rest of this process; False where Numba is missing."""
    if importlib.util.find_spec("numba") is None:
        return False
    importlib.import_module(_LOOPS)
    importlib.import_module(_SERIES)
    return True


def unload() -> None:
    """Go back to NumPy, as before ``load``."""
    sys.modules.pop(_LOOPS, None)
    sys.modules.pop(_SERIES, None)


def loops() -> ModuleType | None:
    """Find the compiled loops; None where they are not loaded, and NumPy has to do."""
    return sys.modules.get(_LOOPS)


def series_loops() -> ModuleType | None:
    """Find the compiled loops along a series; None where they are not loaded."""
    return sys.modules.get(_SERIES)
