"""The storefront team: what customers see and click."""

from datetime import timedelta
from decimal import Decimal

from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog.model import Lifecycle, Link, ServiceInput, TeamInput
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind, SloInput
from opsgraph.kernel.money import Money
from opsgraph.kernel.windows import CalendarWindow
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
    TeamInput("storefront", title="Storefront"),
    (
        UserInput("Lucía Herrera", email="lucia@larkspur.example", time_zone="Europe/Madrid"),
        UserInput("Ben Achterberg", email="ben@larkspur.example", time_zone="Europe/Amsterdam"),
        UserInput("Yuki Tanabe", email="yuki@larkspur.example", time_zone="Asia/Tokyo"),
    ),
)

PROBE_TARGET = 99.5
PROBE_MET = 99.82
PROBE_MISSED = 99.31

PROBE = SloInput(
    "storefront",
    "checkout-probe",
    target=PROBE_TARGET,
    current=PROBE_MET,
    description="A scripted customer buys a mug. While the demonstration runs it comes and goes.",
    window_days=7,
)
"""The SLO that a running demonstration keeps moving."""

STOREFRONT = SampleService(
    service=ServiceInput(
        "storefront",
        title="Storefront",
        description="The shop as customers see it, rendered on the server.",
        team="storefront",
        tier=1,
        tags=["typescript", "edge"],
        depends_on=["checkout", "search", "recommendations"],
        links=[Link("Runbook", runbook("storefront")), Link("Dashboard", dashboard("storefront"))],
    ),
    objectives=(
        Objective(
            SloInput(
                "storefront",
                "availability",
                target=99.9,
                description="Pages that were answered without an error of ours.",
                indicator=IndicatorKind.EXTERNAL,
                window_days=28,
                good_query='sum(increase(http_requests_total{app="storefront",code!~"5.."}[5m]))',
                total_query='sum(increase(http_requests_total{app="storefront"}[5m]))',
            ),
            Traffic(every=timedelta(days=1), reports=28, total=480_000, bad=0.0004),
        ),
        Objective(PROBE),
    ),
    budget=Money(Decimal(8000), "USD"),
    invoices=invoices(6400, 6520, 6610, 6580, 6650),
    releases=Releases(major=31, count=36, failed=(17, 28), lead=timedelta(hours=5)),
    declared=ReliabilityInput("storefront", uptime_pct=99.97, mttr_minutes=12, incidents_30d=1),
    lacks=(),
)

CHECKOUT = SampleService(
    service=ServiceInput(
        "checkout",
        title="Checkout",
        description="From the cart to a paid order. Short outages every few days eat its budget.",
        team="storefront",
        tier=1,
        tags=["typescript", "pci"],
        depends_on=["payments", "orders", "inventory"],
        links=[Link("Runbook", runbook("checkout")), Link("Dashboard", dashboard("checkout"))],
    ),
    objectives=(
        Objective(
            SloInput(
                "checkout",
                "order-acceptance",
                target=95.0,
                description="Five-minute slices in which 99 % of the orders were accepted, per calendar month.",
                indicator=IndicatorKind.EXTERNAL,
                calendar=CalendarWindow.MONTH,
                time_zone="Europe/Lisbon",
                budgeting_method=BudgetingMethod.TIMESLICES,
                slice_target=99.0,
                slice_seconds=300,
            ),
            Traffic(every=timedelta(days=1), reports=31, total=10_000, bad=0.003, outage_every=6),
        ),
        Objective(SloInput("checkout", "latency", target=99.0, current=99.4, description="Under 800 ms.")),
    ),
    budget=Money(Decimal(6000), "USD"),
    invoices=invoices(4800, 4950, 5020, 5010, 5480),
    releases=Releases(major=12, count=22, failed=(9, 16), lead=timedelta(hours=20)),
    declared=ReliabilityInput("checkout", uptime_pct=99.93, mttr_minutes=22, incidents_30d=2),
    lacks=("documentation",),
)

GIFT_CARDS = SampleService(
    service=ServiceInput(
        "gift-cards",
        title="Gift cards",
        description="Begun this week. Nothing is known about it yet, which is not the same as healthy.",
        team="storefront",
        tier=4,
        lifecycle=Lifecycle.EXPERIMENTAL,
        tags=["typescript"],
        depends_on=["payments"],
    ),
)

LEGACY_CART = SampleService(
    service=ServiceInput(
        "legacy-cart",
        title="Cart (old)",
        description="Replaced by checkout and switched off; its history stays readable.",
        team="storefront",
        tier=2,
        lifecycle=Lifecycle.DEPRECATED,
        tags=["php"],
        depends_on=["orders"],
    ),
    invoices=invoices(2100, 1400, 650, last=2),
    lacks=("runbook", "monitoring"),
    retired=True,
)

SERVICES = (STOREFRONT, CHECKOUT, GIFT_CARDS, LEGACY_CART)
