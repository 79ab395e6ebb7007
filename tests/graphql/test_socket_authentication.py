"""Who may open a WebSocket to the whole application, by its own authenticator."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from opsgraph.app import build
from opsgraph.settings import Settings
from tests.support.clock import TestClock
from tests.support.sockets import connected

UNKNOWN = "the key in Authorization is not known here"


@pytest.mark.parametrize(
    ("auth", "headers", "payload", "reason"),
    [
        ("auto", {"host": "127.0.0.1:8000"}, {}, None),
        ("auto", {"host": "localhost"}, {}, None),
        ("auto", {"host": "evil.example"}, {}, "evil.example"),
        ("auto", {"host": "localhost"}, {"authorization": "Bearer unknown"}, UNKNOWN),
        ("auto", {"host": "localhost", "authorization": "Bearer unknown"}, {}, UNKNOWN),
        ("required", {"host": "localhost"}, {}, "this server asks for a key: send Authorization: Bearer <key>"),
        ("required", {"host": "localhost"}, {"authorization": "Bearer unknown"}, UNKNOWN),
    ],
)
async def test_the_authenticator_decides_who_is_let_in(
    settings: Settings, auth: str, headers: Mapping[str, str], payload: Mapping[str, str], reason: str | None
) -> None:
    """By the headers of the handshake and the payload of the greeting, as over HTTP; who is not is told why."""
    app = build(replace(settings, auth=auth), TestClock())
    async with connected(app, headers) as socket:
        if reason is None:
            await socket.init(payload)
            await socket.subscribe("1", "{ viewer { name } }")
            assert await socket.data("1") == {"viewer": {"name": "local"}}
        else:
            await socket.send({"type": "connection_init", "payload": payload})
            code, told = await socket.closed()
            assert (code, reason in told) == (4403, True), told
    await app.state.core.close()
