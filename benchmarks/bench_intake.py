"""How many alerts a second one process takes in: correlated and committed before the answer, beside an Alertmanager.

    python benchmarks/bench_intake.py                              on SQLite, in a temporary folder
    python benchmarks/bench_intake.py --postgresql                 on a PostgreSQL that a development dependency carries
    OPSGRAPH_DATABASE_URL=postgresql://... python benchmarks/...   on an empty database

Sixteen clients post Prometheus' wire format to /api/v2/alerts, one alert or fifty at a time: of 5,000 that fire
already, or none that was posted before. The services are registered, the workers run, every setting has its default,
and the database waits for the disk. Alertmanager (Debian's prometheus-alertmanager) keeps alerts in memory and groups
them by the same two labels. Both take turns; each figure is the median of its turns. Quote the ratios: absolute figures
drift from machine to machine and from minute to minute.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from operator import attrgetter
from pathlib import Path

from posting import CLIENTS, SERVICES, Figures, Load, bodies, post, write_alerts
from running import alertmanager, database, graphql, installed, opsgraph, register_services
from running import post as send
from turns import heading, in_turns, line, machine_load

KNOWN = 5_000
FURTHER = 10_000_000  # so many numbers lie between the new alerts of one turn and of the next
_STORED = "{ alerts(first: 0) { totalCount } }"


def loads(seconds: float) -> list[Load]:
    """What is measured, known alerts first: the database is small then."""
    return [Load(batch, keys, seconds) for keys in (KNOWN, 0) for batch in (1, 50)]


@contextmanager
def peer(program: str | None, folder: Path) -> Iterator[str | None]:
    """A fresh Alertmanager, whose memory holds nothing of the loads before; None where there is none."""
    with ExitStack() as stack:
        yield stack.enter_context(alertmanager(program, folder)) if program else None


class Bench:
    """The loads, one after the other, against one server."""

    def __init__(self, server: str, folder: Path, turns: int) -> None:
        self._server = server
        self._alerts = write_alerts(folder)
        self._folder = folder
        self._turns = turns
        self._first = count(KNOWN, FURTHER)
        self._wrk = installed("wrk", "wrk", "alerts are posted by Python, which is slower")
        self._alertmanager = installed("prometheus-alertmanager", "prometheus-alertmanager")
        self._new = 0

    def run(self, seconds: float) -> None:
        """Measure everything and print a table."""
        register_services(self._server, SERVICES)
        self._warm(self._server)
        print(heading("alerts/s", "Alertmanager"))
        for load in loads(seconds):
            with peer(self._alertmanager, self._folder) as other:
                if other:
                    self._warm(other)
                self._measure(load, other)
        self._check()

    def _measure(self, load: Load, other: str | None) -> None:
        theirs = partial(self._post, other, load) if other else None
        ours, peers = in_turns(partial(self._post, self._server, load), theirs, self._turns)
        self._new += 0 if load.keys else sum(figures.alerts for figures in ours)
        print(line(load.name, ours, peers, attrgetter("rate")))
        for name in ("p50", "p99"):
            print(line(f"  answered within, {name}, ms", ours, peers, attrgetter(f"{name}_ms"), ",.1f"))

    def _post(self, address: str, load: Load) -> Figures:
        return post(f"{address}/api/v2/alerts", self._alerts, load, next(self._first), self._wrk)

    def _warm(self, address: str) -> None:
        for body in bodies(self._alerts, KNOWN, 250):
            send(f"{address}/api/v2/alerts", body)

    def _check(self) -> None:
        """Whatever was answered is there: a rate of alerts that were lost would mean nothing."""
        stored = graphql(self._server, _STORED)["alerts"]["totalCount"]
        if stored < KNOWN + self._new:
            raise SystemExit(f"{KNOWN + self._new:,} alerts were answered, {stored:,} are stored")
        print(f"  every new alert that was answered is stored: {stored:,}")


def main(seconds: float, turns: int, *, postgresql: bool) -> None:
    """Start a server on an empty database, and measure."""
    with (
        tempfile.TemporaryDirectory(prefix="opsgraph-bench-") as name,
        database(Path(name), postgresql=postgresql) as url,
        opsgraph(Path(name), url) as server,
    ):
        print(
            f"intake on {url.partition(':')[0]}, {CLIENTS} clients, {turns} turns of {seconds:.0f} s, {machine_load()}"
        )
        Bench(server, Path(name), turns).run(seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL rather than on SQLite")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each turn takes")
    parser.add_argument("--turns", type=int, default=3, help="how often ours and the peer take turns")
    chosen = parser.parse_args()
    main(chosen.seconds, chosen.turns, postgresql=chosen.postgresql)
