"""Text that no store can hold is refused for every field; an import skips the entry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.text import find_unstorable, find_unstorable_in_body

BAD = ["a\x00b", "\ud800", "x\udfff", "\ude00\ud83d"]
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ratings", {"pain": 3, "stress": 4, "note": "?", "zone": "UTC"}),
        ("/v1/sign-in", {"email": "?", "password": "x"}),
        ("/v1/ratings", {"pain": 3, "stress": 4, "?": 1}),
    ],
)
def test_every_field_refuses_it(
    signed_in: Callable[..., httpx.Client], path: str, body: dict[str, Any], text: str
) -> None:
    filled = {text if k == "?" else k: text if v == "?" else v for k, v in body.items()}
    answer = signed_in().post(path, content=json.dumps(filled), headers=JSON)
    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]


def test_path_and_query_refuse_it(signed_in: Callable[..., httpx.Client]) -> None:
    client = signed_in()
    assert client.get("/v1/ratings?cursor=%00").status_code == 422
    assert client.get("/v1/streams/a%00b").status_code == 422


def test_an_import_skips_the_entry_and_stores_the_others(
    signed_in: Callable[..., httpx.Client],
) -> None:
    def entry(value: object, time: str = "2026-11-01T08:00:00+01:00", **more: object) -> Any:
        code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
        return {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": code,
                "effectiveDateTime": time,
                "valueQuantity": {"value": value, "code": "/min"},
                **more,
            }
        }

    bad = [
        entry(float("nan")),
        entry(float("inf")),
        entry(10**300),
        entry(60, "9999-12-31T23:59:59-14:00"),
        entry(60, "0001-01-01T00:00:00+14:00"),
        entry(60, status="\ud800"),
        entry(60, identifier=[{"system": "urn:ebbtide:rating", "value": "a\x00b"}]),
        entry(60, identifier=[{"system": {}}]),
        None,
        [],
    ]
    bundle = {"resourceType": "Bundle", "entry": [*bad, entry(61)]}
    answer = signed_in().post("/v1/fhir", content=json.dumps(bundle), headers=JSON)
    assert answer.status_code == 200
    report = answer.json()
    assert report["heart_rates"] == 1
    assert [item["entry"] for item in report["skipped"]] == list(range(len(bad)))


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=8,
    )
)
def test_ordinary_text_passes_however_it_is_escaped(value: Any) -> None:
    has_nul = "\\u0000" in json.dumps(value).replace("\\\\", "")
    for ascii_only in (True, False):
        body = json.dumps(value, ensure_ascii=ascii_only).encode()
        assert (find_unstorable_in_body(body) is not None) == has_nul


def test_the_field_is_named() -> None:
    assert find_unstorable({"a": [1, {"b": "\x00"}]}, "body") == "body.a.1.b"
