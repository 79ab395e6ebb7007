"""The discovery team: finding things to buy."""

from datetime import timedelta
from decimal import Decimal

from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog.model import Lifecycle, Link, ServiceInput, TeamInput
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind, SloInput
from opsgraph.kernel.money import Money
from opsgraph.workflows.demo.model import (
    Objective,
    Releases,
    SampleService,
    SampleTeam,
    Traffic,
    dashboard,
    invoices,
    runbook,
)

TEAM = SampleTeam(
    TeamInput("discovery", title="Search & discovery"),
    (
        UserInput("Noor Haddad", email="noor@larkspur.example", time_zone="Europe/London"),
        UserInput("Yuki Tanabe", email="yuki@larkspur.example", time_zone="Asia/Tokyo"),
    ),
)

SEARCH_MONTHLY = Decimal(18_400)
"""What search costs a month in USD, metered."""

SEARCH_LATENCY = SloInput(
    "search",
    "latency",
    target=99.0,
    description="Results within 200 ms. While the demonstration runs, each minute's requests are reported.",
    indicator=IndicatorKind.EXTERNAL,
    window_days=1,
    budgeting_method=BudgetingMethod.RATIO_TIMESLICES,
    slice_seconds=60,
    good_query='sum(increase(search_duration_seconds_bucket{le="0.2"}[1m]))',
    total_query="sum(increase(search_duration_seconds_count[1m]))",
)
"""The SLO that a running demonstration reports to."""

SEARCH = SampleService(
    service=ServiceInput(
        "search",
        title="Search",
        description="Full-text search over the whole range, with facets.",
        team="discovery",
        tier=2,
        tags=["java", "index"],
        depends_on=["inventory"],
        links=[Link("Runbook", runbook("search")), Link("Dashboard", dashboard("search"))],
    ),
    objectives=(Objective(SEARCH_LATENCY, Traffic(every=timedelta(minutes=30), reports=48, total=18_000, bad=0.006)),),
    budget=Money(Decimal(20_000), "USD"),
    invoices=invoices(17_300, 17_650, 17_900, 18_150, last=2),
    metered=SEARCH_MONTHLY,
    releases=Releases(major=7, count=18, failed=(12,), lead=timedelta(hours=30)),
    declared=ReliabilityInput("search", uptime_pct=99.95, mttr_minutes=9, incidents_30d=0),
    lacks=(),
)

RECOMMENDATIONS = SampleService(
    service=ServiceInput(
        "recommendations",
        title="Recommendations",
        description="What others bought. Only its deployments are known, and a bill that grows by the month.",
        team="discovery",
        tier=3,
        lifecycle=Lifecycle.EXPERIMENTAL,
        tags=["python", "ml"],
        depends_on=["search"],
        links=[Link("Dashboard", dashboard("recommendations"))],
    ),
    invoices=invoices(2450, 2600, 2900, 3100, 3900),
    releases=Releases(major=0, count=10, failed=(7,)),
)

SERVICES = (SEARCH, RECOMMENDATIONS)
