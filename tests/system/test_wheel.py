"""The built wheel, installed into an empty environment outside the checkout.

uv installs it, from what is in its cache; EBBTIDE_WHEEL=pip has pip do it, which takes a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, skip_or_fail
from tests.support.ports import free_port

_USED = "api.app, analytics.association.within_person, analytics.report, cli.demo.run, streamlit"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment that holds the wheel and nothing of the checkout."""
    uv = shutil.which("uv")
    if uv is None:
        skip_or_fail("no uv on this machine (pip install uv)")
    folder = tmp_path_factory.mktemp("wheel")
    _run(uv, "build", "--wheel", "--quiet", "-o", str(folder / "dist"), cwd=ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    by_pip = os.environ.get("EBBTIDE_WHEEL") == "pip"
    venv.create(folder / "env", with_pip=by_pip)
    binaries = folder / "env" / "bin"
    if by_pip:
        _run(str(binaries / "pip"), "install", "--quiet", str(wheel), cwd=folder)
    else:
        command = (uv, "pip", "install", "--quiet", "--python", str(binaries / "python"))
        # What these tests import is compiled here, before anything waits for it; the rest need
        # not be.
        _run(*command, str(wheel), cwd=folder, UV_COMPILE_BYTECODE="false")
        _run(str(binaries / "python"), "-c", f"import {_USED}", cwd=folder)
    return binaries


def _run(*command: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=_environment(**env), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def _environment(**more: str) -> dict[str, str]:
    removed = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in removed and not name.startswith("EBBTIDE_")
    }
    return inherited | more


@contextmanager
def _running(command: list[str], folder: Path, **env: str) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(**env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _answers(url: str) -> httpx.Response:
    with httpx.Client(timeout=5) as client:
        for _ in range(240):
            try:
                return client.get(url)
            except httpx.TransportError:
                time.sleep(0.25)
    raise AssertionError(f"{url} did not answer within a minute")


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    printed = _run(str(installed / "ebbtide"), "demo", "--once", "--json", cwd=tmp_path)
    assert json.loads(printed)["beats_stored"] > 0


def test_the_api_and_the_dashboard_serve_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / "data"
    serve = [str(installed / "ebbtide"), "serve", "--port", str(port)]
    api = f"http://127.0.0.1:{port}"
    with _running(serve, tmp_path, EBBTIDE_DATA_DIR=str(folder)):
        assert _answers(f"{api}/v1/health").status_code == 200
    pages = [str(installed / "ebbtide"), "dashboard", "--port", str(port)]
    with _running(pages, tmp_path, EBBTIDE_DATA_DIR=str(folder), EBBTIDE_API_URL=api):
        assert _answers(f"http://127.0.0.1:{port}/_stcore/health").text == "ok"


def test_public_packages_import_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "import analytics, ebbtide.client, pathlib;"
        f"print(pathlib.Path(analytics.__file__).is_relative_to({str(installed.parent)!r}))"
    )
    assert _run(str(installed / "python"), "-c", code, cwd=tmp_path).strip() == "True"


def test_the_migrations_are_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from ebbtide.settings import Settings\n"
        "from store.factory import open_stores\n"
        "from store.sql.schema_version import NEWEST, current_revision\n"
        "from sqlalchemy import create_engine\n"
        "settings = Settings(data_dir=Path('data'))\n"
        "open_stores(settings).close()\n"
        "with create_engine(f'sqlite:///{settings.records_file}').connect() as connection:\n"
        "    print(current_revision(connection) == NEWEST)\n"
    )
    assert _run(str(installed / "python"), "-c", code, cwd=tmp_path).strip() == "True"
