"""A server under load that is killed and started again, and clients that go on when it is back."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.packaging.environments import surroundings
from tests.support.cli import OPSGRAPH

STARTS_WITHIN_SECONDS = 60
FEED = "subscription ($after: String) { alertFeed(after: $after) { cursor kind alert { id fingerprint } } }"


@dataclass(slots=True)
class Mortal:
    """`opsgraph serve` on one port, which may be killed at any moment and started again.

    Attributes:
        folder: where it runs.
        settings: its environment.
        port: 0 until it has been started once; then it stays on the port that it got.
        up: set while it answers.
    """

    folder: Path
    settings: dict[str, str]
    port: int = 0
    up: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it says where it listens."""
        self.process = await asyncio.create_subprocess_exec(
            *(OPSGRAPH, "serve", "--port", str(self.port)),
            cwd=self.folder,
            env=surroundings({"OPSGRAPH_LOG_LEVEL": "error", **self.settings}),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout
        async with asyncio.timeout(STARTS_WITHIN_SECONDS):
            said = (await self.process.stdout.readline()).decode()
        assert said.startswith("opsgraph serves "), said
        self.port = int(said.strip().rpartition(":")[2])
        self.up.set()

    async def kill(self) -> None:
        """Kill it without a word: no handler runs, nothing is finished."""
        assert self.process
        self.up.clear()
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def mortal(folder: Path, **settings: str) -> AsyncIterator[Mortal]:
    """A server that is started; killed when the block ends."""
    server = Mortal(folder, settings)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


@dataclass(slots=True)
class Sender:
    """Posts batches of alerts, each alert once, and remembers which were answered with success."""

    server: Mortal
    name: str
    size: int = 5
    acknowledged: list[str] = field(default_factory=list)
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)
    ending: bool = False

    async def run(self) -> None:
        """Post until it is to end, and then what was begun; what got no answer is sent again, as any sender does."""
        async with httpx.AsyncClient(base_url=self.server.url) as client:
            number = 0
            while not self.ending:
                await self._post(client, [f"{self.name}-{number + n}" for n in range(self.size)])
                number += self.size

    async def _post(self, client: httpx.AsyncClient, names: list[str]) -> None:
        batch = [
            {"labels": {"alertname": name, "service": f"s{number % 3}", "severity": "critical"}}
            for number, name in enumerate(names)
        ]
        while True:
            await self.server.up.wait()
            try:
                response = await client.post("/api/v2/alerts", json=batch)
            except httpx.TransportError:
                await asyncio.sleep(0)
                continue
            if response.status_code == httpx.codes.OK:
                break
        async with self.progress:
            self.acknowledged += names
            self.progress.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many alerts are acknowledged."""
        async with self.progress:
            await self.progress.wait_for(lambda: len(self.acknowledged) >= count)


@dataclass(slots=True)
class Follower:
    """Follows the alert feed over SSE, and resumes by the last cursor it has."""

    server: Mortal
    cursor: str
    seen: list[tuple[str, str]] = field(default_factory=list)
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        """Follow until cancelled."""
        patient = httpx.Timeout(30, read=None)  # a quiet feed is fine
        async with httpx.AsyncClient(base_url=self.server.url, timeout=patient) as client:
            while True:
                await self.server.up.wait()
                try:
                    await self._follow(client)
                except httpx.TransportError:
                    await asyncio.sleep(0)

    async def _follow(self, client: httpx.AsyncClient) -> None:
        body = {"query": FEED, "variables": {"after": self.cursor}}
        headers = {"accept": "text/event-stream"}
        async with client.stream("POST", "/graphql", json=body, headers=headers) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    await self._take(orjson.loads(line.removeprefix("data: ")))

    async def _take(self, result: dict[str, Any]) -> None:
        assert "errors" not in result, result
        event = result["data"]["alertFeed"]
        async with self.progress:
            self.cursor = event["cursor"]
            self.seen.append((event["kind"], event["alert"]["id"]))
            self.progress.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many events are seen."""
        async with self.progress:
            await self.progress.wait_for(lambda: len(self.seen) >= count)


async def asked(url: str, query: str, **variables: Any) -> dict[str, Any]:
    """The data of a query that must not have errors."""
    async with httpx.AsyncClient() as client:
        answer = (await client.post(f"{url}/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data
