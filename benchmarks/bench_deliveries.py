"""How many events a second one process delivers to 1,000 subscribers, and how soon, beside a graphql-ws server.

    python benchmarks/bench_deliveries.py                            on SQLite, in a temporary folder
    python benchmarks/bench_deliveries.py --postgresql               on the PostgreSQL of a development dependency
    OPSGRAPH_DATABASE_URL=postgresql://... python benchmarks/...     on an empty database

The subscribers speak graphql-transport-ws; each asks for the same, under an id of its own. Deliveries a second: alerts
are posted fifty at a time, and the clock runs from the request to the last delivery, so that opsgraph's figure has its
intake, its commit and its event log in it. Milliseconds: one alert at a time, from the request until it is with half of
the subscribers, and with all. Accepted to delivered: on a system that does nothing else, for one subscriber and for all
of them, from the answer to the sender until a subscriber has the alert (0 if it has it before), as the median and the
99th percentile of all deliveries. The peer (npm graphql-ws on ws) makes its alerts up in memory. Both take turns; each
figure is the median of its turns. Quote the ratios: absolute figures drift from machine to machine and from minute to
minute.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from running import database, free_port, once_ready, opsgraph, post, register_services, running
from subscribing import Crowd
from turns import heading, in_turns, line, machine_load

HERE = Path(__file__).parent
MANIFESTS = HERE.parent / "tests" / "packaging" / "node"
BURST = 50
BURSTS = 10
SINGLE = 30
ALONE = 200
"""How many alerts go to one subscriber alone: the 99th percentile is that of so many deliveries."""

PAUSE_SECONDS = 0.05
"""Between alerts whose deliveries are timed by themselves, so that each finds a system that does nothing else."""

Publish = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds from the answer to the sender until a subscriber has the alert."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What one turn measured."""

    per_second: float
    half_ms: float
    all_ms: float
    alone: Waits
    together: Waits


def measured(url: str, subscribers: int, publish: Publish) -> Figures:
    """One turn: single alerts to one subscriber, then to all of them some bursts and some single alerts."""
    with closing(Crowd(url, 1)) as one:
        alone = _waits(one, publish, ALONE)
    with closing(Crowd(url, subscribers)) as crowd:
        return _measured(crowd, publish, alone)


def _measured(crowd: Crowd, publish: Publish, alone: Waits) -> Figures:
    publish_one = partial(publish, 1)
    crowd.round(publish_one, 1)
    bursts = [crowd.round(partial(publish, BURST), BURST) for _ in range(BURSTS)]
    single = [crowd.round(publish_one, 1) for _ in range(SINGLE)]
    return Figures(
        median(burst.per_second for burst in bursts),
        median(one.milliseconds(0.5) for one in single),
        median(one.milliseconds(1) for one in single),
        alone,
        _waits(crowd, publish, SINGLE),
    )


def _waits(crowd: Crowd, publish: Publish, alerts: int) -> Waits:
    """How long deliveries take while nothing else happens; the first, which finds caches empty, is left out."""
    crowd.round(partial(publish, 1), 1)
    found: list[float] = []
    for _ in range(alerts):
        time.sleep(PAUSE_SECONDS)
        found += crowd.round(partial(publish, 1), 1).waits()
    return Waits(median(found), quantiles(found, n=100, method="inclusive")[98])


def to_opsgraph(url: str) -> Publish:
    """Posts new alerts of one registered service in Prometheus' format."""
    numbers = count()

    def publish(size: int) -> object:
        labels = {"alertname": "errors", "service": "service-0", "severity": "critical"}
        alerts = [
            {"labels": {**labels, "instance": f"{next(numbers)}"}, "annotations": {"summary": "alert"}}
            for _ in range(size)
        ]
        return post(f"{url}/api/v2/alerts", json.dumps(alerts).encode())

    return publish


def to_graphql_ws(url: str) -> Publish:
    """Has the peer publish alerts."""
    return lambda size: post(f"{url}/publish?n={size}", b"")


@contextmanager
def graphql_ws(folder: Path) -> Iterator[str | None]:
    """The address of the peer; None where Node.js is not installed."""
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        print("Node.js and npm are not installed: graphql-ws is left out")
        yield None
        return
    shutil.copytree(MANIFESTS, folder / "node")
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(install, cwd=folder / "node", check=True)  # noqa: S603 - npm, wherever it is installed
    port = free_port()
    with running((program, HERE / "peers" / "graphql_ws.mjs", folder / "node", str(port)), folder) as process:
        yield once_ready(process, f"http://127.0.0.1:{port}", "/", folder)


def run(url: str, peer: str | None, subscribers: int, turns: int) -> None:
    """Measure both in turns and print a table."""
    register_services(url, 1)
    ours, theirs = in_turns(
        partial(measured, url, subscribers, to_opsgraph(url)),
        partial(measured, peer, subscribers, to_graphql_ws(peer)) if peer else None,
        turns,
    )
    print(heading(f"{subscribers:,} subscribers", "graphql-ws"))
    print(line("deliveries/s", ours, theirs, lambda one: one.per_second))
    print(line("one alert: ms until half have it", ours, theirs, lambda one: one.half_ms, ",.1f"))
    print(line("one alert: ms until all have it", ours, theirs, lambda one: one.all_ms, ",.1f"))
    print("accepted to delivered, nothing else going on")
    print(line("1 subscriber: ms, p50", ours, theirs, lambda one: one.alone.p50, ",.2f"))
    print(line("1 subscriber: ms, p99", ours, theirs, lambda one: one.alone.p99, ",.2f"))
    print(line(f"{subscribers:,} subscribers: ms, p50", ours, theirs, lambda one: one.together.p50, ",.1f"))
    print(line(f"{subscribers:,} subscribers: ms, p99", ours, theirs, lambda one: one.together.p99, ",.1f"))


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description="Deliveries of live feeds.")
    options.add_argument("--postgresql", action="store_true", help="on a PostgreSQL instead of SQLite")
    options.add_argument("--subscribers", type=int, default=1_000)
    options.add_argument("--turns", type=int, default=3)
    given = options.parse_args()
    print(machine_load())
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        address = stack.enter_context(database(folder, postgresql=given.postgresql))
        url = stack.enter_context(opsgraph(folder, address))
        run(url, stack.enter_context(graphql_ws(folder)), given.subscribers, given.turns)


if __name__ == "__main__":
    main()
