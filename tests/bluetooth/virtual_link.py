"""The link layer between a computer and its straps: Bumble's LocalLink, with disconnects."""

from __future__ import annotations

import asyncio

from bumble import core
from bumble.controller import Controller
from bumble.link import LocalLink

SUPERVISION_TIMEOUT = 0x08  # what both ends see when the connection is lost


class VirtualLink(LocalLink):
    """A link bus that delivers data under the address that the connection was made with.

    Bumble 0.0.236 sends it under the sender's random address, which the other side does not know
    when it was connected under its public one.
    """

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: object,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        other = self.find_le_controller(destination_address)  # type: ignore[arg-type]
        if other is None:
            return
        source = next(
            (
                connection.self_address
                for connection in sender_controller.le_connections.values()
                if connection.peer_address == destination_address
            ),
            sender_controller.public_address,
        )
        asyncio.get_running_loop().call_soon(
            lambda: other.on_link_acl_data(source, transport, data)
        )

    def cut(self, strap: Controller) -> bool:
        """End every connection of this strap at both ends, as when it walks out of range."""
        cut = False
        for connection in list(strap.le_connections.values()):
            other = self.find_le_controller(connection.peer_address)
            if other is not None:
                for back in list(other.le_connections.values()):
                    if back.peer_address == connection.self_address:
                        other.on_le_disconnected(back, SUPERVISION_TIMEOUT)
            strap.on_le_disconnected(connection, SUPERVISION_TIMEOUT)
            cut = True
        return cut
