"""From a strap or a file to the API: decode, place in time, store on disk, upload.

The public face. Its names are imported on first use, so that a program that only imports files
loads no uploader, and none of it loads Bleak. Bluetooth is in ``ingest.straps.bluetooth``, the list
of paired straps in ``ingest.straps.paired``, the requests to the API in
``ingest.outbox.api_client``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.files.importer import import_recordings
    from ingest.files.registry import open_recording
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.outbox import Outbox
    from ingest.outbox.uploader import Uploader
    from ingest.recorder import Recorder
    from ingest.straps.simulated import SimulatedStrap

__all__ = [
    "BatchWriter",
    "Outbox",
    "Recorder",
    "SimulatedStrap",
    "Uploader",
    "import_recordings",
    "open_recording",
]

_MODULES = {
    "BatchWriter": "ingest.outbox.batch_writer",
    "Outbox": "ingest.outbox.outbox",
    "Recorder": "ingest.recorder",
    "SimulatedStrap": "ingest.straps.simulated",
    "Uploader": "ingest.outbox.uploader",
    "import_recordings": "ingest.files.importer",
    "open_recording": "ingest.files.registry",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
