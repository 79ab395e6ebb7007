"""The platform team: what everything else runs on."""

from datetime import timedelta
from decimal import Decimal

from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog.model import Link, ServiceInput, TeamInput
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo.model import IndicatorKind, SloInput
from opsgraph.kernel.money import Money
from opsgraph.workflows.demo.model import Objective, Releases, SampleService, SampleTeam, dashboard, invoices, runbook

TEAM = SampleTeam(
    TeamInput("platform"),
    (
        UserInput("Ines Carvalho", email="ines@larkspur.example", time_zone="Europe/Lisbon"),
        UserInput("Tomasz Wrona", email="tomasz@larkspur.example", time_zone="Europe/Warsaw"),
        UserInput("Adaeze Obi", email="adaeze@larkspur.example", time_zone="Africa/Lagos"),
    ),
)

API_GATEWAY = SampleService(
    service=ServiceInput(
        "api-gateway",
        title="API gateway",
        description="Where every request from browsers and partners comes in: routing, rate limits, TLS.",
        team="platform",
        tier=1,
        tags=["edge", "go"],
        depends_on=["storefront", "checkout", "search"],
        links=[Link("Runbook", runbook("api-gateway")), Link("Dashboard", dashboard("api-gateway"))],
    ),
    objectives=(Objective(SloInput("api-gateway", "availability", target=99.9, current=99.95)),),
    budget=Money(Decimal(5000), "USD"),
    bills=(
        CostInput("api-gateway", "2024-01", Decimal(4200), "USD"),
        CostInput("api-gateway", "2024-02", Decimal(4500), "USD"),
    ),
    declared=ReliabilityInput(
        "api-gateway", uptime_pct=99.95, mttr_minutes=8, incidents_30d=1, change_failure_rate_pct=5
    ),
    lacks=(),
)
"""The healthy service of the worked example of the rules: its facts are those of the example, and no others."""

NOTIFICATIONS = SampleService(
    service=ServiceInput(
        "notifications",
        title="Notifications",
        description="Mail, text messages and push to customers. Nobody has looked after it for a while.",
        team="platform",
        tier=3,
        tags=["python", "queue"],
        links=[Link("Dashboard", dashboard("notifications"))],
    ),
    objectives=(
        Objective(
            SloInput(
                "notifications",
                "delivery",
                target=98.0,
                description="Messages reach the carrier within a minute. Nobody reports to it yet: it is unknown.",
                indicator=IndicatorKind.EXTERNAL,
                window_days=28,
                good_query='sum(increase(messages_handed_over_total{delay="under_60s"}[5m]))',
                total_query="sum(increase(messages_handed_over_total[5m]))",
            )
        ),
    ),
    budget=Money(Decimal(1500), "USD"),
    invoices=invoices(1190, 1205, 1160, 1080, 1010),
    releases=Releases(major=1, count=4, lead=timedelta(days=6)),
    declared=ReliabilityInput("notifications", uptime_pct=99.92),
    lacks=("runbook", "documentation", "incident_response"),
)

SERVICES = (API_GATEWAY, NOTIFICATIONS)
