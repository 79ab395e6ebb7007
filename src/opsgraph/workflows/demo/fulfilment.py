"""The fulfilment team: from a paid order to a parcel at the door."""

from datetime import timedelta
from decimal import Decimal

from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog.model import Link, ServiceInput, TeamInput
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo.model import IndicatorKind, SloInput
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
    TeamInput("fulfilment", title="Orders & fulfilment"),
    (
        UserInput("Siobhán Daly", email="siobhan@larkspur.example", time_zone="Europe/Dublin"),
        UserInput("Mateus Pires", email="mateus@larkspur.example", time_zone="America/Sao_Paulo"),
        UserInput("Anneli Koski", email="anneli@larkspur.example", time_zone="Europe/Helsinki"),
    ),
)

ORDERS = SampleService(
    service=ServiceInput(
        "orders",
        title="Orders",
        description="Keeps every order and moves it through its states.",
        team="fulfilment",
        tier=1,
        tags=["kotlin", "database"],
        depends_on=["inventory", "notifications", "ledger"],
        links=[Link("Runbook", runbook("orders")), Link("Dashboard", dashboard("orders"))],
    ),
    objectives=(
        Objective(SloInput("orders", "state-changes", target=99.5, current=99.6, description="Within two seconds.")),
    ),
    budget=Money(Decimal(5500), "USD"),
    invoices=invoices(5200, 5310, 5280, 5460, 5940),
    releases=Releases(major=18, count=20, failed=(11, 15), lead=timedelta(hours=44)),
    declared=ReliabilityInput("orders", uptime_pct=99.6, mttr_minutes=38, incidents_30d=4),
    lacks=(),
)

INVENTORY = SampleService(
    service=ServiceInput(
        "inventory",
        title="Inventory",
        description="How many are left, and where. Runs in the warehouse's own data centre, billed in euro.",
        team="fulfilment",
        tier=2,
        tags=["kotlin", "warehouse"],
        depends_on=["shipping"],
        links=[Link("Dashboard", dashboard("inventory"))],
    ),
    objectives=(
        Objective(
            SloInput(
                "inventory",
                "freshness",
                target=97.0,
                current=98.9,
                description="Counts younger than ten minutes, per calendar week.",
                calendar=CalendarWindow.WEEK,
                time_zone="Europe/Lisbon",
            )
        ),
    ),
    budget=Money(Decimal(3600), "EUR"),
    invoices=invoices(3380, 3380, 3350, 3310, 3290, currency="EUR"),
    releases=Releases(major=3, count=12, failed=(8,), lead=timedelta(hours=70)),
    declared=ReliabilityInput("inventory", uptime_pct=99.92, mttr_minutes=14, incidents_30d=2),
    lacks=("runbook",),
)

SHIPPING = SampleService(
    service=ServiceInput(
        "shipping",
        title="Shipping",
        description="Books carriers and prints labels. Asks orders for addresses, so the three of them form a cycle.",
        team="fulfilment",
        tier=2,
        tags=["kotlin", "carriers"],
        depends_on=["orders", "notifications"],
    ),
    objectives=(
        Objective(
            SloInput(
                "shipping",
                "label-printing",
                target=99.0,
                description="Labels that carriers accept.",
                indicator=IndicatorKind.EXTERNAL,
                window_days=14,
            ),
            Traffic(every=timedelta(hours=12), reports=28, total=4_500, bad=0.024),
        ),
    ),
    budget=Money(Decimal(4200), "USD"),
    invoices=(
        *invoices(3900, 3850, 3990, 4050, 4020),
        *invoices(820, 870, 865, 910, currency="EUR"),
        *invoices(140, 155, currency="GBP"),
    ),
    releases=Releases(major=5, count=10, failed=(5, 8), lead=timedelta(days=5)),
    declared=ReliabilityInput("shipping", uptime_pct=99.7, mttr_minutes=55, incidents_30d=3),
    lacks=("runbook", "documentation", "incident_response"),
)

SERVICES = (ORDERS, INVENTORY, SHIPPING)
