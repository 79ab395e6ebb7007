"""What is read of health: stored rows and the platform report, on both databases."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsgraph.domains.catalog.model import ServiceFilter
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.cost.model import Contribution
from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.domains.health import queries
from opsgraph.domains.health.model import HealthStatus, PlatformReport
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.money import Money
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from tests.support.api import Api
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.cost import cost, replaced
from tests.support.health import store
from tests.support.scale import scaled
from tests.support.slo import make_slo
from tests.support.statements import statements

Line = Mapping[str, Any]
MOMENT = timedelta(microseconds=1)

amounts = st.decimals("-999999999", "999999999999999999", places=18) | st.integers(-5, 500).map(Decimal)
others = st.dictionaries(st.sampled_from(["CHF", "JPY"]), amounts, max_size=2)
lines = st.lists(
    st.fixed_dictionaries(
        {
            "archived": st.sampled_from([False, False, False, True]),
            "status": st.sampled_from(HealthStatus),
            "reliability_score": st.none() | st.integers(0, 1000).map(lambda tenths: tenths / 10),
            "governance": st.sampled_from(GovernanceStatus),
            "monthly_cost": amounts,
            "currency": st.sampled_from([None, "USD", "EUR", "CHF"]),
            "other_costs": others,
            "over_budget": st.booleans(),
            "slos_unmet": st.integers(0, 3),
        }
    ),
    max_size=12,
)


def rows(drawn: Iterable[Line]) -> list[dict[str, Any]]:
    """The lines as they are stored."""
    return [
        {
            **line,
            "name": f"service-{place}",
            "slos_total": line["slos_unmet"],
            "other_costs": orjson.dumps([[str(a), code] for code, a in line["other_costs"].items()]).decode(),
        }
        for place, line in enumerate(drawn)
    ]


def reported(drawn: Iterable[Line]) -> PlatformReport:
    """The report of the lines, counted one by one with exact fractions."""
    live = [line for line in drawn if not line["archived"]]
    counts = Counter(line["status"] for line in live)
    scores = [Fraction(str(line["reliability_score"])) for line in live if line["reliability_score"] is not None]
    order = [HealthStatus(name) for name in ("DOWN", "CRITICAL", "DEGRADED", "HEALTHY", "UNKNOWN")]
    return PlatformReport(
        by_status={status: counts[status] for status in HealthStatus},
        overall=next((status for status in order if counts[status]), HealthStatus.UNKNOWN),
        slo_breaches=sum(line["slos_unmet"] > 0 for line in live),
        over_budget=sum(line["over_budget"] for line in live),
        governance_compliant=sum(line["governance"] is GovernanceStatus.COMPLIANT for line in live),
        monthly_cost=totals(live),
        mean_reliability_score=float(rounded(sum(scores, Fraction(0)) / len(scores), "0.1")) if scores else 0.0,
    )


def totals(live: Sequence[Line]) -> list[Money]:
    """What is spent in each currency; zero of the usual one where nothing is."""
    sums: dict[str, Fraction] = {}
    for line in live:
        main = {line["currency"]: line["monthly_cost"]} if line["currency"] else {}
        for code, amount in [*main.items(), *line["other_costs"].items()]:
            sums[code] = sums.get(code, Fraction(0)) + Fraction(amount)
    spent = [Money(rounded(total, "0.01"), code) for code, total in sorted(sums.items()) if total]
    return spent or [Money(Decimal("0.00"), "USD")]


def rounded(value: Fraction, step: str) -> Decimal:
    """To that step, halves away from zero."""
    with localcontext(prec=80):
        return (Decimal(value.numerator) / value.denominator).quantize(Decimal(step), ROUND_HALF_UP)


@pytest.mark.long
@settings(
    max_examples=scaled(2_000, least=40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # what an example writes is not committed
)
@given(drawn=lines)
async def test_the_report_is_as_counted_one_by_one(database: Database, drawn: Sequence[Line]) -> None:
    """Whatever the services are like: counts, the worst, the mean, and each currency's sum to two decimals."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await store(tx.connection, *rows(drawn))
        assert await queries.platform_report(tx.connection, "USD") == reported(drawn)


async def test_the_mean_of_halves_is_rounded_up(database: Database) -> None:
    """On both databases alike, whatever noise adding up floats makes."""
    scores = [0.1, 0.2, 0.2, 0.3, 70.3, 29.4]
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        named = [{"name": f"s{place}", "reliability_score": score} for place, score in enumerate(scores)]
        await store(tx.connection, *named)
        report = await queries.platform_report(tx.connection, "USD")
    assert report.mean_reliability_score == 16.8  # 100.5 / 6 = 16.75


async def test_an_empty_platform_has_zeros_in_the_usual_currency(database: Database) -> None:
    """No error, no division by nothing."""
    async with database.reading() as session:
        report = await queries.platform_report(session, "EUR")
        assert await queries.summaries(session, 500) == []
    assert (report.total_services, report.mean_reliability_score, report.overall) == (0, 0.0, HealthStatus.UNKNOWN)
    assert report.monthly_cost == [Money(Decimal("0.00"), "EUR")]


async def test_lines_come_worst_first_and_ties_by_name(database: Database) -> None:
    """DOWN, CRITICAL, DEGRADED, UNKNOWN, HEALTHY; names without case; archived services are left out."""
    wanted = [
        ("B", "HEALTHY", 4),
        ("a", "HEALTHY", 4),
        ("c", "UNKNOWN", 3),
        ("d-2", "DEGRADED", 2),
        ("D-10", "DEGRADED", 2),
        ("z", "DOWN", 0),
        ("y", "CRITICAL", 1),
        ("x", "CRITICAL", 1),
    ]
    lines = [{"name": name, "status": status, "rank": rank, "archived": False} for name, status, rank in wanted]
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await store(tx.connection, *lines, {"name": "gone", "status": "DOWN", "rank": 0, "archived": True})
        found = await queries.summaries(tx.connection, 500)
        first = await queries.summaries(tx.connection, 3)
    assert [line.name for line in found] == ["z", "x", "y", "D-10", "d-2", "c", "a", "B"]
    assert first == found[:3]


async def test_the_report_shows_500_services_and_counts_all(api: Api) -> None:
    """The worst of 501 are there; more cannot be asked for, fewer can."""
    async with api.core.database.transaction(SYSTEM, START) as tx:
        bad = [{"name": f"bad-{number}", "status": "DEGRADED", "rank": 2} for number in range(500)]
        await store(tx.connection, {"name": "a-good-one", "status": "HEALTHY", "rank": 4}, *bad)
    report = (await api.data("{ platformReport { totalServices services { name health } } }"))["platformReport"]
    assert report["totalServices"] == 501
    assert len(report["services"]) == 500
    assert {line["health"] for line in report["services"]} == {"DEGRADED"}
    some = await api.data("{ platformReport { services(first: 2) { name } } }")
    assert some["platformReport"]["services"] == [{"name": "bad-0"}, {"name": "bad-1"}]
    refused = await api.send("{ platformReport { services(first: 501) { name } } }")
    assert "500" in refused["errors"][0]["message"]


async def test_costs_of_several_currencies_stand_side_by_side(api: Api, clock: TestClock) -> None:
    """Nothing is converted; what is nobody's stands beside the total, and archived services count nowhere."""
    for name in ("api", "web", "old"):
        await api.do("saveService", name=name)
    for service, month, amount, currency in (
        ("api", "2024-01", 100, "USD"),
        ("api", "2024-02", "10.005", "USD"),
        ("api", "2024-01", 7, "EUR"),
        ("web", "2024-03", 20, "EUR"),
        ("old", "2024-03", 1000, "USD"),
    ):
        await api.do("recordCost", service=service, month=month, amount=amount, currency=currency)
    await replaced(api.core.database, clock, {"file"}, [unallocated(4), unallocated("0.125"), unallocated(9, "CHF")])
    await api.data('mutation { archiveService(name: "old") { __typename } }')
    data = await api.data(
        "{ platformReport { totalMonthlyCost { amount currency } unallocatedCost { amount currency } } }"
    )
    assert data["platformReport"] == {
        "totalMonthlyCost": [{"amount": "27.00", "currency": "EUR"}, {"amount": "10.01", "currency": "USD"}],
        "unallocatedCost": [{"amount": "9.00", "currency": "CHF"}, {"amount": "4.13", "currency": "USD"}],
    }


def unallocated(amount: int | str, currency: str = "USD") -> Contribution:
    """What a file says was spent by nobody in particular."""
    return cost("2024-02", amount, currency, origin="file")


async def test_services_are_found_by_what_is_stored(database: Database) -> None:
    """By health, by governance, by both; ordered by health or by cost."""
    lines = [
        {"name": "a", "status": "HEALTHY", "rank": 4, "governance": "COMPLIANT", "cost_rank": 5.0},
        {"name": "b", "status": "CRITICAL", "rank": 1, "governance": "COMPLIANT", "cost_rank": 1.0},
        {"name": "c", "status": "CRITICAL", "rank": 1, "governance": "NON_COMPLIANT", "cost_rank": 9.0},
    ]
    critical = queries.in_status([HealthStatus.CRITICAL])
    compliant = queries.in_governance([GovernanceStatus.COMPLIANT])
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await store(tx.connection, *lines)

        async def names(*among: Any, order: Any = None) -> str:
            chosen = {"order": order} if order else {}
            page = await catalog_services.services_page(
                tx.connection, ServiceFilter(), PageRequest(9), among=among, **chosen
            )
            return "".join(row.name for row in page.rows)

        assert await names(critical) == "bc"
        assert await names(compliant) == "ab"
        assert await names(critical, compliant) == "b"
        assert await names(queries.in_status([])) == ""
        assert await names(order=queries.worst_first()) == "bca"
        assert await names(order=queries.cost_highest_first()) == "cab"


async def test_what_is_due_comes_longest_due_first(database: Database) -> None:
    """From its very instant on, never before, at most as many as wanted; archived services never."""
    lines = [{"name": f"s{ago}", "due_at": START - ago * MOMENT, "archived": ago == 2} for ago in (-1, 0, 1, 2)]
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        future, present, past, _archived = await store(tx.connection, *lines)
        assert await queries.due_services(tx.connection, START, 10) == [past, present]
        assert await queries.due_services(tx.connection, START, 1) == [past]
        assert await queries.due_services(tx.connection, START + MOMENT, 10) == [past, present, future]


@pytest.mark.parametrize("count", [1, 7])
async def test_facts_take_a_constant_number_of_statements(database: Database, clock: TestClock, count: int) -> None:
    """However many services are asked for; ids of nothing are absent."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids: list[UUID] = [uuid4()]
        for number in range(count):
            ids.append((await make_service(tx, f"s{number}")).id)
            await make_slo(tx, service=f"s{number}", current=1.0)
    async with database.reading() as session:
        await session.begin()
        with statements(database) as seen:
            facts = await queries.facts_by_service(session, ids, "USD", clock.now())
        assert await queries.health_by_service(session, ids) == {}
    assert set(facts) == set(ids[1:])
    assert len(seen) == 10
    assert all(len(known.slos) == 1 for known in facts.values())
