"""Importing FOCUS cost files, on both databases."""

import gzip
import shutil
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.cost import queries
from opsgraph.domains.cost.formats.mapping import DEFAULT, ServiceMap, read_map
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.money import Money
from opsgraph.storage.database import Database
from opsgraph.workflows.importing import focus_allocation
from opsgraph.workflows.importing.focus import import_focus
from opsgraph.workflows.importing.report import CostFigures, ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.cost import profile
from tests.support.importing import DRY, REAL_FILES, SAMPLES, STRICT, counts, needs_real_files, reasons
from tests.support.scale import scaled

HEADER = (
    "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,BillingPeriodStart,BillingAccountId,ProviderName,Tags"
)


async def run(
    database: Database,
    clock: TestClock,
    *paths: Path,
    mapping: ServiceMap = DEFAULT,
    options: Options = AS_USUAL,
) -> ImportReport:
    """Import files, later than whatever was before."""
    return await import_focus(database, LOCAL, clock.move(hours=1), paths, mapping, options)


async def make_services(database: Database, clock: TestClock, *names: str) -> None:
    """Services of these names."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        for name in names:
            await catalog.save_service(tx, ServiceInput(name))


def charge(billed: str, service: str | None = None, *, month: str = "2024-09", effective: str = "", **more: str) -> str:
    """A line of a file; `currency` and `account` are USD and 1 unless given."""
    tags = "NULL" if service is None else f'"{{""service"": ""{service}""}}"'
    currency, account = more.get("currency", "USD"), more.get("account", "1")
    return f"{billed},{effective},{currency},{month}-01 00:00:00,{month}-01 00:00:00,{account},Cloud,{tags}"


def put(folder: Path, name: str, *rows: str) -> Path:
    """A file of charges."""
    path = folder / name
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return path


async def unallocated(database: Database) -> dict[str, Decimal]:
    """What belongs to no service, by month and currency."""
    async with database.reading() as session:
        return {f"{each.month} {each.currency}": each.amount for each in await queries.unallocated_by_month(session)}


@needs_real_files
async def test_the_published_file_adds_up(database: Database, clock: TestClock) -> None:
    """A thousand rows: billed 20.52, effective 14.98, 289 without tags; one month, nothing given to a service."""
    report = await run(database, clock, REAL_FILES / "focus")
    assert report.costs is not None
    assert (report.costs.rows, report.costs.untagged, report.refused) == (1000, 289, 0)
    rounded = [amounts["USD"].quantize(Decimal("0.01")) for amounts in (report.costs.billed, report.costs.effective)]
    assert rounded == [Decimal("20.52"), Decimal("14.98")]
    assert report.costs.unallocated == report.costs.billed
    assert await unallocated(database) == {"2024-09 USD": report.costs.billed["USD"]}
    async with unchanged(database):
        again = await run(database, clock, REAL_FILES / "focus")
    assert counts(again) == {"costs": (0, 0, 4)}


async def test_the_map_and_the_catalog_decide_whose_cost_it_is(database: Database, clock: TestClock) -> None:
    """By the rules of the sample map; what is damaged is refused, all else adds up to what the file says."""
    await make_services(database, clock, "Checkout", "search")
    mapping = read_map((SAMPLES / "focus" / "map.yaml").read_text(encoding="utf-8"), "map.yaml")
    assert isinstance(mapping, ServiceMap)
    report = await run(database, clock, SAMPLES / "focus" / "charges.csv", mapping=mapping)
    assert report.costs == CostFigures(
        4,
        2,
        {"EUR": Decimal("-3.5"), "USD": Decimal("12.10000000001")},
        {"USD": Decimal("9.5")},
        {"USD": Decimal("2.00000000001")},
    )
    assert [str(refusal).rpartition("/")[2] for refusal in report.refusals] == [
        'charges.csv:6: BilledCost "lots" is not a number'
    ]
    found = await profile(database, "checkout")
    assert [(entry.month, entry.amount, entry.currency, entry.effective) for entry in found.entries] == [
        ("2024-09", Decimal("-3.5"), "EUR", None),
        ("2024-09", Decimal("10.1"), "USD", Decimal(8)),
    ]
    assert await unallocated(database) == {"2024-09 USD": Decimal("2.00000000001")}


async def test_another_month_adds_and_the_same_replaces(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """By provider, account and billing period: a corrected file takes back what it no longer says."""
    await make_services(database, clock, "api")
    september = put(tmp_path, "09.csv", charge("10", "api"), charge("1", "api"), charge("5"))
    october = put(tmp_path, "10.csv", charge("20", "api", month="2024-10"))
    await run(database, clock, september)
    assert counts(await run(database, clock, october))["costs"] == (1, 0, 0)
    assert [(entry.month, entry.amount) for entry in (await profile(database)).entries] == [
        ("2024-09", Decimal(11)),
        ("2024-10", Decimal(20)),
    ]
    report = await run(database, clock, put(tmp_path, "09.csv", charge("7", "api")))
    assert (counts(report)["costs"], report.kinds["costs"].removed) == ((0, 1, 0), 1)
    assert [entry.amount for entry in (await profile(database)).entries] == [7, 20]
    assert await unallocated(database) == {}


async def test_the_parts_of_a_bill_are_added_up(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """All files of one import are one, packed or not, and none of them counts twice."""
    await make_services(database, clock, "api")
    first = put(tmp_path, "part-1.csv", charge("1", "api", effective="1"), charge("0.5"))
    second = put(tmp_path, "part-2.csv", charge("2", "api"), charge("0.25", effective="0.2"))
    (tmp_path / "part-3.csv.gz").write_bytes(gzip.compress(second.read_bytes()))
    second.unlink()
    (tmp_path / "part-4.csv").symlink_to(first)
    report = await run(database, clock, tmp_path, first)
    assert report.costs is not None
    assert (report.files, report.costs.rows) == (2, 4)
    assert (report.costs.billed, report.costs.effective) == ({"USD": Decimal("3.75")}, {"USD": Decimal("1.2")})
    (entry,) = (await profile(database)).entries
    assert (entry.amount, entry.effective) == (Decimal(3), None)
    shutil.copy(first, tmp_path / "copy.csv")
    (tmp_path / "copy.csv.gz").write_bytes(gzip.compress(first.read_bytes()))
    (again,) = (await run(database, clock, tmp_path / "copy.csv", tmp_path / "copy.csv.gz")).warnings
    assert again.reason == "was left out: the file without .gz is read as well"


async def test_names_that_no_service_has_are_told_once(
    database: Database, clock: TestClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With their rows counted, not one warning a row; archived services take no cost either."""
    await make_services(database, clock, "api", "old")
    async with database.transaction(LOCAL, clock.now()) as tx:
        await catalog.archive_service(tx, "old")
    names = ("gone", "old", "API", "Gone", "gone", "nul\\u0000", "gone")
    path = put(tmp_path, "a.csv", *(charge("1", name) for name in names))
    report = await run(database, clock, path)
    assert [(finding.line, finding.reason) for finding in report.warnings] == [
        (2, 'service "gone" is not in the catalog; 4 rows are unallocated'),
        (3, 'service "old" is archived; 1 row is unallocated'),
        (7, 'service "nul\\x00" is not in the catalog; 1 row is unallocated'),
    ]
    assert report.refused == 0
    assert (await profile(database)).latest == 1
    assert await unallocated(database) == {"2024-09 USD": 6}
    monkeypatch.setattr(focus_allocation, "MOST_UNKNOWN", 1)
    capped = await run(database, clock, path)
    assert [finding.reason for finding in capped.warnings] == [
        "2 rows are unallocated that name further services",
        'service "gone" is not in the catalog; 4 rows are unallocated',
    ]


async def test_a_service_that_comes_later_takes_its_cost(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Importing again moves what was unallocated; nothing counts twice."""
    path = put(tmp_path, "a.csv", charge("3", "api"))
    await run(database, clock, path)
    await make_services(database, clock, "api")
    report = await run(database, clock, path)
    assert (counts(report)["costs"], report.kinds["costs"].removed) == ((1, 0, 0), 1)
    assert (await profile(database)).latest == 3
    assert await unallocated(database) == {}


async def test_sums_are_rounded_once_and_that_is_said(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """To 18 decimals, halves away from zero; sums that are not finer give no warning."""
    half = "0.0000000000000000005"
    fine = put(tmp_path, "a.csv", charge(half), charge("1"), charge("2", account="2"))
    report = await run(database, clock, fine)
    assert await unallocated(database) == {"2024-09 USD": Decimal("3.000000000000000001")}
    assert reasons(report.warnings) == ["a.csv: None: 1 sum was rounded to 18 decimals"]
    assert (await run(database, clock, put(tmp_path, "b.csv", charge(half), charge(half)))).warnings == []


async def test_a_sum_that_cannot_be_kept_is_refused(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Each row fits, their sum does not: it alone is refused."""
    largest = "9" * 18
    path = put(tmp_path, "a.csv", charge(largest), charge(largest), charge("1", account="2"))
    report = await run(database, clock, path)
    assert reasons(report.refusals) == [
        "a.csv: None: focus:Cloud/1/2024-09 in 2024-09: amount is too large; amounts are under 10^18"
    ]
    assert await unallocated(database) == {"2024-09 USD": 1}


async def test_a_file_that_breaks_off_counts_for_nothing(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """It is refused as a whole, with the line; its neighbours are stored."""
    broken = put(tmp_path, "a.csv", charge("100"))
    broken.write_bytes(broken.read_bytes() + b"\xff\xfe")
    cut = tmp_path / "b.csv.gz"
    cut.write_bytes(gzip.compress(put(tmp_path, "b", charge("100")).read_bytes())[:-20])
    other = tmp_path / "c.csv"
    other.write_text("name,price\nx,1\n", encoding="utf-8")
    report = await run(database, clock, tmp_path, put(tmp_path, "good.csv", charge("1")))
    assert await unallocated(database) == {"2024-09 USD": 1}
    assert [Path(refusal.file).name for refusal in report.refusals] == ["a.csv", "b.csv.gz", "c.csv"]
    assert report.refusals[0].line == 3
    assert report.refusals[2].reason.startswith("not a FOCUS file")
    assert report.read
    nothing = await run(database, clock, broken, cut, other)
    assert (nothing.read, nothing.stored) == (False, False)


async def test_dry_and_strict_store_nothing(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """The figures are shown all the same; a damaged line alone calls a strict import off."""
    path = put(tmp_path, "a.csv", charge("1"), charge("much"), charge("2"))
    async with unchanged(database):
        for options in (DRY, STRICT):
            report = await run(database, clock, path, options=options)
            assert report.costs is not None
            assert report.costs.billed == {"USD": 3}
            assert (report.refused, report.stored) == (1, False)
    assert (await run(database, clock, path)).stored
    async with database.reading() as session:
        assert await queries.unallocated_latest(session) == (Money(Decimal(3), "USD"),)


def _rows(count: int) -> Iterator[str]:
    """Lines of a file, each with texts of its own."""
    yield HEADER + ",ResourceId\n"
    for number in range(count):
        yield f"{charge(f'0.{number + 1:06}', f'service-{number % 50}')},resource-{number}\n"


@pytest.mark.long
async def test_memory_does_not_follow_the_rows(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Four times the rows take no more memory."""
    await make_services(database, clock, "service-1")
    peaks = []
    for count in (scaled(250_000), scaled(1_000_000)):
        path = tmp_path / f"{count}.csv"
        with path.open("w", encoding="utf-8") as stream:
            stream.writelines(_rows(count))
        tracemalloc.start()
        report = await run(database, clock, path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.costs is not None
        assert report.costs.rows == count
    assert peaks[1] < peaks[0] + 500_000
