"""``ebbtide serve`` and ``ebbtide dashboard``."""

from __future__ import annotations

import contextlib
import subprocess

from ebbtide.settings import Settings


def run_api(host: str | None, port: int | None) -> None:
    """Serve the API until Ctrl-C."""
    import uvicorn

    from api.app import create_app, open_house

    settings = Settings()
    uvicorn.run(
        create_app(open_house(settings)),
        host=host or settings.api_host,
        port=settings.api_port if port is None else port,
    )


def run_dashboard(host: str | None, port: int | None) -> None:
    """Serve the pages until Ctrl-C."""
    from dashboard.launch import dashboard_command, dashboard_environment

    settings = Settings()
    command = dashboard_command(
        host or settings.dashboard_host, settings.dashboard_port if port is None else port
    )
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run(command, env=dashboard_environment(settings.api_url), check=False)
