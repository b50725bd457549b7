"""No request costs much: attacks on a server of its own, with what each may cost at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND, to_datetime
from scripts.fuzz_cost import dearest, run
from tests.support.assertions import assert_problem
from tests.support.cost import CostServer, fill_ratings, running_server
from tests.support.uploads import START, stream_body

MIB = 2**20


@pytest.fixture(scope="module")
def server() -> Iterator[CostServer]:
    with running_server(days=3, ratings=60, hours=2) as running:
        for name in ("ada", "nobody"):  # what is loaded at first use is not of a request
            with running.client(name) as client:
                client.get("/v1/link")
                client.post("/v1/sign-in", json={"email": "a@example.org", "password": "x" * 20})
        yield running


def test_megabytes_of_keys_are_refused_before_they_are_read(server: CostServer) -> None:
    body = b"{" + b",".join(b'"k%07d":0' % n for n in range(1_000_000)) + b"}"
    assert len(body) > 12 * MIB
    with server.client("nobody") as client:
        for path in ("/v1/sign-in", "/v1/fhir", f"/v1/streams/{new_id()}/notifications"):
            server.settle()
            cost = server.measure(
                client, "POST", path, content=body, headers={"Content-Type": "application/json"}
            )
            # The server may close the connection before all is sent: then there is no status.
            assert cost.status in (0, 401, 413)
            assert cost.cpu_s <= 0.5  # what is sent must be read off the socket
            assert cost.memory_mb <= 20


def test_a_small_body_of_many_parts_is_refused(server: CostServer) -> None:
    with server.client("nobody") as client:
        for body in (b"[" * 8000 + b"]" * 8000, b"[" + b"0," * 7000 + b"0]"):
            refusal = client.post(
                "/v1/sign-in", content=body, headers={"Content-Type": "application/json"}
            )
            assert_problem(refusal, 422, "body")


def test_a_bundle_of_many_small_entries_is_refused(server: CostServer) -> None:
    """4 MiB of empty entries took 32 s, and 2.2 GB for the reasons why each was skipped.

    200,000 are nearly as many objects as a body may have (api/middleware/body_limits.py); more are
    refused before that.
    """
    headers = {"Content-Type": "application/json"}
    empty = b",".join([b"{}"] * 200_000)
    with server.client("ada") as client:
        for path, body in (
            ("/v1/fhir", b'{"resourceType":"Bundle","type":"batch","entry":[' + empty + b"]}"),
            ("/v1/open-mhealth/heart-rate", b"[" + empty + b"]"),
        ):
            server.settle()
            cost = server.measure(client, "POST", path, content=body, headers=headers)
            assert (cost.status, cost.cpu_s <= 2, cost.memory_mb <= 100) == (422, True, True), cost
            refusal = client.post(path, content=body, headers=headers)
            assert "at most 10,000" in refusal.text


def test_a_query_of_an_hour_of_computing_is_refused_at_once(server: CostServer) -> None:
    end = server.end_ns
    with server.client("ada") as client:
        # 31 days of which 3 have beats; priced as what they are.
        query = {
            "start": to_datetime(end - 31 * 86_400 * SECOND).isoformat(),
            "end": to_datetime(end).isoformat(),
            "window_s": 604_800,
            "step_s": 1,
            "domain": "nonlinear",
        }
        assert client.get("/v1/hrv", params={**query, "step_s": "60"}).status_code in (
            200,
            202,
            422,
        )
        began, cpu = time.monotonic(), server.cpu_s()
        refusal = client.get("/v1/hrv", params={**query, "window_s": 86_400, "step_s": 60})
        assert_problem(refusal, 422, "are allowed", "step_s of at least")
        assert time.monotonic() - began < 5
        assert server.cpu_s() - cpu < 1


def test_a_computation_ends_when_its_client_goes(server: CostServer) -> None:
    query = server.range_query(window_s=3600, step_s=600, domain=["nonlinear"])
    with server.client("ada") as client:
        answer = client.get("/v1/hrv", params=query, timeout=120)
        assert answer.status_code in (200, 202)
    server.settle()
    with server.client("eve") as client, pytest.raises(httpx.TimeoutException):
        client.get("/v1/hrv", params=query, timeout=0.3)
    time.sleep(1)
    before = server.cpu_s()
    time.sleep(2)
    assert server.cpu_s() - before < 0.5


def test_thousands_of_ratings_are_computed_one_at_a_time_and_fetched(server: CostServer) -> None:
    person = server.people["eve"]
    fill_ratings(server.stores, person, server.end_ns, 3000)
    statuses: list[int] = []
    with server.client("ada") as other, server.client("eve") as client:

        def query() -> None:
            answer = client.get("/v1/link", timeout=60)
            statuses.append(answer.status_code)
            if answer.status_code == 202:
                assert int(answer.headers["Retry-After"]) >= 1
                assert answer.json()["status"] == "computing"

        threads = [threading.Thread(target=query) for _ in range(4)]
        for thread in threads:
            thread.start()
        slowest = 0.0
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            assert other.get("/v1/me").status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        for thread in threads:
            thread.join()
        assert 202 in statuses
        assert set(statuses) <= {200, 202, 503}
        assert slowest < 2
        deadline = time.monotonic() + 120
        while (answer := client.get("/v1/link")).status_code == 202:
            assert time.monotonic() < deadline
            time.sleep(int(answer.headers["Retry-After"]))
        assert answer.status_code == 200
        assert answer.json()["ratings"]["given"] >= 3000


def test_beats_that_no_heart_has_are_refused(server: CostServer) -> None:
    stream = new_id()
    with server.client("device") as client:
        client.put(f"/v1/streams/{stream}", json=stream_body(origin="strap"))
        notes = [
            {
                "sequence": n + 1,
                "received_ns": START + SECOND,
                "heart_rate_bpm": 60,
                "rr_ticks": [1024] * 16,
                "beat_times_ns": [START + (16 * n + k) * 1000 for k in range(16)],
            }
            for n in range(2000)
        ]
        many = {"first": 1, "last": 2000, "notifications": notes, "gaps": []}
        path = f"/v1/streams/{stream}/notifications"
        assert_problem(client.post(path, json=many), 422, "no heart beats", "beat_times_ns")
        # In small batches: those that are stored are compared with.
        statuses = [
            client.post(
                path,
                json={"first": n + 1, "last": n + 1, "notifications": [notes[n]], "gaps": []},
            ).status_code
            for n in range(10)
        ]
        assert statuses[:6] == [200] * 6
        assert set(statuses[6:]) == {422}


def test_a_sample_of_hostile_requests_stays_within_the_bounds(server: CostServer) -> None:
    findings = run(server, sample=80)
    assert len(findings) > 30
    too_dear = [str(finding) for finding in findings if finding.is_too_dear]
    assert not too_dear, [str(finding) for finding in dearest(findings)]
