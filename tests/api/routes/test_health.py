"""Health, the OpenAPI document, and problems that no route raises."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx

from cli.server.thread import ApiThread
from store import Stores
from tests.support.assertions import assert_problem

SignedIn = Callable[..., httpx.Client]


def test_what_is_not_json_is_a_problem(signed_in: SignedIn) -> None:
    client = signed_in()
    answer = client.post(
        "/v1/ratings", content=b"{pain", headers={"content-type": "application/json"}
    )
    assert_problem(answer, 422)


def test_problems_do_not_repeat_a_password(api: ApiThread) -> None:
    answer = httpx.post(f"{api.url}/v1/sign-in", json={"email": 5, "password": "hunter2hunter2"})
    assert_problem(answer, 422)
    assert "hunter2" not in answer.text


def test_unknown_paths_and_methods_are_problems(api: ApiThread) -> None:
    assert_problem(httpx.get(f"{api.url}/v1/nothing"), 404)
    assert_problem(httpx.delete(f"{api.url}/v1/me"), 405)


def test_health_and_readiness(api: ApiThread, stores: Stores) -> None:
    assert httpx.get(f"{api.url}/v1/health").json()["status"] == "ok"
    assert httpx.get(f"{api.url}/v1/ready").status_code == 200
    stores.beats.close()
    assert_problem(httpx.get(f"{api.url}/v1/ready"), 503, "beats")
    assert httpx.get(f"{api.url}/v1/health").status_code == 200


def test_an_error_of_ours_is_a_problem_without_its_innards(
    signed_in: SignedIn, stores: Stores
) -> None:
    client = signed_in()
    stores.beats.close()
    answer = client.get("/v1/streams")
    assert_problem(answer, 500, "not with your request")
    assert "sqlite" not in answer.text.lower()


def test_openapi_is_whole_and_has_examples(api: ApiThread) -> None:
    schema = httpx.get(f"{api.url}/openapi.json", timeout=60).json()
    text = json.dumps(schema)
    for reference in set(part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]):
        assert reference in schema["components"]["schemas"]
    assert schema["components"]["schemas"]["UploadBody"]["examples"]
    assert schema["components"]["schemas"]["RatingIn"]["examples"]
    for path, methods in schema["paths"].items():
        assert path.startswith("/v1/")
        for method in methods.values():
            assert method["description"]
            for status, answer in method["responses"].items():
                if status.startswith(("4", "5")):
                    kinds = {"application/problem+json"}
                    if "/fhir" in path:  # an OperationOutcome
                        kinds = {"application/fhir+json"}
                    assert answer["content"].keys() == kinds, path
