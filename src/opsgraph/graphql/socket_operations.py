"""The operations of one WebSocket, by the ids that its client gave them."""

import asyncio
import secrets
from typing import Any

import structlog
from graphql import GraphQLError
from strawberry.types import ExecutionResult

from opsgraph.graphql import protocol
from opsgraph.graphql.context import Context
from opsgraph.graphql.documents import LIMIT_EXCEEDED
from opsgraph.graphql.errors import presented
from opsgraph.graphql.operations import executed
from opsgraph.graphql.outbox import Outbox
from opsgraph.graphql.protocol import CloseCode, Violation
from opsgraph.graphql.requests import BadRequest, GraphQLRequest
from opsgraph.graphql.responses import body_of, encoded, was_executed
from opsgraph.graphql.schema import Schema
from opsgraph.graphql.streams import Delivery, Follower, Streams
from opsgraph.graphql.subscriptions import Subscription, Unacceptable, prepared

Errors = list[dict[str, Any]]


class Operations:
    """What runs for one socket."""

    def __init__(self, schema: Schema, streams: Streams, outbox: Outbox, request_id: str | None) -> None:
        self._schema = schema
        self._streams = streams
        self._outbox = outbox
        self._request_id = request_id
        self._running: dict[str, Operation] = {}

    def begin(self, id: str, request: GraphQLRequest, context: Context) -> None:
        """Run what was asked for; what is wrong with it, the client gets to hear under this id.

        Raises:
            Violation: the id is taken.
        """
        if id in self._running:
            raise Violation(CloseCode.SUBSCRIBER_ALREADY_EXISTS, f"Subscriber for {id} already exists")
        most = self._schema.settings.max_operations
        if len(self._running) >= most:
            self._outbox.put(protocol.error(id, [_too_many(most)]))
            return
        operation = Operation(id, self._outbox, self._running)
        self._running[id] = operation
        try:
            wanted = prepared(self._schema, request)
            if wanted is None:
                operation.answer(self._schema, request, context.renewed())
            else:
                operation.follow(self._streams, wanted, context)
        except Unacceptable as unacceptable:
            operation.finish(presented(unacceptable.errors, self._request_id))

    def drop(self, id: str) -> None:
        """The client wants no more of it; one that is unknown has ended already."""
        if (operation := self._running.pop(id, None)) is not None:
            operation.stop()

    async def begun(self, within: float) -> None:
        """Return once every subscription has begun, at the latest after so many seconds."""
        waiting = [asyncio.ensure_future(one.follower.started()) for one in self._running.values() if one.follower]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=within)
            for one in late:
                one.cancel()

    def end(self) -> None:
        """Stop everything."""
        for name in tuple(self._running):
            self.drop(name)


class Operation:
    """One operation, which takes results as the subscriber of a stream, or runs a query in a task of its own.

    Attributes:
        follower: its place in a stream, if it follows one.
    """

    def __init__(self, id: str, outbox: Outbox, running: dict[str, "Operation"]) -> None:
        self.follower: Follower | None = None
        self._id = id
        self._outbox = outbox
        self._running = running
        self._before, self._after = protocol.next_frame(id)
        self._task: asyncio.Task[None] | None = None

    def follow(self, streams: Streams, wanted: Subscription, context: Context) -> None:
        """Follow a subscription.

        Raises:
            Unacceptable: the role is missing.
        """
        self.follower = streams.follow(wanted, context, self)

    def answer(self, schema: Schema, request: GraphQLRequest, context: Context) -> None:
        """Run a query or a mutation in the background."""
        self._task = asyncio.create_task(self._run(schema, request, context), name=f"operation {self._id[:40]}")

    def deliver(self, delivery: Delivery) -> None:
        """Send a result."""
        self._outbox.put(delivery.framed(self._before, self._after))

    def finish(self, errors: Errors | None) -> None:
        """Tell the client that this was all, or that it failed."""
        self._running.pop(self._id, None)
        self._outbox.put(protocol.complete(self._id) if errors is None else protocol.error(self._id, errors))

    async def room(self) -> None:
        """Wait until the client has taken everything."""
        await self._outbox.room()

    def stop(self) -> None:
        """Send nothing more."""
        if self.follower is not None:
            self.follower.leave()
        if self._task is not None:
            self._task.cancel()

    async def _run(self, schema: Schema, request: GraphQLRequest, context: Context) -> None:
        operation_id = secrets.token_hex(16)
        structlog.contextvars.bind_contextvars(request_id=operation_id)
        try:
            await self.room()
            self._send(await executed(schema, request, context), operation_id)
        except BadRequest as bad:
            self.finish([bad.error()])
        except Exception as error:  # noqa: BLE001 - logged, and masked to the client like any bug
            self.finish(presented([GraphQLError("", original_error=error)], operation_id))

    def _send(self, result: ExecutionResult, operation_id: str) -> None:
        body = body_of(result, operation_id)
        if was_executed(result):
            self.deliver(Delivery(encoded(body).decode(), None))
            self.finish(None)
        else:
            self.finish(body["errors"])


def _too_many(most: int) -> dict[str, Any]:
    message = f"the connection has as many operations running as are allowed: {most:,}"
    return {"message": message, "extensions": {"code": LIMIT_EXCEEDED, "limit": "operations", "maximum": most}}
