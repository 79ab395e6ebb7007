"""The fintech team: money in, money out, and who must not get any."""

from datetime import timedelta
from decimal import Decimal

from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog.model import Link, ServiceInput, TeamInput
from opsgraph.domains.cost.model import CostInput
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
    TeamInput("fintech"),
    (
        UserInput("Marit Solheim", email="marit@larkspur.example", time_zone="Europe/Oslo"),
        UserInput("Devika Rao", email="devika@larkspur.example", time_zone="Asia/Kolkata"),
    ),
)

PAYMENTS = SampleService(
    service=ServiceInput(
        "payments",
        title="Payments",
        description="Charges cards and wallets, and gives the money back when something goes wrong.",
        team="fintech",
        tier=1,
        tags=["pci", "java"],
        depends_on=["fraud-detection", "ledger"],
        links=[Link("Dashboard", dashboard("payments"))],
    ),
    objectives=(Objective(SloInput("payments", "availability", target=99.99, current=99.8)),),
    budget=Money(Decimal(3000), "USD"),
    bills=(
        CostInput("payments", "2024-01", Decimal(2800), "USD"),
        CostInput("payments", "2024-02", Decimal(3500), "USD"),
    ),
    declared=ReliabilityInput(
        "payments", uptime_pct=99.8, mttr_minutes=25, incidents_30d=3, change_failure_rate_pct=12
    ),
    lacks=("documentation", "incident_response"),
)
"""The critical service of the worked example of the rules: its facts are those of the example, and no others."""

FRAUD_DETECTION = SampleService(
    service=ServiceInput(
        "fraud-detection",
        title="Fraud detection",
        description="Scores each payment before it is charged. The new model is slow, expensive and often rolled back.",
        team="fintech",
        tier=1,
        tags=["pci", "python", "ml"],
        depends_on=["ledger"],
        links=[Link("Runbook", runbook("fraud-detection")), Link("Dashboard", dashboard("fraud-detection"))],
    ),
    objectives=(
        Objective(
            SloInput(
                "fraud-detection",
                "decision-time",
                target=99.0,
                description="Decisions within 300 ms, as the mean of each quarter of an hour's ratio.",
                indicator=IndicatorKind.EXTERNAL,
                window_days=30,
                budgeting_method=BudgetingMethod.RATIO_TIMESLICES,
                slice_seconds=900,
            ),
            Traffic(every=timedelta(days=1), reports=30, total=12_000, bad=0.026),
        ),
    ),
    budget=Money(Decimal(9000), "USD"),
    invoices=invoices(6900, 7050, 7180, 7400, 10_650),
    releases=Releases(major=4, count=16, failed=(6, 9, 11, 14), lead=timedelta(hours=50)),
    declared=ReliabilityInput("fraud-detection", uptime_pct=99.1, mttr_minutes=75, incidents_30d=6),
    lacks=(),
)

LEDGER = SampleService(
    service=ServiceInput(
        "ledger",
        title="Ledger",
        description="Double-entry bookkeeping of every cent. Changed rarely, and with care.",
        team="fintech",
        tier=1,
        tags=["pci", "java", "database"],
        links=[Link("Runbook", runbook("ledger")), Link("How it balances", "https://wiki.larkspur.example/ledger")],
    ),
    objectives=(
        Objective(
            SloInput(
                "ledger",
                "posting",
                target=99.99,
                description="Postings that were written the first time, per calendar quarter.",
                indicator=IndicatorKind.EXTERNAL,
                calendar=CalendarWindow.QUARTER,
                time_zone="UTC",
            ),
            Traffic(every=timedelta(days=6), reports=15, total=800_000, bad=0.00003),
        ),
    ),
    budget=Money(Decimal(4000), "USD"),
    invoices=(
        *invoices(3550, 3560, 3580, 3590, 3610),
        *invoices(-480, origin="credit note"),
    ),
    releases=Releases(major=9, count=6, lead=timedelta(days=4)),
    declared=ReliabilityInput("ledger", uptime_pct=99.995, mttr_minutes=4, incidents_30d=0),
    lacks=(),
)

SERVICES = (PAYMENTS, FRAUD_DETECTION, LEDGER)
