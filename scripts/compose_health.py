"""Show that each health check of docker-compose.yml fails when its service is broken.

    uv run python scripts/compose_health.py

Runs the services as tests/system/test_clinic.py does (Linux, root), breaks one after the other, and
prints what its health check says then. Ends with status 1 where one takes a broken service for a
healthy one.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.conftest import ROOT
from tests.support.compose import ComposeRun, missing_reason, refused_reason


@contextmanager
def opened() -> Iterator[ComposeRun]:
    """Run all services."""
    with tempfile.TemporaryDirectory(prefix="ebbtide-clinic-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        subprocess.run(
            [sys.executable, "-m", "ebbtide", "secrets", str(folder / "secrets")], check=True
        )
        with ComposeRun(ROOT / "docker-compose.yml", folder, folder / "secrets") as run:
            run.up()
            yield run


def main() -> int:
    """Break services and count checks that did not notice."""
    reason = missing_reason() or refused_reason()
    if reason is not None:
        print(f"Not run: {reason}.")
        return 2
    unnoticed = 0

    def check(run: ComposeRun, name: str, words: str) -> None:
        nonlocal unnoticed
        found = run.health(name, timeout_s=8)
        said = (found.stdout + found.stderr).strip().splitlines()
        unnoticed += found.returncode == 0
        verdict = "HEALTHY" if found.returncode == 0 else "not healthy"
        print(f"{name}, {words}: {verdict} ({said[-1] if said else ''})", flush=True)

    with opened() as run:
        for service in run.file.in_order():
            # What hangs: every process of the service is stopped.
            if service.name not in ("nightly", "backup"):
                run.signal(service.name, signal.SIGSTOP)
                check(run, service.name, "hangs")
                run.signal(service.name, signal.SIGCONT)
                run.wait_until_healthy(service.name)
        for name in ("nightly", "backup"):
            state = run.volume("data") / f"daily-{name}.json"
            run.signal(name, signal.SIGSTOP)  # it would write its own state over this one
            before = state.read_text()
            state.write_text(before.replace('"failed": ""', '"failed": "the run ended with 1"'))
            check(run, name, "last run failed")
            state.write_text(before.replace('"alive_s": 1', '"alive_s": 0.1'))
            check(run, name, "its loop has been silent")
            run.signal(name, signal.SIGCONT)
        for store in ("postgres", "influxdb"):
            run.stop(store)
            check(run, "api", f"without {store}")
            run.start(store)
            run.wait_until_healthy(store)
            run.wait_until_healthy("api")
        secret = run.folder / "secrets/ebbtide_influxdb_password"
        secret.chmod(0o644)
        before = secret.read_text()
        secret.write_text("another-password-of-the-right-form")
        check(run, "influxdb", "with another password than Ebbtide's")
        secret.write_text(before)
    print("Every check noticed." if not unnoticed else f"{unnoticed} were not noticed.")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
