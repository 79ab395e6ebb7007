"""Who may open a WebSocket to the whole application, by its own authenticator."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from opsgraph.app import build
from opsgraph.settings import Settings
from tests.support.clock import TestClock
from tests.support.sockets import connected


@pytest.mark.parametrize(
    ("auth", "headers", "payload", "let_in"),
    [
        ("auto", {"host": "127.0.0.1:8000"}, {}, True),
        ("auto", {"host": "localhost"}, {}, True),
        ("auto", {"host": "evil.example"}, {}, False),
        ("auto", {"host": "localhost"}, {"authorization": "Bearer unknown"}, False),
        ("auto", {"host": "localhost", "authorization": "Bearer unknown"}, {}, False),
        ("required", {"host": "localhost"}, {}, False),
        ("required", {"host": "localhost"}, {"authorization": "Bearer unknown"}, False),
    ],
)
async def test_the_authenticator_decides_who_is_let_in(
    settings: Settings, auth: str, headers: Mapping[str, str], payload: Mapping[str, str], *, let_in: bool
) -> None:
    """By the headers of the handshake and the payload of the greeting, as over HTTP by the headers of a request."""
    app = build(replace(settings, auth=auth), TestClock())
    async with connected(app, headers) as socket:
        if let_in:
            await socket.init(payload)
            await socket.subscribe("1", "{ viewer { name } }")
            assert await socket.data("1") == {"viewer": {"name": "local"}}
        else:
            await socket.send({"type": "connection_init", "payload": payload})
            assert await socket.closed() == (4403, "Forbidden")
    await app.state.core.close()
