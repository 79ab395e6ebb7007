"""Posting alerts in Prometheus' own wire format, as fast as they are answered: by wrk, else by asyncio.

Sixteen clients on connections that stay open each wait for their answer before they post again. Whatever is not
answered with success ends the benchmark: a figure with failures in it would mean nothing.
"""

import asyncio
import json
import os
import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from running import HERE

CLIENTS = 16
SERVICES = 500
"""How many services alerts are of, each with one severity: so many incidents there will be."""

_SEVERITIES = ("critical", "high", "medium", "low")
_PREPARED = 200


@dataclass(frozen=True, slots=True)
class Load:
    """What is posted.

    Attributes:
        batch: alerts in a request.
        keys: how many alerts there are to draw from; 0: each one that is posted is new.
        seconds: for how long.
        most: alerts after which it is enough, whatever the time.
    """

    batch: int
    keys: int
    seconds: float
    most: int = 1_000_000

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"{'known' if self.keys else 'new'} alerts, {self.batch} a post"


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a load: alerts a second, and how long a client waited for its answer."""

    alerts: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Alerts a second."""
        return self.alerts / self.seconds


def write_alerts(folder: Path) -> Path:
    """Write down one alert a service, with {N} where the number of the alert goes."""
    path = folder / "alerts.txt"
    path.write_text("".join(f"{_alert(number)}\n" for number in range(SERVICES)))
    return path


def bodies(alerts: Path, keys: int, batch: int) -> list[bytes]:
    """Every known alert once, as requests."""
    shapes = alerts.read_text().splitlines()
    return [_body(shapes, range(start, min(start + batch, keys))) for start in range(0, keys, batch)]


def post(url: str, alerts: Path, load: Load, first: int, wrk: str | None) -> Figures:
    """Post to an address; the numbers of new alerts begin at ``first``."""
    if wrk:
        return _by_wrk(wrk, url, alerts, load, first)
    return asyncio.run(_by_asyncio(url, _following(alerts.read_text().splitlines(), load, first), load))


def _alert(number: int) -> str:
    now = datetime.now(UTC)
    alert = {
        "labels": {
            "alertname": f"HighLatency{number % 50}",
            "instance": "host-{N}:9100",
            "job": "api",
            "service": f"service-{number}",
            "severity": _SEVERITIES[number % len(_SEVERITIES)],
        },
        "annotations": {"summary": "p99 above 500 ms on host-{N}", "runbook_url": "https://runbooks.example/latency"},
        "startsAt": _rfc3339(now - timedelta(minutes=1)),
        "endsAt": _rfc3339(now + timedelta(hours=1)),
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=latency%3A99+%3E+0.5&g0.tab=1",
    }
    return json.dumps(alert, separators=(",", ":"))


def _rfc3339(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _body(shapes: list[str], numbers: range | list[int]) -> bytes:
    return f"[{','.join(shapes[n % len(shapes)].replace('{N}', str(n)) for n in numbers)}]".encode()


def _by_wrk(wrk: str, url: str, alerts: Path, load: Load, first: int) -> Figures:
    command = [wrk, "--threads", "1", "--connections", str(CLIENTS), "--duration", f"{load.seconds:.0f}s"]
    said = subprocess.run(  # noqa: S603 - wrk, wherever it is installed
        [*command, "--script", str(HERE / "posting.lua"), url],
        env={
            "PATH": os.environ["PATH"],
            "ALERTS": str(alerts),
            "BATCH": str(load.batch),
            "KEYS": str(load.keys),
            "FIRST": str(first),
            "MOST": str(load.most // load.batch),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=load.seconds + 60,
    ).stdout
    found = json.loads(said.splitlines()[-1])
    if found["failed"] or not found["requests"]:
        raise SystemExit(f"{url}: {found['failed']} requests failed, {found['requests']} were answered")
    return Figures(found["requests"] * load.batch, found["seconds"], found["p50_ms"], found["p99_ms"])


async def _by_asyncio(url: str, following: Callable[[], bytes], load: Load) -> Figures:
    """The same without wrk. It is busier than the server may be: that can do at least what comes out."""
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    waits: list[float] = []
    started = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while time.perf_counter() - started < load.seconds and len(waits) * load.batch < load.most:
            body = following()
            asked = time.perf_counter()
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await _answered(url, reader)
            waits.append(time.perf_counter() - asked)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    seconds = time.perf_counter() - started
    waits.sort()
    p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    return Figures(len(waits) * load.batch, seconds, p50 * 1e3, p99 * 1e3)


def _following(shapes: list[str], load: Load, first: int) -> Callable[[], bytes]:
    if load.keys:
        chance = random.Random(7)  # noqa: S311 - the same draws for everyone, no secret
        prepared = [_body(shapes, chance.choices(range(load.keys), k=load.batch)) for _ in range(_PREPARED)]
        return lambda: chance.choice(prepared)
    starts = count(first, load.batch)
    return lambda: _body(shapes, range(start := next(starts), start + load.batch))


async def _answered(url: str, reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"content-length:")
    await reader.readexactly(int(length.split(b"\r\n", 1)[0] or 0))
    if head.split(b" ", 2)[1] != b"200":
        raise SystemExit(f"{url} answered {head.decode('latin-1')}")
