"""Read docker-compose.yml as the Compose specification says, as far as ours uses it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::-([^}]*))?\})")
# What `Service` reads, and what has no meaning without an engine.
_READ = {
    *("build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck"),
    *("image", "networks", "ports", "profiles", "read_only", "secrets", "security_opt"),
    *("tmpfs", "user", "volumes"),
}
_OF_AN_ENGINE = {"logging", "restart"}


@dataclass(frozen=True, slots=True)
class Service:
    """One service, with variables replaced."""

    name: str
    image: str
    build: str | None
    user: str | None
    command: list[str]
    environment: dict[str, str]
    tmpfs: list[str]
    secrets: dict[str, Path]
    volumes: list[tuple[str, str]]  # source, target
    ports: list[tuple[int, int]]  # host, container
    networks: dict[str, str | None]  # with the address, where one is set
    depends_on: list[str]
    profiles: list[str]
    healthcheck: list[str]
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """The services, and the subnet and first free address of networks that name them."""

    services: dict[str, Service]
    networks: dict[str, dict[str, Any]]
    volumes: list[str]

    @classmethod
    def read(cls, file: Path, variables: Mapping[str, str], secrets: Path) -> ComposeFile:
        """Read a file with these variables, as of ``.env``; ``secrets`` stands for ./secrets."""
        loaded = yaml.safe_load(file.read_text())
        content = _interpolated(loaded, variables)
        paths = {
            name: secrets / Path(entry["file"]).relative_to("secrets")
            for name, entry in content["secrets"].items()
        }
        services = {
            name: _service(name, raw, paths, variables) for name, raw in content["services"].items()
        }
        return cls(services, content["networks"], list(content["volumes"]))

    def in_order(self) -> list[Service]:
        """The services that ``docker compose up`` starts, each after those that it depends on."""
        ordered: list[Service] = []

        def add(name: str) -> None:
            service = self.services[name]
            if service in ordered:
                return
            for before in service.depends_on:
                add(before)
            ordered.append(service)

        for name, service in self.services.items():
            if not service.profiles:
                add(name)
        return ordered


def _service(
    name: str, raw: dict[str, Any], secrets: dict[str, Path], variables: Mapping[str, str]
) -> Service:
    unknown = set(raw) - _READ - _OF_AN_ENGINE
    assert not unknown, f"{name}: {unknown} would be passed over here"
    environment = {key: str(value) for key, value in raw.get("environment", {}).items()}
    if "env_file" in raw:
        assert raw["env_file"] == [{"path": ".env", "required": False}]
        environment = {**variables, **environment}
    networks = raw["networks"]
    if isinstance(networks, list):
        networks = dict.fromkeys(networks)
    for condition in raw.get("depends_on", {}).values():
        assert condition == {"condition": "service_healthy"}
    return Service(
        name=name,
        image=raw["image"],
        build=raw.get("build"),
        user=raw.get("user"),
        command=[str(word) for word in raw["command"]],
        environment=environment,
        tmpfs=raw.get("tmpfs", []),
        secrets={secret: secrets[secret] for secret in raw.get("secrets", [])},
        volumes=[tuple(volume.split(":")) for volume in raw.get("volumes", [])],
        ports=[tuple(map(int, port.split(":"))) for port in raw.get("ports", [])],
        networks={key: (value or {}).get("ipv4_address") for key, value in networks.items()},
        depends_on=list(raw.get("depends_on", {})),
        profiles=raw.get("profiles", []),
        healthcheck=_test(raw.get("healthcheck", {}).get("test", [])),
        raw=raw,
    )


def _test(words: list[str]) -> list[str]:
    if words and words[0] == "CMD-SHELL":
        return ["/bin/sh", "-c", words[1]]
    return words[1:]


def _interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(entry, variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [_interpolated(entry, variables) for entry in value]
    if isinstance(value, str):
        return _VARIABLE.sub(partial(_replacement, variables=variables), value)
    return value


def _replacement(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found[1]:
        return "$"
    given = variables.get(found[2], "")
    if not given and found[3] is None:
        raise ValueError(f"{found[2]} has no value")
    return given or str(found[3])
