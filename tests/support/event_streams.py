"""A client of server-sent events that speaks to an ASGI application in this process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Scope

from tests.support.waiting import LONG_ENOUGH_SECONDS

COMMENT = {"": ""}
"""What stands for a comment among the events."""


@dataclass
class Answer:
    """An answer that comes bit by bit.

    Attributes:
        status: of the answer.
        headers: of the answer, by their names in lower case.
        reading: clear it to take nothing more.
        cut_off: whether the server cut the connection off.
        ended: whether the server has ended the answer in good order.
    """

    status: int
    headers: dict[str, str]
    reading: asyncio.Event
    cut_off: bool = False
    ended: bool = False
    _unread: str = ""

    def __post_init__(self) -> None:
        self._chunks: asyncio.Queue[str] = asyncio.Queue()
        self._left = asyncio.Event()

    async def event(self) -> dict[str, str]:
        """The next event, by the names of its fields; a comment is an event with an empty field."""
        while "\n\n" not in self._unread:
            self._unread += await self._next()
        block, _, self._unread = self._unread.partition("\n\n")
        fields = (line.partition(":") for line in block.split("\n"))
        return {name: value.removeprefix(" ") for name, _, value in fields}

    async def result(self) -> dict[str, Any]:
        """The result that comes next; comments in between do not count."""
        while (event := await self.event()) == COMMENT:
            pass
        assert event["event"] == "next", event
        found: dict[str, Any] = json.loads(event["data"])
        return found

    async def body(self) -> str:
        """What comes until the answer has ended."""
        while not self.ended or not self._chunks.empty():
            self._unread += await self._next()
        return self._unread

    def go(self) -> None:
        """Be gone without a word."""
        self._left.set()
        self.reading.set()

    def abort(self) -> None:
        """What a server does to cut a connection off."""
        self.cut_off = True
        self.go()

    async def gone(self) -> Message:
        """The server's `receive` once the request is read."""
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def take(self, message: Message) -> None:
        """The server's `send`, for the body."""
        await self.reading.wait()
        if not self._left.is_set():
            self.ended = not message.get("more_body", False)
            self._chunks.put_nowait(message.get("body", b"").decode())

    async def _next(self) -> str:
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            return await self._chunks.get()


@asynccontextmanager
async def streamed(
    app: ASGIApp,
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Answer]:
    """The answer to an operation; when the block ends, the client is gone and the server has to end as well."""
    answer = Answer(0, {}, asyncio.Event())
    answer.reading.set()
    begun = asyncio.Event()
    request = [_body(query, variables) if method == "POST" else b""]

    async def receive() -> Message:
        return {"type": "http.request", "body": request.pop()} if request else await answer.gone()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            begun.set()
        else:
            await answer.take(message)

    scope = _scope(method, query, variables, headers or {})
    scope["extensions"] = {"opsgraph.abort": {"abort": answer.abort}}
    serving = asyncio.ensure_future(app(scope, receive, send))
    try:
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            await begun.wait()
        yield answer
    finally:
        answer.go()
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            await serving


def _body(query: str, variables: Mapping[str, Any] | None) -> bytes:
    return json.dumps({"query": query, "variables": dict(variables or {})}).encode()


def _scope(method: str, query: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Scope:
    parameters = {"query": query, "variables": json.dumps(dict(variables or {}))} if method == "GET" else {}
    given = {"host": "opsgraph.test", "accept": "text/event-stream", "content-type": "application/json", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": urlencode(parameters).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "state": {},
    }
