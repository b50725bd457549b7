"""The socket of the API."""

from __future__ import annotations

import socket

import pytest

from cli.server.socket import bind_socket
from ebbtide.errors import EbbtideError


def test_the_protocol_is_named_so_that_no_answer_waits_for_an_acknowledgement() -> None:
    with bind_socket("127.0.0.1", 0) as found:
        assert found.proto == socket.IPPROTO_TCP
        assert found.getsockname()[1] > 0


def test_a_port_in_use_and_an_unknown_address_are_errors() -> None:
    with bind_socket("127.0.0.1", 0) as found:
        found.listen()
        with pytest.raises(EbbtideError, match="cannot be used"):
            bind_socket("127.0.0.1", found.getsockname()[1])
    with pytest.raises(EbbtideError, match="no address of this machine"):
        bind_socket("no.such.host.invalid", 0)
