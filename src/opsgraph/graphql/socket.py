"""GraphQL over WebSocket: the protocol graphql-transport-ws, as the npm client graphql-ws speaks it.

Messages are taken in order; operations run side by side. A ping is answered once every subscription that was asked for
before it has begun: whoever gets the pong knows that whatever is committed from then on will be delivered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from opsgraph.graphql import protocol
from opsgraph.graphql.context import Context
from opsgraph.graphql.live import Live, TooMany
from opsgraph.graphql.origins import is_foreign
from opsgraph.graphql.outbox import Outbox, aborting
from opsgraph.graphql.protocol import SUBPROTOCOL, CloseCode, Violation, read_message
from opsgraph.graphql.schema import Schema
from opsgraph.graphql.socket_operations import Operations
from opsgraph.kernel.refusals import Unauthenticated

ContextOf = Callable[[HTTPConnection], Awaitable[Context]]

_BEGUN_WITHIN_SECONDS = 1.0
_log = structlog.get_logger("opsgraph.graphql")


class SocketEndpoint:
    """The ASGI application behind ``/graphql`` for WebSockets.

    Args:
        schema: what is executed.
        context_of: makes a connection's context; it finds out who asks, and raises `Unauthenticated` if that is nobody.
        live: the open connections of this process.
        allowed_origins: other origins whose pages may connect.
    """

    def __init__(
        self,
        schema: Schema,
        context_of: ContextOf,
        live: Live,
        allowed_origins: frozenset[str] = frozenset(),
    ) -> None:
        self._schema = schema
        self._context_of = context_of
        self._live = live
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket until either side closes it."""
        await receive()
        connection = HTTPConnection(scope)
        if is_foreign(connection.headers, self._allowed_origins):
            await send({"type": "websocket.close", "code": int(CloseCode.FORBIDDEN)})  # before accepting, it is a 403
            return
        spoken = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": spoken})
        outbox = _outbox(scope, send, self._live)
        if spoken is None:
            outbox.close(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
        try:
            with self._live.opened(outbox):
                await Socket(connection, self._schema, self._context_of, self._live, outbox).serve(receive)
        except (Violation, TooMany) as end:
            outbox.close(end.code, str(end))
        finally:
            await outbox.settled()


def _outbox(scope: Scope, send: Send, live: Live) -> Outbox:
    def write(text: str) -> Awaitable[None]:
        return send({"type": "websocket.send", "text": text})

    def farewell(code: int, reason: str) -> Awaitable[None]:
        return send({"type": "websocket.close", "code": int(code), "reason": reason})

    return Outbox(write, farewell, live.patience, aborting(scope))


class Socket:
    """One connection that speaks the protocol."""

    def __init__(
        self, connection: HTTPConnection, schema: Schema, context_of: ContextOf, live: Live, outbox: Outbox
    ) -> None:
        self._connection = connection
        self._context_of = context_of
        self._outbox = outbox
        self._live = live
        request_id = connection.scope.get("state", {}).get("request_id")
        self._operations = Operations(schema, live.streams, outbox, request_id)
        self._context: Context | None = None
        self._greeted = False

    async def serve(self, receive: Receive) -> None:
        """Take messages until the client has gone, or nothing can be sent any more.

        Raises:
            Violation: the connection has to be closed.
        """
        late = asyncio.get_running_loop().call_later(self._live.patience.init_seconds, self._too_late)
        reading = asyncio.create_task(self._read(receive), name="socket")
        try:
            await asyncio.wait({reading, self._outbox.over}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            late.cancel()
            reading.cancel()
            self._operations.end()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            text = message.get("text")
            if text is None:
                raise Violation(CloseCode.BAD_REQUEST, "messages are text, not binary")
            try:
                await self._take(read_message(text))
            except Violation:
                raise
            except Exception as error:
                _log.exception("socket_failed")
                raise Violation(CloseCode.INTERNAL_SERVER_ERROR, "Internal server error") from error

    async def _take(self, message: protocol.Message) -> None:
        match message:
            case protocol.ConnectionInit(payload):
                await self._greet(payload)
            case protocol.Ping(payload):
                await self._operations.begun(_BEGUN_WITHIN_SECONDS)
                self._outbox.put(protocol.pong(payload))
            case protocol.Subscribe(id, request):
                if self._context is None:
                    raise Violation(CloseCode.UNAUTHORIZED, "Unauthorized")
                self._operations.begin(id, request, self._context)
            case protocol.Complete(id):
                self._operations.drop(id)

    async def _greet(self, payload: dict[str, Any]) -> None:
        if self._greeted:
            raise Violation(CloseCode.TOO_MANY_INITIALISATION_REQUESTS, "Too many initialisation requests")
        self._greeted = True
        try:
            self._context = await self._context_of(_asking(self._connection, payload))
        except Unauthenticated as refusal:
            raise Violation(CloseCode.FORBIDDEN, refusal.message) from refusal
        self._live.belongs_to(self._outbox, self._context.actor.key)
        self._outbox.put(protocol.connection_ack())

    def _too_late(self) -> None:
        if self._context is None:
            self._outbox.close(CloseCode.INITIALISATION_TIMEOUT, "Connection initialisation timeout")


def _asking(connection: HTTPConnection, payload: dict[str, Any]) -> HTTPConnection:
    """The connection as if it had brought the `authorization` of the payload in its headers; it wins over theirs."""
    given = [value for name, value in payload.items() if name.lower() == "authorization"]
    if not given or given[0] is None:
        return connection
    if not isinstance(given[0], str):
        raise Violation(CloseCode.BAD_REQUEST, "authorization in the payload of connection_init is a string")
    headers = [(name, value) for name, value in connection.scope["headers"] if name != b"authorization"]
    headers.append((b"authorization", given[0].encode("latin-1", "replace")))
    return HTTPConnection({**connection.scope, "headers": headers})
