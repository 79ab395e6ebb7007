"""uvicorn's protocols and its server, with what connections that stay open need."""

import socket

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from opsgraph.graphql.live import Live
from opsgraph.graphql.outbox import ABORT


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose connections can be cut off: a client that reads nothing would keep one open for good."""

    def on_message_begin(self) -> None:
        """A request begins: its scope is made here."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets that can be cut off, for the same reason."""

    async def run_asgi(self) -> None:
        """The handshake was begun: the application is run."""
        self.scope["extensions"] = {**(self.scope.get("extensions") or {}), ABORT: {"abort": self.transport.abort}}
        await super().run_asgi()


class Server(uvicorn.Server):
    """A server that ends what stays open before it waits for requests to finish: it would wait in vain.

    Args:
        config: uvicorn's.
        live: the open connections.
    """

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell every client that the server is going away, then finish as uvicorn does."""
        await self._live.close()
        await super().shutdown(sockets)
