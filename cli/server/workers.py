"""The application of one of several worker processes of ``ebbtide serve``."""

from __future__ import annotations

import logging
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def create_worker_app() -> FastAPI:
    """Create the API with the settings of the environment."""
    from api import create_app
    from cli.local_erasure import local_eraser
    from ebbtide.settings import Settings
    from store import open_stores

    settings = Settings()
    logging.captureWarnings(True)
    return create_app(open_stores(settings), settings, local_eraser(settings), _end)


def _end() -> None:
    """End this worker as at a stop of the server; its supervisor begins another one."""
    os.kill(os.getpid(), signal.SIGTERM)
