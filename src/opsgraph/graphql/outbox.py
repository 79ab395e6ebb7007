"""What a connection has to send, in order, without anybody waiting for a client that does not read."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from opsgraph.graphql.protocol import CloseCode, shortened

ABORT = "opsgraph.abort"
"""The ASGI extension by which a server lets a connection be cut off: `{"abort": callable}`."""

Write = Callable[[str], Awaitable[None]]
Farewell = Callable[[int, str], Awaitable[None]]


def aborting(scope: Scope) -> Callable[[], None] | None:
    """What cuts a connection off, if the server has it."""
    found: Callable[[], None] | None = (scope.get("extensions") or {}).get(ABORT, {}).get("abort")
    return found


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client is waited for, and how much is kept for it meanwhile.

    Attributes:
        init_seconds: until it has said who it is.
        stalled_seconds: while it takes nothing of what was sent to it.
        close_seconds: until a close frame is on its way; then the connection is cut off.
        queued: messages that wait while it takes nothing.
    """

    init_seconds: float = 10.0
    stalled_seconds: float = 30.0
    close_seconds: float = 1.0
    queued: int = 256


class Outbox:
    """The only writer of a connection.

    A text is written at once. If the server says that the client is behind by letting that wait, a task waits in its
    place, and what comes meanwhile is queued. A queue that is full, or a wait that is too long, closes the connection.

    Args:
        write: sends a text.
        farewell: sends what ends the connection in an orderly way, with a code and a reason.
        patience: the limits.
        abort: cuts the connection off.

    Attributes:
        over: done once nothing more can be sent.
    """

    def __init__(
        self, write: Write, farewell: Farewell, patience: Patience, abort: Callable[[], None] | None = None
    ) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._write = write
        self._farewell = farewell
        self._patience = patience
        self._abort = abort
        self._queue: deque[str] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    def put(self, text: str) -> None:
        """Send a text, now or when the client has taken those before it; never waits."""
        if self._closing is not None or self.over.done():
            return
        if self._writing is not None:
            if len(self._queue) == self._patience.queued:
                self.close(CloseCode.TRY_AGAIN_LATER, "the client takes what it asked for too slowly")
            else:
                self._queue.append(text)
            return
        waiting = self._begun(text)
        if waiting is not None:
            self._room.clear()
            self._writing = asyncio.create_task(self._finish(waiting))

    async def room(self) -> None:
        """Return once nothing waits to be sent."""
        await self._room.wait()

    def close(self, code: int, reason: str) -> None:
        """Close the connection; what still waits to be sent is dropped. The first reason counts."""
        if self._closing is None and not self.over.done():
            self._closing = asyncio.create_task(self._close(code, shortened(reason)))

    async def settled(self) -> None:
        """End all that is under way; return when a close frame is sent, or the connection was cut off."""
        if self._closing is None:
            self._stop()
        await asyncio.gather(*(task for task in (self._writing, self._closing) if task), return_exceptions=True)

    def _begun(self, text: str) -> Awaitable[None] | None:
        """Write as far as it goes without waiting; gives what is left to wait for."""
        try:
            return _started(self._write(text))
        except Exception:  # noqa: BLE001 - the client is gone, and servers say so in different ways
            self._stop()
            return None

    async def _finish(self, waiting: Awaitable[None]) -> None:
        try:
            await self._wait(waiting)
            while self._queue:
                if (waiting_still := self._begun(self._queue.popleft())) is not None:
                    await self._wait(waiting_still)
        except TimeoutError:
            self.close(CloseCode.TRY_AGAIN_LATER, "the client takes nothing")
        except Exception:  # noqa: BLE001 - the client is gone, as above
            self._stop()
        finally:
            self._writing = None
            self._room.set()

    async def _wait(self, waiting: Awaitable[None]) -> None:
        async with asyncio.timeout(self._patience.stalled_seconds):
            await waiting

    async def _close(self, code: int, reason: str) -> None:
        self._queue.clear()
        if self._writing is not None:
            self._writing.cancel()
        try:
            async with asyncio.timeout(self._patience.close_seconds):
                await self._farewell(code, reason)
        except TimeoutError:
            if self._abort is not None:
                self._abort()
        except Exception:  # noqa: BLE001, S110 - the client is gone, and the connection with it
            pass
        finally:
            self._stop()

    def _stop(self) -> None:
        self._queue.clear()
        self._room.set()
        if self._writing is not None:
            self._writing.cancel()
        if not self.over.done():
            self.over.set_result(None)


def _started(sending: Awaitable[None]) -> "Awaitable[None] | None":
    """Run a coroutine up to where it first waits; gives the rest of it, or None if it did not wait."""
    coroutine = sending if isinstance(sending, Coroutine) else _awaiting(sending)
    try:
        waited_for = coroutine.send(None)
    except StopIteration:
        return None
    return _Rest(coroutine, waited_for)


async def _awaiting(sending: Awaitable[None]) -> None:
    await sending


class _Rest:
    """What is left of a coroutine that has begun to wait, to be awaited by a task."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], waited_for: Any) -> None:
        self._coroutine = coroutine
        self._waited_for = waited_for

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield self._waited_for
        except BaseException as error:  # noqa: BLE001 - a cancellation, above all: it is for who waits inside
            yield from self._thrown(error)
            return
        yield from self._coroutine.__await__()

    def _thrown(self, error: BaseException) -> Generator[Any, Any, None]:
        try:
            waited_for = self._coroutine.throw(error)
        except StopIteration:
            return
        yield waited_for
        yield from self._coroutine.__await__()
