"""Tables for a data lake, and what is read of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import httpx
import numpy as np
import pyarrow as pa
import pytest

from cli.analysis.lake_files import LakeRun, open_lake
from cli.analysis.lake_storage import Storage
from ebbtide.timestamps import DAY


@contextmanager
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    """A server that speaks S3, with an empty bucket "clinic": its client, and what follows the path
    in an address of it.
    """
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        import boto3

        url = f"http://127.0.0.1:{port}"
        # All servers of moto in a process share their objects.
        httpx.post(f"{url}/moto-api/reset").raise_for_status()
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        client.create_bucket(Bucket="clinic")
        yield client, f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
        client.close()
    finally:
        server.stop()


PEOPLE = [f"person {number}" for number in range(40)]


def batches(people: list[str], days: int = 90, seed: int = 1) -> Iterator[pa.RecordBatch]:
    """A batch a person: one row a day, the person as a dictionary as the API sends it."""
    for number, name in enumerate(people):
        values = np.random.default_rng([seed, number]).normal(size=days)
        yield pa.record_batch(
            {
                "person": pa.array([name] * days).dictionary_encode(),
                "time_ns": np.arange(days, dtype=np.int64) * DAY + number,
                "value": values,
            }
        )


def replace(
    address: str, buckets: int, found: Iterable[pa.RecordBatch], account: str = "ann"
) -> LakeRun:
    with open_lake(address, account, buckets) as lake:
        return lake.replace_table("beats", found, "time_ns")


def rows(folder: str, table: str = "beats") -> list[tuple[Any, ...]]:
    found = duckdb.sql(
        f"SELECT person, time_ns, value FROM read_parquet('{folder}/{table}/**/*.parquet', "
        "hive_partitioning = true) ORDER BY person, time_ns"
    )
    return found.fetchall()


def expected(people: list[str], **more: int) -> list[tuple[Any, ...]]:
    found = []
    for batch in batches(people, **more):
        columns = [batch.column(name).to_pylist() for name in ("person", "time_ns", "value")]
        found += list(zip(*columns, strict=True))
    return sorted(found)


def require_whole_objects(storage: Storage) -> None:
    """Check that an upload which is stopped leaves the object that was there, and nothing else."""
    storage.write(b"whole", "rows.parquet")
    with pytest.raises(KeyboardInterrupt), storage._whole("rows.parquet") as out:
        out.write(b"half of it")
        raise KeyboardInterrupt
    assert storage.read("rows.parquet") == b"whole"
    assert storage.names() == ["rows.parquet"]
