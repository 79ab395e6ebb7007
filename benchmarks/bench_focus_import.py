"""How fast a FOCUS file is imported, and that its memory does not follow the number of rows.

    python benchmarks/bench_focus_import.py [--rows 1000000] [--services 200] [--gzip]

The file is made on the fly in a temporary folder: charges of two accounts in the columns that opsgraph reads, with a
tag, a resource and a credit now and then. It is imported into SQLite, with a map, by the library function that
`opsgraph import focus` calls. Before, a file of 20,000 rows is imported, so that what Python and the libraries take
once is not counted as growth.
"""

import argparse
import asyncio
import gzip
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from opsgraph.app import Core, build_core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.migrating import migrate
from opsgraph.workflows.importing.focus import import_focus

HEADER = (
    "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,BillingAccountId,"
    "ProviderName,ChargeCategory,ChargeDescription,ResourceId,SubAccountId,Tags\n"
)
WARM_UP_ROWS = 20_000


def rows(count: int, services: int) -> Iterator[str]:
    """Charges of one month, no two alike."""
    yield HEADER
    for number in range(count):
        day, hour = number % 30 + 1, number % 24
        category, amount = (
            ("Credit", f"-0.{number % 997:04}") if number % 50 == 0 else ("Usage", f"0.{number % 9973:08}")
        )
        tags = "NULL" if number % 4 == 0 else f'"{{""service"": ""service-{number % services}"", ""env"": ""prod""}}"'
        yield (
            f"{amount},{amount},USD,2024-09-{day:02} {hour:02}:00:00,2024-10-01 00:00:00,2024-09-01 00:00:00,"
            f'account-{number % 2},Cloud,{category},"Requests, per million",arn:queue/{number},{number % 7},{tags}\n'
        )


def write(path: Path, count: int, services: int) -> None:
    """Write a file of so many charges."""
    with gzip.open(path, "wt", compresslevel=1) if path.suffix == ".gz" else path.open("w") as stream:
        stream.writelines(rows(count, services))


async def prepared(folder: Path, services: int) -> Core:
    """A database with the services that charges name."""
    core = build_core(Settings(database_url=f"sqlite:///{folder}/bench.db"))
    await migrate(core.database)
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        for number in range(services):
            await catalog.save_service(tx, ServiceInput(f"service-{number}"))
    return core


async def measure(core: Core, path: Path, count: int) -> None:
    """Import the file and print what that took."""
    before, started = peak_mib(), time.perf_counter()
    report = await import_focus(core.database, SYSTEM, core.clock.now(), [path])
    seconds = time.perf_counter() - started
    if report.refused or report.costs is None or report.costs.rows != count:
        raise SystemExit(f"the import went wrong: {report}")
    print(f"{count} rows in {seconds:.1f} s: {count / seconds:,.0f} rows/s")
    print(f"peak memory {peak_mib():.0f} MiB, {peak_mib() - before:.1f} MiB more than before")


def peak_mib() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


async def main(count: int, services: int, ending: str) -> None:
    """Warm up, then measure."""
    with tempfile.TemporaryDirectory(prefix="opsgraph-bench-") as name:
        folder = Path(name)
        core = await prepared(folder, services)
        for number in (WARM_UP_ROWS, count):
            path = folder / f"charges-{number}{ending}"
            write(path, number, services)
            await measure(core, path, number)
        await core.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--gzip", action="store_true", help="pack the file")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.rows, chosen.services, ".csv.gz" if chosen.gzip else ".csv"))
