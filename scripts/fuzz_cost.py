"""Find requests that cost much: ``uv run python scripts/fuzz_cost.py``.

Walks the OpenAPI document of a server that it starts, with data, and sends each route bodies,
queries and paths of hostile sizes, as nobody, as a device and as every role. No request may cost
more than 2 s of a core and 100 MB, or delay ``/v1/health`` by a second; what is answered with 202
is computed outside of the request, and only the server's own share counts. Prints the dearest
routes, and ends with status 1 where a bound is broken. ``--sample N`` takes every Nth case.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.cost import Cost, CostServer, running_server

MAX_CPU_S, MAX_MEMORY_MB, MAX_HEALTH_S = 2.0, 100.0, 1.0
ROLES = ("nobody", "device", "ada", "tom", "ann", "adam")
_METHODS = ("get", "post", "put", "patch", "delete")
_MIB = 2**20


@dataclass(frozen=True)
class Case:
    """One hostile request."""

    name: str
    method: str
    path: str
    route: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    media_type: str = "application/json"


@dataclass(frozen=True)
class Finding:
    """What a case cost as a role."""

    role: str
    case: Case
    cost: Cost

    @property
    def is_too_dear(self) -> bool:
        """Whether it breaks a bound."""
        cost = self.cost
        return (
            cost.cpu_s > MAX_CPU_S or cost.memory_mb > MAX_MEMORY_MB or cost.health_s > MAX_HEALTH_S
        )

    def __str__(self) -> str:
        cost, case = self.cost, self.case
        return (
            f"{cost.cpu_s:6.2f} s CPU  {cost.memory_mb:+7.1f} MB  health {cost.health_s:5.2f} s  "
            f"{cost.status}  {self.role:7}{case.method.upper():7}{case.route}  ({case.name})"
        )


def hostile_bodies() -> Iterator[tuple[str, bytes]]:
    """Bodies that are large, wide, deep, or long in one place."""
    wide = b"{" + b",".join(b'"k%d":0' % n for n in range(1_100_000)) + b"}"
    yield "12 MiB of unknown keys", wide[: 12 * _MIB].rpartition(b",")[0] + b"}"
    yield "15 KiB of unknown keys", wide[: 15 * 2**10].rpartition(b",")[0] + b"}"
    yield "300 KiB of unknown keys", wide[: 300 * 2**10].rpartition(b",")[0] + b"}"
    yield "3 MiB of unknown keys", wide[: 3 * _MIB].rpartition(b",")[0] + b"}"
    yield "a million brackets", b"[" * 1_000_000
    yield "7,000 brackets", b"[" * 7000 + b"]" * 7000
    yield "a string of 15 MiB", b'{"email": "' + b"x" * (15 * _MIB) + b'"}'
    yield "escapes", b'{"email": "' + b"\\u0041" * 2500 + b'"}'
    yield "a number of 15,000 digits", b'{"first": ' + b"9" * 15_000 + b"}"
    yield "a list of 3 MiB", b"[" + b"0," * (3 * _MIB // 2) + b"0]"
    entry = b'{"resource":{"resourceType":"Observation","a":[[]]}}'
    yield "a Bundle of 10,000 empty entries", _bundle(entry, 10_000)

    for count, what, item in (
        (700_000, "empty objects", b"{}"),
        (300_000, "texts", b'{"a":"xyz"}'),
    ):
        yield f"a Bundle of {count:,} {what}", _bundle(item, count)
    yield "a list of points of lists", b"[" + b",".join([b"[[],[]]"] * 400_000) + b"]"
    one = b'{"resourceType":"Bundle","type":"batch",' + wide[1 : 8 * _MIB].rpartition(b",")[0]
    yield "one object of 8 MiB", one + b"}"


def _bundle(entry: bytes, count: int) -> bytes:
    start = b'{"resourceType":"Bundle","type":"batch","entry":['
    return start + b",".join([entry] * count) + b"]}"


def hostile_values(parameter: dict[str, Any]) -> list[str]:
    """Values of a query parameter that are extreme, allowed or not."""
    schema = parameter.get("schema", {})
    kinds = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    values = ["x" * 8000]
    for kind in kinds:
        if kind.get("type") in ("integer", "number"):
            low = kind.get("minimum", kind.get("exclusiveMinimum", 0))
            high = kind.get("maximum", kind.get("exclusiveMaximum", 10**12))
            values += [str(low), str(high), "1", "1e308", "9" * 4000]
        if kind.get("type") == "boolean":
            values.append("true")
        if "const" in kind:
            values.append(str(kind["const"]))
        values += [str(value) for value in kind.get("enum", ())]
    return list(dict.fromkeys(values))


def cases(document: dict[str, Any], server: CostServer) -> Iterator[Case]:
    """All cases of all routes."""
    bodies = list(hostile_bodies())
    for route, operations in document["paths"].items():
        for method in _METHODS:
            if method not in operations:
                continue
            operation = operations[method]
            parameters = [_resolved(document, item) for item in operation.get("parameters", ())]
            path = _path(route, parameters, server)
            queries = list(_queries(parameters, server))
            for name, query in queries:
                yield Case(name, method, path, route, query)
            if "requestBody" in operation:
                media_type = next(iter(operation["requestBody"]["content"]))
                for name, body in bodies:
                    yield Case(name, method, path, route, queries[0][1], body, media_type)
            if "{" in route:
                yield Case("long path", method, _long_path(route), route, queries[0][1])


def _queries(
    parameters: list[dict[str, Any]], server: CostServer
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    taken = [item for item in parameters if item["in"] == "query"]
    names = {item["name"] for item in taken}
    ends = {name: str(value) for name, value in server.range_query().items() if name in names}
    yield "as it is", tuple(ends.items())
    if {"start", "end"} <= names:
        always = {"start": "2000-01-01T00:00:00Z", "end": "2099-12-31T00:00:00Z"}
        yield "a century", tuple(always.items())
    for item in taken:
        if item["name"] in ends:
            continue
        for value in hostile_values(item):
            query = {**ends, item["name"]: value}
            yield f"{item['name']}={value[:12]}", tuple(query.items())
        count = 60_000 // (len(item["name"]) + 6)  # the client sends no longer query
        many = [(item["name"], f"{number}") for number in range(count)]
        yield f"{count} times {item['name']}", (*ends.items(), *many)
    if "window_s" in names:
        for window, step in ((604_800, 60), (3600, 1), (60, 1), (86_400, 60), (3600, 600)):
            for domains in (["time"], ["time", "frequency", "nonlinear"]):
                query = [("window_s", str(window)), ("step_s", str(step))]
                query += [("domain", domain) for domain in domains]
                name = f"window_s={window} step_s={step} {len(domains)} domains"
                yield name, (*ends.items(), *query)


def _path(route: str, parameters: list[dict[str, Any]], server: CostServer) -> str:
    examples = {
        item["name"]: str((item.get("examples") or item["schema"].get("examples") or ["1"])[0])
        for item in parameters
        if item["in"] == "path" and not isinstance(item.get("examples"), dict)
    }
    examples["patient"] = server.people["ada"].id
    for item in parameters:
        values = item.get("schema", {}).get("enum", ())
        if item["in"] == "path" and values:
            examples[item["name"]] = str(values[0])
    path = route
    for name, value in examples.items():
        path = path.replace("{" + name + "}", value)
    return path


def _long_path(route: str) -> str:
    """The route with 8,000 characters in each place."""
    parts = [("x" * 8000 if part.startswith("{") else part) for part in route.split("/")]
    return "/".join(parts)


def _resolved(document: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in item:
        return item
    found: dict[str, Any] = document["components"]["parameters"][item["$ref"].rpartition("/")[2]]
    return found


def run(server: CostServer, sample: int = 1, roles: tuple[str, ...] = ROLES) -> list[Finding]:
    """Send every ``sample``-th case as every role, and return what each cost."""
    findings = []
    with server.client("ada") as client:
        document = json.loads(client.get("/openapi.json").content)
        for path in ("/v1/link", "/v1/me"):  # what is loaded at first use is not of a request
            client.get(path)
    everything = list(cases(document, server))
    for place, role in enumerate(roles):
        client = server.client(role)
        for case in everything[place % sample :: sample]:
            finding = Finding(role, case, _measure(server, client, case))
            if finding.cost.status == 401 and role != "nobody":  # it ended its own session
                server.tokens.pop(role, None)
                client.close()
                client = server.client(role)
            if finding.is_too_dear:  # once more: another process may have had the core
                server.settle()
                finding = Finding(role, case, _measure(server, client, case))
            findings.append(finding)
        client.close()
    return findings


def _measure(server: CostServer, client: Any, case: Case) -> Cost:
    before = server.process.cpu_times()
    options: dict[str, Any] = {"params": list(case.query)}
    if case.body is not None:
        options |= {"content": case.body, "headers": {"Content-Type": case.media_type}}
    cost = server.measure(client, case.method.upper(), case.path, **options)
    if cost.status == 202:
        after = server.process.cpu_times()
        cost.cpu_s = after.user + after.system - before.user - before.system
        server.settle()
    return cost


def dearest(findings: list[Finding], count: int = 5) -> list[Finding]:
    """The dearest case of each of the dearest routes."""
    by_route: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda item: -item.cost.cpu_s):
        by_route.setdefault(f"{finding.case.method} {finding.case.route}", finding)
    return list(by_route.values())[:count]


def main() -> int:
    """Send everything, and print what was dear."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=1, help="Every Nth case only")
    parser.add_argument("--days", type=int, default=8, help="Of beats that two patients have")
    parser.add_argument("--ratings", type=int, default=1000)
    options = parser.parse_args()
    with running_server(days=options.days, ratings=options.ratings) as server:
        findings = run(server, options.sample)
    failed = [finding for finding in findings if finding.is_too_dear]
    print(f"{len(findings)} requests. The dearest routes:")
    for finding in dearest(findings):
        print(f"  {finding}")
    if failed:
        print(f"{len(failed)} broke a bound:")
        for finding in failed:
            print(f"  {finding}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
