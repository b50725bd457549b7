"""A strap's electrocardiogram, written to this machine only and only on request.

One line a notification, ``received_ns,rate_hz,microvolts separated by spaces``, written through at
once. It is not uploaded: Ebbtide works on beats, and an ECG is much more health data to protect.
"""

from __future__ import annotations

import re
from pathlib import Path

from ebbtide._files import make_private
from ebbtide.errors import EbbtideError
from ingest.straps.strap import RawEcg


class EcgFile:
    """Appends to ``<folder>/<strap>.csv``."""

    def __init__(self, folder: Path, strap_name: str) -> None:
        self.path = folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', strap_name)}.csv"
        try:
            make_private(self.path)
            self._file = self.path.open("a", buffering=1)
            if not self._file.tell():
                self._file.write("received_ns,rate_hz,microvolts\n")
        except OSError as error:
            raise EbbtideError(
                f"The ECG file {self.path} cannot be written: {error.strerror or error}.",
                "Check the folder, or record without --ecg.",
            ) from error

    def add(self, ecg: RawEcg) -> None:
        """Write one notification's samples."""
        samples = " ".join(map(str, ecg.samples_uv))
        self._file.write(f"{ecg.received_ns},{ecg.rate_hz},{samples}\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
