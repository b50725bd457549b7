"""From a strap or a file to the API: decode, place in time, store on disk, upload.

The public face. Its names are imported on first use, so that a program that only imports files
loads no uploader, and none of it loads Bleak. Bluetooth is in ``ingest.straps.bluetooth``, the list
of paired straps in ``ingest.straps.paired``, the requests to the API in
``ingest.outbox.api_client``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from ingest.files.importer import import_recordings
    from ingest.files.registry import open_recording
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.outbox import Outbox
    from ingest.outbox.uploader import Uploader
    from ingest.recorder import Recorder
    from ingest.straps.simulated import SimulatedStrap
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "ingest.files.importer": ("import_recordings",),
            "ingest.files.registry": ("open_recording",),
            "ingest.outbox.batch_writer": ("BatchWriter",),
            "ingest.outbox.outbox": ("Outbox",),
            "ingest.outbox.uploader": ("Uploader",),
            "ingest.recorder": ("Recorder",),
            "ingest.straps.simulated": ("SimulatedStrap",),
        },
    )

__all__ = [
    "BatchWriter",
    "Outbox",
    "Recorder",
    "SimulatedStrap",
    "Uploader",
    "import_recordings",
    "open_recording",
]
