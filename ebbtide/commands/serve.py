"""``ebbtide serve`` and ``ebbtide dashboard``."""

from __future__ import annotations

import contextlib
import subprocess

from ebbtide.settings import Settings


def run_api(host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the API until Ctrl-C. Several workers are several processes on the same stores; one
    that dies is begun anew.
    """
    import uvicorn

    from api.app import create_app
    from api.stores import open_house

    settings = Settings()
    # Opened here first: what is wrong is told once, and one process brings the tables forward.
    house = open_house(settings)
    address = host or settings.api_host
    number = settings.api_port if port is None else port
    many = workers or settings.api_workers
    if many == 1:
        uvicorn.run(create_app(house), host=address, port=number)
        return
    house.beats.close()
    house.records.close()
    uvicorn.run("api.app:from_settings", factory=True, workers=many, host=address, port=number)


def run_dashboard(host: str | None, port: int | None) -> None:
    """Serve the pages until Ctrl-C."""
    from dashboard.launch import dashboard_command, dashboard_environment

    settings = Settings()
    command = dashboard_command(
        host or settings.dashboard_host, settings.dashboard_port if port is None else port
    )
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run(command, env=dashboard_environment(settings.api_url), check=False)
