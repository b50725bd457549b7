"""Run docker-compose.yml without a container engine: namespaces of Linux, Debian's servers."""

from tests.support.compose.file import ComposeFile, Service
from tests.support.compose.run import ComposeRun, missing_reason, refused_reason

__all__ = ["ComposeFile", "ComposeRun", "Service", "missing_reason", "refused_reason"]
