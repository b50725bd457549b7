"""When the certificate of the pages' address ends."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from api.services import certificate
from ebbtide.timestamps import from_datetime
from tests.support.clinic import Clinic
from tests.support.mail_server import write_certificate


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    certificate._KNOWN.clear()
    yield
    certificate._KNOWN.clear()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, int, list[int]]]:
    """A server with TLS: its address, when its certificate ends, and its connections."""
    public, key = write_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, key)
    ends = x509.load_pem_x509_certificate(public.read_bytes()).not_valid_after_utc
    seen: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                seen.append(1)
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}", from_datetime(ends), seen
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_its_end_is_read_once_in_ten_minutes(served: tuple[str, int, list[int]]) -> None:
    url, ends, seen = served
    for _ in range(3):
        found = certificate.find_certificate(url)
        assert found is not None and found.ends_ns == ends and found.problem == ""
    assert len(seen) == 1


def test_what_cannot_be_read_has_a_problem_and_no_end() -> None:
    assert certificate.find_certificate("http://localhost:8421") is None
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = certificate.find_certificate(f"https://localhost:{port}")
    assert found is not None and found.ends_ns is None
    assert found.problem == "ConnectionRefusedError"


def test_administrators_see_it(clinic: Clinic, served: tuple[str, int, list[int]]) -> None:
    url, ends, _ = served
    adam = clinic["adam"]
    assert adam.get("/v1/operation/state").json()["certificate"] is None
    settings = clinic.app.state.settings
    clinic.app.state.settings = settings.model_copy(update={"dashboard_url": url})
    found = adam.get("/v1/operation/state").json()["certificate"]
    assert found["host"] == "localhost" and found["problem"] == ""
    assert found["ends"][:4] >= "2026" and ends > 0
