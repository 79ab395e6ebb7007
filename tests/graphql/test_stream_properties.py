"""However people come and go: each gets every event from where they began, once and in order."""

import asyncio
from contextlib import AsyncExitStack

from hypothesis import given
from hypothesis import strategies as st

from tests.support.sockets import Socket, greeted
from tests.support.ticking import Ticking, ticking
from tests.support.waiting import until

RESUMED = "subscription ($after: String) { ticks(after: $after) { number } }"


class Reader:
    """Someone who follows, and what they have got so far."""

    def __init__(self, socket: Socket, earliest: int = 1) -> None:
        self.socket = socket
        self.earliest = earliest
        self.latest: int | None = None
        self.numbers: list[int] = []

    async def read(self, served: Ticking, *, begun: bool = False) -> None:
        """Take what comes: until a pong, or until the newest tick is there."""
        if begun:
            await self.socket.send({"type": "ping"})
        while begun or not self.numbers or self.numbers[-1] < len(served.ticker.texts):
            message = await self.socket.receive()
            if message["type"] == "pong":
                self.latest = len(served.ticker.texts) + 1
                return
            self.numbers.append(message["payload"]["data"]["ticks"]["number"])

    def has_everything(self, count: int) -> bool:
        """Whether they got each number from their first on, once and in order, and began in time.

        Who joins others may begin with what was recorded a moment before and is still on its way to them.
        """
        first = self.numbers[0]
        in_time = self.earliest <= first and (self.latest is None or first <= self.latest)
        return in_time and self.numbers == list(range(first, count + 1))


async def lived(steps: list[str]) -> list[tuple[list[int], bool]]:
    """What everyone got in the end, and whether that was right."""
    served, readers = ticking(), list[Reader]()
    async with AsyncExitStack() as stack:
        for step in steps:
            if step in {"tick", "burst"}:
                served.ticker.tick(*["a"] * (1 if step == "tick" else 7))
            elif step in {"join", "join in time"}:
                readers.append(Reader(await stack.enter_async_context(greeted(served.app))))
                await readers[-1].socket.subscribe("1", RESUMED)
                await readers[-1].read(served, begun=True) if step == "join in time" else None
            elif step == "resume" and readers and readers[0].numbers:
                left = readers.pop(0)
                left.socket.go()
                readers.append(Reader(await stack.enter_async_context(greeted(served.app)), left.numbers[-1] + 1))
                readers[-1].latest = readers[-1].earliest
                await readers[-1].socket.subscribe("1", RESUMED, after=str(left.numbers[-1]))
            elif step == "read" and readers:
                await readers[0].read(served, begun=True)
            elif step == "turn":
                await asyncio.sleep(0)
        for reader in readers:
            await reader.read(served, begun=True)
        served.ticker.tick("the last")
        for reader in readers:
            await reader.read(served)
        await until(lambda: served.ticker.following <= 1)
        return [(reader.numbers, reader.has_everything(len(served.ticker.texts))) for reader in readers]


@given(st.lists(st.sampled_from(["tick", "burst", "join", "join in time", "resume", "read", "turn"]), max_size=40))
def test_everyone_gets_everything_once_and_in_order(steps: list[str]) -> None:
    """However people come, go and resume, and whatever happens meanwhile; in the end they share one stream."""
    assert [numbers for numbers, right in asyncio.run(lived(steps)) if not right] == []
