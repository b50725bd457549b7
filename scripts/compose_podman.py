"""Run docker-compose.yml in Podman, with stand-ins for the images that cannot be pulled.

    uv run python scripts/compose_podman.py FOLDER     # of which the images and volumes are

Needs root, Debian's podman, runc, netavark, aardvark-dns and mmdebstrap, and Debian's mirror. The
images of this project are built from their Dockerfiles. Those they begin with are made here: Debian
by mmdebstrap; Python 3.13 of Debian 13 in an environment of its own; Caddy's release from PyPI;
Debian's PostgreSQL with tests/support/compose/postgres-entrypoint.sh. Prints each health check's
result. It takes some ten minutes, and so is not part of CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.conftest import ROOT
from tests.support.compose import ComposeFile, Service

_LIMITS = """[containers]
default_ulimits=["nofile=1024:1024","nproc=4000:4000"]
[engine]
runtime="runc"
[network]
network_backend="netavark"
"""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BASES = {
    "docker.io/library/python:3.13-slim": f"""FROM localhost/python-base
RUN python3 -m venv /usr/local/python
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PATH=/usr/local/python/bin:{_PATH}
""",
    "docker.io/library/caddy:2.11.7": """FROM docker.io/library/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libcap2-bin
COPY caddy /usr/bin/caddy
RUN setcap cap_net_bind_service=+ep /usr/bin/caddy
""",
    "docker.io/library/postgres:15": f"""FROM docker.io/library/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql \\
 && rm -rf /var/lib/postgresql/* && usermod -u 999 postgres \\
 && install -d -m 1777 -o 999 /var/lib/postgresql/data
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:{_PATH}
ENTRYPOINT ["docker-entrypoint.sh"]
""",
}
_ROOTS = {
    "docker.io/library/debian:bookworm-slim": ("bookworm", "ca-certificates"),
    "localhost/python-base": ("trixie", "ca-certificates,python3,python3-venv,tzdata"),
}
_DEADLINE_S = 300.0


def podman(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run podman."""
    return subprocess.run(["podman", *words], check=check, capture_output=True, text=True)


def build(folder: Path) -> None:
    """Make the images that are not there."""
    for image, (suite, packages) in _ROOTS.items():
        if podman("image", "exists", image, check=False).returncode:
            tar = folder / f"{suite}.tar"
            command = ["mmdebstrap", "--variant=minbase", f"--include={packages}", suite, str(tar)]
            subprocess.run(command, check=True, capture_output=True)
            podman("import", "-q", str(tar), image)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", folder)
    shutil.copy(Path(sys.executable).with_name("caddy"), folder)
    shutil.copy(ROOT / "tests/support/compose/postgres-entrypoint.sh", folder)
    for image, text in _BASES.items():
        (folder / "Dockerfile").write_text(text)
        _build(image, folder)
    for image, context in (
        ("ebbtide-influxdb:local", ROOT / "docker/influxdb"),
        ("ebbtide-proxy:local", ROOT / "docker/caddy"),
        ("ebbtide:local", ROOT),
    ):
        _build(image, context)


def _build(image: str, context: Path) -> None:
    started = time.monotonic()
    limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4000:4000")
    options = ("--format", "docker", "--runtime", "runc", "--network", "host", *limits)
    done = podman("build", "-q", *options, "-t", image, str(context), check=False)
    assert done.returncode == 0, f"{image}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    print(f"{image}: built in {time.monotonic() - started:.0f} s", flush=True)


def create_networks(file: ComposeFile) -> None:
    """Make the networks of the file."""
    for name, network in file.networks.items():
        options = ["--internal"] if network.get("internal") else []
        for config in network.get("ipam", {}).get("config", []):
            options += ["--subnet", config["subnet"], "--ip-range", config["ip_range"]]
        podman("network", "create", *options, f"ebbtide_{name}")


def start(service: Service, *command: str, detached: bool = True) -> None:
    """Start a service as the file says, or another command in its place."""
    words = ["run", "--name", f"ebbtide_{service.name}", "--network-alias", service.name]
    words += ["-d"] if detached else ["--rm"]
    # Docker adds no writable folders of its own to a read-only root.
    words += ["--read-only", "--read-only-tmpfs=false"] if service.raw.get("read_only") else []
    words += [f"--cap-drop={name}" for name in service.raw.get("cap_drop", [])]
    words += [f"--security-opt={name}" for name in service.raw.get("security_opt", [])]
    words += ["--user", service.user] if service.user else []
    words += [f"--env={key}={value}" for key, value in service.environment.items()]
    for entry in service.tmpfs:
        # Nor does it copy into them what the image has there.
        words.append(f"--tmpfs={entry}{',' if ':' in entry else ':'}notmpcopyup")
    words += [
        f"--volume={source}:/run/secrets/{name}:ro" for name, source in service.secrets.items()
    ]
    for source, target in service.volumes:
        words.append(f"--volume=ebbtide_{source}:{target}")
    words += [f"--publish={host}:{inside}" for host, inside in service.ports]
    for name, address in service.networks.items():
        fixed = "" if address is None else f":ip={address}"
        words.append(f"--network=ebbtide_{name}{fixed}")
    image = service.image if ":" in service.image else f"{service.image}:latest"
    podman(*words, image, *(command or service.command))


def wait_until_healthy(service: Service) -> None:
    """Run the health check until it says yes."""
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        done = podman("exec", f"ebbtide_{service.name}", *service.healthcheck, check=False)
        if done.returncode == 0:
            print(f"{service.name}: healthy {done.stdout.strip()}", flush=True)
            return
        if time.monotonic() > deadline:
            log = podman("logs", "--tail", "20", f"ebbtide_{service.name}", check=False)
            raise SystemExit(f"{service.name}: {done.stderr}\n{log.stdout}{log.stderr}")
        time.sleep(2)


def clean() -> None:
    """Remove containers, volumes and networks of an earlier run."""
    names = podman("ps", "-a", "--format", "{{.Names}}").stdout.split()
    for name in (name for name in names if name.startswith("ebbtide_")):
        podman("rm", "-f", "-t", "5", name, check=False)
    for kind in ("volume", "network"):
        for name in podman(kind, "ls", "--format", "{{.Name}}").stdout.split():
            if name.startswith("ebbtide_"):
                podman(kind, "rm", "-f", name, check=False)


def main(folder: Path) -> None:
    """Build, start in order, check, and remove."""
    folder.mkdir(parents=True, exist_ok=True)
    limits = folder / "containers.conf"
    limits.write_text(_LIMITS)
    os.environ["CONTAINERS_CONF"] = str(limits)
    build(folder)
    secrets = folder / "secrets"
    shutil.rmtree(secrets, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "ebbtide", "secrets", str(secrets)], check=True)
    variables = {"EBBTIDE_DOMAIN": "clinic.example"}
    file = ComposeFile.read(ROOT / "docker-compose.yml", variables, secrets)
    clean()
    try:
        create_networks(file)
        for service in file.in_order():
            start(service)
            wait_until_healthy(service)
        for path in ("/v1/ready", "/"):
            command = ["curl", "-fsSk", "--resolve", "clinic.example:443:127.0.0.1"]
            answer = subprocess.run(
                [*command, f"https://clinic.example{path}"],
                check=True,
                capture_output=True,
                text=True,
            )
            print(f"https://clinic.example{path}: {answer.stdout[:60]!r}")
        made = podman(
            *("exec", "ebbtide_backup", "ebbtide", "backup", "--in", "/backups", "--keep", "2")
        )
        print(made.stdout.strip())
    finally:
        clean()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
