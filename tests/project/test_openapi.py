"""The OpenAPI document, held against the API by Schemathesis: no 500, no answer that it does not
describe, alone and along the links between operations (stateful), as each role.

EBBTIDE_SCHEMATHESIS_SECONDS says for how long each role (10 in CI).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.server.thread import ApiThread
from store import Stores
from store.models import Purpose
from tests.support.clinic import Clinic, fill, opened_clinic

SECONDS = os.environ.get("EBBTIDE_SCHEMATHESIS_SECONDS", "10")
# A live stream goes on for hours (tests/api/routes/test_live.py); these would end the sign-in.
LEFT_OUT = "(/live$|/sign-out$|/tokens)"
# Valid by its schema and refused all the same: an end before its start, a cursor of one's own.
# That the bearer scheme is enforced is checked route by route in tests/project/test_every_route.py.
UNCHECKED = "positive_data_acceptance,ignored_auth"


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"], days=1)
        opened.agree("ada", Purpose.CARE)
        opened.agree("ada", Purpose.RESEARCH)
        yield opened


@pytest.mark.parametrize("who", ["ada", "tom", "ann", "adam"])
def test_every_answer_is_described(clinic: Clinic, who: str, tmp_path: Path) -> None:
    ratings = clinic["ada"].get("/v1/ratings").json()["ratings"]
    streams = clinic["ada"].get("/v1/streams").json()["streams"]
    known = {
        "path.patient": clinic.id("ada"),
        "path.rating_id": ratings[0]["id"],
        "path.therapist_id": clinic.id("tess"),
        "path.patient_id": clinic.id("ada"),
        "path.person_id": clinic.id("eve"),
        "path.stream_id": streams[0]["id"],
    }
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        "[parameters]\n" + "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in known.items())
    )
    # Made once: the tool waits ten seconds for it, which is too short on a busy machine.
    httpx.get(f"{clinic.url}/openapi.json", timeout=60).raise_for_status()
    count, seconds = 0, int(SECONDS)
    while count <= 50:  # on a busy machine ten seconds are a few requests
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", config),
                *("run", f"{clinic.url}/openapi.json", "--max-time", str(seconds), "--no-color"),
                *("-H", f"Authorization: {clinic[who].headers['Authorization']}"),
                *("--exclude-path-regex", LEFT_OUT, "--exclude-checks", UNCHECKED, "--seed", "1"),
                "--continue-on-failure",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        cases = re.search(r"(\d+) generated, \1 passed", done.stdout)
        assert cases is not None, done.stdout[-3000:]
        count, seconds = int(cases[1]), 2 * seconds
        assert count > 50 or seconds <= 80
    print(f"{who}: {cases[0]}")


def document(api: ApiThread) -> dict[str, Any]:
    return dict(httpx.get(f"{api.url}/openapi.json", timeout=60).json())


def test_an_analyst_can_work_from_the_document_alone(api: ApiThread) -> None:
    found = document(api)
    for words in ("Sign in", "Who sees what", "Bulk", "Errors", "Versions", "Not a medical device"):
        assert words in found["info"]["description"]
    tags = {tag["name"]: tag["description"] for tag in found["tags"]}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert len(operation.get("description", "")) > 10, f"{where} says nothing of itself"
            assert len(operation["tags"]) == 1, where
            assert operation["tags"][0] in tags, where
            assert {"429", "500", "503"} <= operation["responses"].keys(), where
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")):
                    kinds = {"application/problem+json"}
                    if "/fhir" in path:  # an OperationOutcome
                        kinds = {"application/fhir+json"}
                    assert response["content"].keys() == kinds, f"{where} {status}"
            if method in ("post", "put", "delete") and operation["security"]:
                assert "Idempotency-Key" in [p["name"] for p in operation["parameters"]], where
    assert "HTTPValidationError" not in json.dumps(found)


def test_every_tag_is_used(api: ApiThread) -> None:
    found = document(api)
    used = {
        tag for methods in found["paths"].values() for op in methods.values() for tag in op["tags"]
    }
    assert used == {tag["name"] for tag in found["tags"]}
