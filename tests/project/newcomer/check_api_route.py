"""Check that the new route is described, and that the Python client calls it."""

from __future__ import annotations

from ebbtide.client import Client
from store import Stores
from tests.project.test_every_route import operations
from tests.support.clinic import opened_clinic


def test_route_is_described_and_called_by_the_client(stores: Stores) -> None:
    with opened_clinic(stores) as clinic:
        assert ("get", "/v1/hrv/metrics") in [found[:2] for found in operations(clinic)]
        token = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
        with Client(clinic.url, token) as client:
            rows = client.hrv_metrics()
        assert [row["unit"] for row in rows if row["name"] == "rmssd_ms"] == ["ms"]
