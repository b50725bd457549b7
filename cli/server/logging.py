"""How the servers log: lines for people, or an object a line for a collector."""

from __future__ import annotations

from typing import Any

from ebbtide.settings import Settings


def log_config(settings: Settings) -> dict[str, Any]:
    """For logging.config.dictConfig and uvicorn. Uvicorn's own line a request is off: it has the
    query and the address of who asks; ours (api/middleware/telemetry.py) has neither.
    """
    formatter: dict[str, Any] = {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    if settings.log_format == "json":
        formatter = {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"one": formatter},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "one",
            }
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "ebbtide": {"level": "INFO"},
            "uvicorn": {"level": "INFO"},
            "uvicorn.access": {"level": "CRITICAL"},
            "py.warnings": {"level": "WARNING"},  # lines like the others (logging.captureWarnings)
        },
    }
