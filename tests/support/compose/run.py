"""Start services in namespaces of their own: network, mounts and processes, as an engine does.

Each service gets its addresses on bridges, names of the others in /etc/hosts, secrets, volumes, a
read-only root without capabilities, and its exact command. The root is this machine's, so that
programs are Debian's and those of the virtual environment. No resource limits, no images.
"""

from __future__ import annotations

import compileall
import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import ROOT
from tests.support.compose.file import ComposeFile, Service
from tests.support.postgres import postgres_bin

_BIN = Path(sys.executable).parent
_ENTER = Path(__file__).with_name("enter.sh")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What the Dockerfiles copy into the images: from, to.
_FILES = {
    "docker/caddy": [
        (_BIN / "caddy", "/usr/local/bin/caddy"),
        *(
            (file, f"/etc/caddy/{file.name}")
            for file in (ROOT / "docker/caddy").iterdir()
            if file.name != "Dockerfile"
        ),
    ],
    "docker/influxdb": [
        (ROOT / "docker/influxdb/influxdb.conf", "/etc/influxdb/influxdb.conf"),
        (ROOT / "docker/influxdb/influxdb-start", "/usr/local/bin/influxdb-start"),
        (ROOT / "docker/influxdb/influxdb-healthy", "/usr/local/bin/influxdb-healthy"),
    ],
}
_OWN_IMAGE = "ebbtide:local"
_HEALTH_DEADLINE_S = 180.0  # two cores may be shared by much else


def missing_reason() -> str | None:
    """Why this machine cannot run the file; None where it can."""
    for program, package in (
        ("influxd", "influxdb"),
        ("curl", "curl"),
        ("ip", "iproute2"),
        ("unshare", "util-linux"),
    ):
        if shutil.which(program) is None:
            return f"no {program} (Debian: apt install {package})"
    if postgres_bin() is None:
        return "no PostgreSQL (Debian: apt install postgresql)"
    return None


def refused_reason() -> str | None:
    """Why the system does not let this user run the file, which no package mends; None where it
    does.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return "namespaces need root on Linux"
    script = (
        "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && "
        "mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r && "
        "mount -t proc proc /mnt/r/proc && ip link add probe type bridge"
    )
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces here: {done.stderr.strip()}" if done.returncode else None


class ComposeRun:
    """One clinic. ``folder``: for its volumes and logs."""

    def __init__(self, file: Path, folder: Path, secrets_dir: Path, **variables: str) -> None:
        # Addresses of their own: several of these may run at once.
        free = f"10.{secrets.randbelow(120) + 100}.{secrets.randbelow(250)}"
        self.prefix = variables.get("EBBTIDE_NETWORK", free)
        self._id = f"eb{secrets.token_hex(3)}"
        self.variables = {"EBBTIDE_NETWORK": self.prefix, **variables}
        self.file = ComposeFile.read(file, self.variables, secrets_dir)
        self.folder = folder
        self._addresses: dict[str, dict[str, str]] = {}  # service, network
        self._bridges: list[str] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._forwarders: list[_Forwarder] = []
        self._names: list[str] = []

    def __enter__(self) -> ComposeRun:
        try:
            self._make_networks()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def gateway(self) -> str:
        """The address at which ports are published."""
        return f"{self.prefix}.1"

    def address(self, name: str, network: str = "front") -> str:
        """The address of a service."""
        return self._addresses[name][network]

    def up(self) -> None:
        """Start all services in order, each once those that it needs are healthy."""
        _compile()
        for service in self.file.in_order():
            for name in service.depends_on:
                self.wait_until_healthy(name)
            self.start(service.name)
        for service in self.file.in_order():
            self.wait_until_healthy(service.name)

    def start(self, name: str) -> None:
        """Start the exact command of a service."""
        service = self.file.services[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._enter(service, service.command, "service"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, *names: str) -> None:
        """End services as ``docker compose stop`` does."""
        for name in names:
            process = self._running.pop(name)
            with contextlib.suppress(ProcessLookupError):
                first = self._pid(process)
                # The signal that the image of PostgreSQL names: at SIGTERM it waits for clients.
                is_postgres = self.file.services[name].image.startswith("postgres:")
                os.kill(first, signal.SIGINT if is_postgres else signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    os.kill(first, signal.SIGKILL)  # and with the first process, all of them
            process.wait()

    def signal(self, name: str, number: int) -> None:
        """Send a signal to every process of a service."""
        inside = self._pid(self._running[name])
        done = subprocess.run(
            ["pgrep", "--ns", str(inside), "--nslist", "pid"],
            capture_output=True,
            text=True,
            check=False,
        )
        for pid in map(int, done.stdout.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def health(self, name: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
        """Run the health check of a service once, inside of it, as long as it may take."""
        try:
            return self.exec(name, *self.file.services[name].healthcheck, timeout_s=timeout_s)
        except subprocess.TimeoutExpired as error:
            return subprocess.CompletedProcess(error.cmd, 124, "", "timeout")

    def wait_until_healthy(self, name: str) -> None:
        """Raise AssertionError when it is not in time, or its command has ended."""
        deadline = time.monotonic() + _HEALTH_DEADLINE_S
        while (found := self.health(name)).returncode != 0:
            ended = self._running[name].poll() is not None
            assert not ended and time.monotonic() < deadline, (
                f"{name}: {found.stdout}{found.stderr}\n{self.log(name)[-3000:]}"
            )
            time.sleep(2)

    def exec(
        self, name: str, *command: str, text: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside of a running service, as ``docker compose exec`` does."""
        service = self.file.services[name]
        try:
            pid = self._pid(self._running[name])
        except ProcessLookupError:
            return subprocess.CompletedProcess(command, 125, "", f"{name} does not run")
        wrapped = [
            *("nsenter", "--target", str(pid), "--net", "--mount", "--pid"),
            f"--root=/proc/{pid}/root",
            f"--wdns={'/data' if service.image == _OWN_IMAGE else '/'}",
            *_restricted(self._user(service)),
            *("env", "-i", *self._environment(service), *command),
        ]
        return subprocess.run(
            wrapped, input=text, capture_output=True, text=True, check=False, timeout=timeout_s
        )

    def run(
        self, name: str, *command: str, text: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command beside a service with all that it has, as ``docker compose run`` does."""
        return subprocess.run(
            self._enter(self.file.services[name], command, "run"),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def log(self, name: str) -> str:
        """What a service has written."""
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def volume(self, name: str) -> Path:
        """Where the files of a volume are."""
        return self.folder / "volumes" / name

    def close(self) -> None:
        """End everything, and remove namespaces and bridges."""
        for forwarder in self._forwarders:
            forwarder.close()
        order = [service.name for service in self.file.in_order()]
        for name in sorted(self._running, key=order.index, reverse=True):
            self.stop(name)
        for name in self._names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        for bridge in self._bridges:
            subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)

    def _make_networks(self) -> None:
        taken = {
            network: {service.networks.get(network) for service in self.file.services.values()}
            for network in self.file.networks
        }
        for index, network in enumerate(self.file.networks):
            bridge = f"{self._id}b{index}"
            config = self.file.networks[network].get("ipam", {}).get("config", [])
            base = config[0]["subnet"].removesuffix(".0/24") if config else f"10.99.{self._third()}"
            _ip("link", "add", bridge, "type", "bridge")
            self._bridges.append(bridge)
            _ip("address", "add", f"{base}.1/24", "dev", bridge)
            _ip("link", "set", bridge, "up")
            free = iter(f"{base}.{number}" for number in range(129, 250))
            for service in self.file.services.values():
                if network in service.networks:
                    address = service.networks[network] or next(
                        found for found in free if found not in taken[network]
                    )
                    self._addresses.setdefault(service.name, {})[network] = address
                    self._connect(service, bridge, index, address)
        for service in self.file.services.values():
            for host, inside in service.ports:
                target = (self.address(service.name), inside)
                self._forwarders.append(_Forwarder((self.gateway, host), target))

    def _third(self) -> int:
        return secrets.randbelow(250)

    def _connect(self, service: Service, bridge: str, index: int, address: str) -> None:
        name = self._namespace(service.name)
        if name not in self._names:
            _ip("netns", "add", name)
            self._names.append(name)
            _ip("-n", name, "link", "set", "lo", "up")
        number = list(self.file.services).index(service.name)
        outer = f"{self._id}v{index}{number}"
        _ip("link", "add", outer, "type", "veth", "peer", "name", f"eth{index}", "netns", name)
        _ip("link", "set", outer, "master", bridge, "up")
        _ip("-n", name, "address", "add", f"{address}/24", "dev", f"eth{index}")
        _ip("-n", name, "link", "set", f"eth{index}", "up")

    def _namespace(self, service: str) -> str:
        return f"{self._id}-{service}"

    def _user(self, service: Service) -> int:
        if service.image.startswith("postgres:"):
            return pwd.getpwnam("postgres").pw_uid  # 999 in the image
        if service.user is not None:
            return int(service.user)
        (user,) = re.findall(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.M)
        return int(user)

    def _environment(self, service: Service) -> list[str]:
        values = {"PATH": _PATH, "LANG": "C.UTF-8"}
        if service.image == _OWN_IMAGE:
            (line,) = re.findall(r"^ENV (.+)$", (ROOT / "Dockerfile").read_text(), re.M)
            values |= dict(word.split("=") for word in line.split())
            values["PATH"] = f"{_BIN}:{_PATH}"
        if service.image.startswith("postgres:"):
            values["PATH"] = f"{postgres_bin()}:{_PATH}"
        values |= service.environment
        return [f"{key}={value}" for key, value in values.items()]

    def _enter(self, service: Service, command: Sequence[str], kind: str) -> list[str]:
        """The command that makes the namespaces of a service and runs ``command`` in them."""
        user = self._user(service)
        mounts: list[str] = []
        if service.image == _OWN_IMAGE:  # its working directory
            mounts += ["own", str(user), "/data"]
        for source, target in service.volumes:
            if source.startswith("/"):
                continue
            folder = self.volume(source)
            if not folder.exists():
                folder.mkdir(parents=True, mode=0o700)
                os.chown(folder, user, user)
            mounts += ["volume", str(folder), target]
        for name, path in service.secrets.items():
            mounts += ["secret", str(path), f"/run/secrets/{name}"]
        for below in (ROOT, Path(sys.prefix), Path(sys.base_prefix)):
            for folder in below.parents:
                mounts += ["reach", str(folder), "-"]
        for entry in service.tmpfs:
            target, _, options = entry.partition(":")
            mounts += ["tmpfs", options or "mode=1777", target]
            # A checkout below it, or its interpreter, stays where it is.
            mounts += [
                word
                for folder in (ROOT, Path(sys.prefix))
                if folder.is_relative_to(target)
                for word in ("volume", str(folder), str(folder))
            ]
        for path, target in _FILES.get((service.build or "").rstrip("/"), []):
            mounts += ["file", str(path), target]
        if service.image.startswith("postgres:"):
            # Stands for the entrypoint of the image, which is not here.
            script = Path(__file__).with_name("postgres-entrypoint.sh")
            mounts += ["file", str(script), "/usr/local/bin/docker-entrypoint.sh"]
            if kind == "service":
                command = ["docker-entrypoint.sh", *command]
        words = ["env", "-i", *self._environment(service), *command]
        hosts = "\n".join(["127.0.0.1 localhost", *self._hosts(service)])
        return [
            *("nsenter", f"--net=/run/netns/{self._namespace(service.name)}"),
            *("unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"),
            *("bash", str(_ENTER), hosts, "/data" if service.image == _OWN_IMAGE else "/"),
            "read-only" if service.raw.get("read_only") else "writable",
            *(*mounts, "--", *_restricted(user), *words),
        ]

    def _hosts(self, service: Service) -> list[str]:
        return [
            f"{address} {name}"
            for name, addresses in self._addresses.items()
            for network, address in addresses.items()
            if network in service.networks and name != service.name
        ]

    def _pid(self, process: subprocess.Popen[bytes]) -> int:
        """The first process in the namespaces, as it is seen from outside."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        with contextlib.suppress(FileNotFoundError):
            for word in children.read_text().split():
                return int(word)
        raise ProcessLookupError


def _compile() -> None:
    """Leave bytecode that every user may read, as an image has: roots are read-only here."""
    folders = re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.M)
    for folder in folders:
        compileall.compile_dir(ROOT / folder, quiet=1)
        for file in (ROOT / folder).rglob("*.pyc"):
            file.chmod(0o644)


def _restricted(user: int) -> list[str]:
    return [
        *("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"),
        *("--bounding-set=-all", "--inh-caps=-all"),
    ]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class _Forwarder:
    """A published port, as an engine's own proxy carries it."""

    def __init__(self, listen: tuple[str, int], target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(listen)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            threading.Thread(target=_carry, args=(client, server), daemon=True).start()


def _carry(client: socket.socket, server: socket.socket) -> None:
    with client, server:
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
