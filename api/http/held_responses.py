"""Responses that are held back until their body is whole, for what depends on it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Message, Send


def hold_response(
    send: Send,
    is_held: Callable[[Message], bool],
    finish: Callable[[Message, bytes], tuple[Message, bytes]],
    max_bytes: int | None = None,
) -> Send:
    """Make a ``send`` that holds back responses which ``is_held`` chooses by their start, and sends
    what ``finish`` makes of start and body. One of more than ``max_bytes`` is sent as it comes.
    """
    start: Message | None = None
    body = bytearray()

    async def send_held(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start" and is_held(message):
            start = message
            return
        if start is not None and message["type"] == "http.response.body":
            body.extend(message.get("body", b""))
            has_more = message.get("more_body", False)
            if has_more and (max_bytes is None or len(body) < max_bytes):
                return
            first, content, start = start, bytes(body), None
            if not has_more:
                first, content = finish(first, content)
            await send(first)
            message = {**message, "body": content}
        await send(message)

    return send_held
