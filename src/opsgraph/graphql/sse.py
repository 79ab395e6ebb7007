"""GraphQL over server-sent events, in distinct connections mode: one request, one stream of results.

Each result is an event ``next``, the end an event ``complete``. Results of subscriptions carry their cursor as the
event's id, so that a browser's `EventSource` that reconnects says by itself, in ``Last-Event-ID``, where to go on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from opsgraph.graphql.documents import LIMIT_EXCEEDED
from opsgraph.graphql.live import Live, TooMany
from opsgraph.graphql.media_types import EVENT_STREAM
from opsgraph.graphql.outbox import Outbox, aborting
from opsgraph.graphql.responses import encoded
from opsgraph.graphql.streams import Delivery, Follower

HEARTBEAT_SECONDS = 15.0
"""How often a stream says that it is alive: proxies cut off what is silent, and a dead client is noticed by it."""

_NOTHING = ":\n\n"
_COMPLETE = "event: complete\ndata:\n\n"  # without data, an EventSource would not tell of it
_HEADERS = [
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """What one client gets, event by event. It is the subscriber of a stream."""

    def __init__(self, scope: Scope, send: Send, live: Live) -> None:
        self.outbox = _outbox(scope, send, live)
        self._ended = asyncio.Event()

    def deliver(self, delivery: Delivery) -> None:
        """Send a result."""
        place = "" if delivery.cursor is None else f"id: {delivery.cursor}\n"
        self.outbox.put(delivery.framed(f"{place}event: next\ndata: ", "\n\n"))

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        """Tell the client that this was all, or that it failed."""
        if errors is not None:
            self.deliver(Delivery(encoded({"errors": errors}).decode(), None))
        self.outbox.put(_COMPLETE)
        self._ended.set()

    async def room(self) -> None:
        """Wait until the client has taken everything."""
        await self.outbox.room()

    async def follow(self, follower: Follower, receive: Receive) -> None:
        """Serve until the subscription ends, the client goes, or it takes nothing any more."""
        tasks: list[asyncio.Future[Any]] = [
            asyncio.create_task(_gone(receive), name="client of a stream"),
            asyncio.create_task(self._alive(follower), name="heartbeat"),
            asyncio.create_task(self._ended.wait(), name="end of a stream"),
        ]
        try:
            await asyncio.wait({*tasks, self.outbox.over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            follower.leave()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self) -> None:
        """Have the client take what was sent, and end the answer if it was told that this was all."""
        if self._ended.is_set():
            await self.outbox.room()
            self.outbox.close(0, "")
        await self.outbox.settled()

    async def _alive(self, follower: Follower) -> None:
        await follower.started()
        while True:
            self.outbox.put(_NOTHING)
            await asyncio.sleep(HEARTBEAT_SECONDS)


class StreamedAnswer:
    """The answer to one request as server-sent events: an ASGI application.

    Args:
        live: the open connections of this process.
        begin: what to send; it may give a follower that goes on sending.
        key: the API key that it was asked for with, if it was one.
    """

    def __init__(self, live: Live, begin: Callable[[EventStream], Follower | None], key: UUID | None = None) -> None:
        self._live = live
        self._begin = begin
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; with 503 if too many connections are open."""
        stream = EventStream(scope, send, self._live)
        try:
            with self._live.opened(stream.outbox, self._key):
                await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
                await self._serve(stream, receive)
        except TooMany as refusal:
            error = {"message": refusal.message, "extensions": {"code": LIMIT_EXCEEDED}}
            await JSONResponse({"errors": [error]}, 503, headers={"retry-after": "5"})(scope, receive, send)

    async def _serve(self, stream: EventStream, receive: Receive) -> None:
        try:
            if (follower := self._begin(stream)) is not None:
                await stream.follow(follower, receive)
        finally:
            await stream.end()


def _outbox(scope: Scope, send: Send, live: Live) -> Outbox:
    def write(text: str) -> Awaitable[None]:
        return send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    def farewell(_code: int, _reason: str) -> Awaitable[None]:
        return send({"type": "http.response.body", "body": b"", "more_body": False})

    return Outbox(write, farewell, live.patience, aborting(scope))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
