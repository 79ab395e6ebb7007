"""The worked example of the domain rules, entered through mutations."""

from typing import Any

from tests.support.api import Api

CHECKS = ("runbook", "monitoring", "ownership", "documentation", "incident_response")


async def enter_worked_example(api: Api) -> None:
    """Enter both services of the example."""
    await _enter(api, "api-gateway", "platform", (99.9, 99.95), 5000, (4200, 4500), (99.95, 8, 1, 5), set())
    missing = {"documentation", "incident_response"}
    await _enter(api, "payments", "fintech", (99.99, 99.8), 3000, (2800, 3500), (99.8, 25, 3, 12), missing)


async def _enter(
    api: Api,
    name: str,
    team: str,
    slo: tuple[float, float],
    budget: int,
    costs: tuple[int, int],
    reliability: tuple[float, float, int, float],
    missing: set[str],
) -> None:
    await api.do("saveTeam", name=team)
    await api.do("saveService", name=name, team=team)
    await api.do("saveSlo", service=name, name="availability", target=slo[0], current=slo[1])
    await api.do("setCostBudget", service=name, budgetMonthly=budget)
    for month, amount in zip(("2024-01", "2024-02"), costs, strict=True):
        await api.do("recordCost", service=name, month=month, amount=amount)
    uptime, mttr, incidents, failures = reliability
    declared: dict[str, Any] = {
        "uptimePct": uptime,
        "mttrMinutes": mttr,
        "incidents30d": incidents,
        "changeFailureRatePct": failures,
    }
    await api.do("declareReliability", service=name, **declared)
    for check in CHECKS:
        await api.do("setGovernanceCheck", service=name, check=check, passed=check not in missing)


async def test_the_report_gives_the_numbers_of_the_example(api: Api) -> None:
    """Two services, one healthy, one critical, one breach, one over budget, one compliant, 8000.00, 72.5."""
    await enter_worked_example(api)
    data = await api.data(
        """{ platformReport { totalServices healthy degraded critical down unknown overallHealth sloBreaches overBudget
             governanceCompliant totalMonthlyCost { amount currency } avgReliabilityScore
             services { name team health reliabilityScore governance monthlyCost slosMet slosTotal } } }"""
    )
    report = data["platformReport"]
    lines = report.pop("services")
    assert report == {
        "totalServices": 2,
        "healthy": 1,
        "degraded": 0,
        "critical": 1,
        "down": 0,
        "unknown": 0,
        "overallHealth": "CRITICAL",
        "sloBreaches": 1,
        "overBudget": 1,
        "governanceCompliant": 1,
        "totalMonthlyCost": [{"amount": "8000.00", "currency": "USD"}],
        "avgReliabilityScore": 72.5,
    }
    assert [tuple(line.values()) for line in lines] == [
        ("payments", "fintech", "CRITICAL", 60.0, "NEEDS_REVIEW", "3500.00", 0, 1),
        ("api-gateway", "platform", "HEALTHY", 85.0, "COMPLIANT", "4500.00", 1, 1),
    ]


async def test_the_services_give_the_numbers_of_the_example(api: Api) -> None:
    """Health, budget left, trend and score of both services, nested."""
    await enter_worked_example(api)
    data = await api.data(
        """{ services { nodes { name health { status points } reliability { score } governance { status }
             cost { trend overBudget latest } slos { nodes { budgetRemainingPct isMet } } } } }"""
    )
    gateway, payments = data["services"]["nodes"]
    assert gateway == {
        "name": "api-gateway",
        "health": {"status": "HEALTHY", "points": 0},
        "reliability": {"score": 85.0},
        "governance": {"status": "COMPLIANT"},
        "cost": {"trend": "INCREASING", "overBudget": False, "latest": "4500"},
        "slos": {"nodes": [{"budgetRemainingPct": 50.0, "isMet": True}]},
    }
    assert payments == {
        "name": "payments",
        "health": {"status": "CRITICAL", "points": 5},
        "reliability": {"score": 60.0},
        "governance": {"status": "NEEDS_REVIEW"},
        "cost": {"trend": "SPIKING", "overBudget": True, "latest": "3500"},
        "slos": {"nodes": [{"budgetRemainingPct": 0.0, "isMet": False}]},
    }


async def test_an_empty_platform_reports_zeros(api: Api) -> None:
    """No service: zeros and UNKNOWN, no error."""
    data = await api.data(
        """{ platformReport { totalServices healthy overallHealth sloBreaches avgReliabilityScore services { name }
             totalMonthlyCost { amount currency } unallocatedCost { amount } } }"""
    )
    assert data["platformReport"] == {
        "totalServices": 0,
        "healthy": 0,
        "overallHealth": "UNKNOWN",
        "sloBreaches": 0,
        "avgReliabilityScore": 0.0,
        "services": [],
        "totalMonthlyCost": [{"amount": "0.00", "currency": "USD"}],
        "unallocatedCost": [],
    }
