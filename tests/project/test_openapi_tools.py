"""The OpenAPI document in strangers' tools: validator, two linters, two generators of clients.

Those of npm are fetched once with npm, those of Python with uv. Without network they are skipped;
in CI (``CI`` is set) that is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from api.app import create_app
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from store import Stores, open_stores
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together

PINNED = Path(__file__).with_name("openapi_tools.json")
PYTHON_GENERATOR = "openapi-python-client==0.29.1"


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        yield opened


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document, which is the same of every API, and takes it two seconds of a core."""
    stores = open_stores(Settings(data_dir=tmp_path_factory.mktemp("data")))
    with ApiThread(create_app(stores)) as api:
        return dict(httpx.get(f"{api.url}/openapi.json", timeout=60).json())


def missing(what: str) -> None:
    """Skip, or fail where the tools have to be."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def node_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of npm."""
    if shutil.which("npm") is None:
        missing("npm is not installed")
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(PINNED, folder / "package.json")
    call = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        missing(f"npm has no such packages here: {done.stderr[-300:]}")
    return folder / "node_modules" / ".bin"


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_the_document_is_valid_for_its_version(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert '"itemSchema"' not in json.dumps(document)  # of 3.2
    validate(document)


def test_every_example_is_valid(document: dict[str, Any]) -> None:
    checked = 0

    def check(where: str, schema: dict[str, Any], example: Any) -> None:
        nonlocal checked
        whole = {**schema, "components": document["components"]}
        errors = [error.message for error in Draft202012Validator(whole).iter_errors(example)]
        assert errors == [], (where, example)
        checked += 1

    for where, operation in operations(document):
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for status, body in bodies.items():
            for kind, content in body.get("content", {}).items():
                examples = [item["value"] for item in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                if "json" in kind and (status == "request" or status.startswith("2")):
                    assert examples, f"{where} {status} has no example"
                for example in examples:
                    check(f"{where} {status}", content.get("schema", {}), example)
        for parameter in operation.get("parameters", []):
            if parameter.get("required"):
                assert "example" in parameter, (where, parameter["name"])
            if "example" in parameter:
                check(f"{where} {parameter['name']}", parameter["schema"], parameter["example"])
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            check(name, schema, example)
    assert checked > 150


def test_what_generators_and_readers_need_is_said(document: dict[str, Any]) -> None:
    assert document["servers"]
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    public = {where for where, operation in operations(document) if operation["security"] == []}
    assert {"post /v1/sign-in", "get /v1/health"} <= public
    assert "get /v1/ratings" not in public
    for where, operation in operations(document):
        assert "405" in operation["responses"], where
        assert ("415" in operation["responses"]) == ("requestBody" in operation), where
        files = [
            kind
            for kind in operation["responses"].get("200", {}).get("content", {})
            if kind.startswith(("text/csv", "application/vnd"))
        ]
        if where.endswith((".csv", ".parquet", ".arrows")):
            assert len(files) == 1, where  # one operation a media type

    def integers(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if node.get("type") == "integer":
                yield node
            for key, value in node.items():
                if key not in ("example", "examples", "default"):
                    yield from integers(value)
        elif isinstance(node, list):
            for item in node:
                yield from integers(item)

    found = list(integers(document))
    assert len(found) > 50
    assert all(node["format"] == "int64" for node in found)


def test_the_linters_have_nothing_to_say(
    document: dict[str, Any], node_tools: Path, tmp_path: Path
) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    # A sign-in at the clinic's provider answers with a redirect alone.
    (tmp_path / "redocly.yaml").write_text(
        "extends: [recommended]\nrules: {operation-2xx-response: off}\n"
    )
    for call in (
        ["spectral", "lint", "--fail-severity", "warn", "openapi.json"],
        ["redocly", "lint", "--max-problems", "20", "openapi.json"],
    ):
        done = subprocess.run(
            [str(node_tools / call[0]), *call[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
            env={**os.environ, "REDOCLY_TELEMETRY": "off"},
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        assert "warning" not in done.stdout + done.stderr, done.stdout + done.stderr


def test_a_typescript_client_can_export(
    document: dict[str, Any], node_tools: Path, tmp_path: Path
) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    subprocess.run(
        [str(node_tools / "openapi-typescript"), "openapi.json", "-o", "api.ts"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=200,
    )
    (tmp_path / "client.ts").write_text(
        textwrap.dedent("""
            import type { paths } from "./api";
            type Get<P extends keyof paths> = paths[P] extends { get: infer G } ? G : never;
            type Content<G> = G extends { responses: { 200: { content: infer C } } } ? C : never;
            type Page = Content<Get<"/v1/research/{table}">>["application/json"];
            type File = Content<Get<"/v1/research/{table}.csv">>["text/csv"];
            export const count = (page: Page, text: File): number =>
                page.rows.length + text.length + (page.next === null ? 0 : 1);
            // @ts-expect-error: a page has no such field, so its type is not `any`.
            export const wrong = (page: Page) => page.nothing;
        """)
    )
    done = subprocess.run(
        [str(node_tools / "tsc"), "--noEmit", "--strict", "--target", "es2022", "client.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout


PROGRAM = """
import io, sys
from made import AuthenticatedClient, Client
from made.api.research import (
    people_v1_research_people_get as people,
    research_parquet_v1_research_table_parquet_get as parquet,
    research_csv_v1_research_table_csv_get as csv,
    research_v1_research_table_get as page,
)
from made.api.sign_in import sign_in_v1_sign_in_post as sign_in
from made.models import SignInIn, Table
import pyarrow.parquet as pq

url, email, password = sys.argv[1:]
with Client(base_url=url) as anonymous:
    signed_in = sign_in.sync(client=anonymous, body=SignInIn(email=email, password=password))
with AuthenticatedClient(base_url=url, token=signed_in.token, timeout=60) as client:
    everybody = people.sync(client=client).people
    (person,) = (row for row in everybody if row.beats)
    names = [row.person for row in everybody]
    rows, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        found = page.sync(Table.BEATS, client=client, limit=5000, person=names, **more)
        rows += found.rows
        cursor = found.next_
        if cursor is None:
            break
    file = parquet.sync(Table.BEATS, client=client)
    table = pq.read_table(io.BytesIO(file.payload.read()))
    assert len(rows) == table.num_rows == person.beats > 1000
    assert rows[0]["time_ns"] == table["time_ns"][0].as_py()
    assert csv.sync(Table.RATINGS, client=client).startswith("person,rating,version")
    again = page.sync(Table.BEATS, client=client, since=found.until)
    assert again.rows == [] or len(again.rows) == len(rows)
print("done")
"""


def test_the_generated_python_client_does_the_work_of_an_analyst(
    clinic: Clinic, document: dict[str, Any], tmp_path: Path
) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1, weeks_ago=RELEASED_WEEKS)
    agree_together(clinic, "ada")
    if shutil.which("uvx") is None:
        missing("uv is not installed")
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    # It reads only two binary types by itself.
    kinds = ("application/vnd.apache.parquet", "application/vnd.apache.arrow.stream")
    overrides = "\n".join(f"  {kind}: application/octet-stream" for kind in kinds)
    (tmp_path / "config.yaml").write_text(f"content_type_overrides:\n{overrides}\n")
    done = subprocess.run(
        [
            *("uvx", "-q", "--from", PYTHON_GENERATOR, "openapi-python-client", "generate"),
            *("--path", "openapi.json", "--config", "config.yaml", "--meta", "none"),
            *("--output-path", "made"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if not (tmp_path / "made").is_dir():
        missing(f"the generator cannot be had here: {done.stderr[-300:]}")
    (tmp_path / "program.py").write_text(PROGRAM)
    ran = subprocess.run(
        [
            *(sys.executable, "program.py", clinic.url, "ann@example.org"),
            "correct horse battery",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.stdout == "done\n", ran.stderr[-3000:]
