"""What services declare answers what governance asks of them, on both databases and over GraphQL."""

from typing import Any

import pytest

from opsgraph.domains.governance.rules import CHECKS
from opsgraph.domains.readiness.commands import declaring
from opsgraph.domains.readiness.rules.implying import IMPLIES, implied_by
from opsgraph.kernel.actor import LOCAL
from tests.support.api import Api
from tests.support.contents import unchanged

GOVERNANCE = (
    """{ services { nodes { name health { status points } governance { status checks { name passed message } } } } }"""
)
LINK = "https://runbooks.example.org/api"


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({}, set()),
        ({"runbook_url": ""}, set()),
        ({"runbook_url": LINK}, {"runbook"}),
        ({"dashboards": True}, set()),
        ({"dashboards": True, "alerting": False}, set()),
        ({"dashboards": True, "alerting": True, "custom": {"runbook_url": LINK}}, {"monitoring"}),
        ({"dashboards": True, "alerting": True, "runbook_url": LINK}, {"runbook", "monitoring"}),
    ],
)
def test_what_a_declaration_implies(values: dict[str, Any], keys: set[str]) -> None:
    """A link for the runbook; dashboards and alerts together for monitoring."""
    assert implied_by(values) == keys


def test_what_is_implied_is_asked() -> None:
    """By duties that there are."""
    assert IMPLIES.keys() <= {duty.key for duty in CHECKS}


async def declare(api: Api, **values: Any) -> None:
    """The service declares these values and nothing else."""
    async with api.core.database.transaction(LOCAL, api.core.clock.now()) as tx:
        await declaring.declare(tx, "api", values)


async def seen(api: Api) -> dict[str, Any]:
    """The service as everyone sees it."""
    (service,) = (await api.data(GOVERNANCE))["services"]["nodes"]
    return {**service, "passed": [check["name"] for check in service["governance"]["checks"] if check["passed"]]}


async def test_a_declaration_counts_where_nothing_was_recorded(api: Api) -> None:
    """In governance and, in the same transaction, in health; until it is declared otherwise."""
    await api.do("saveService", name="api")
    for key in ("ownership", "documentation", "incident_response"):
        await api.do("setGovernanceCheck", service="api", check=key, passed=True)
    assert (await seen(api))["health"] == {"status": "HEALTHY", "points": 1}
    await declare(api, runbook_url=LINK, dashboards=True, alerting=True)
    service = await seen(api)
    assert (service["health"]["points"], service["governance"]["status"]) == (0, "COMPLIANT")
    assert [check["message"] for check in service["governance"]["checks"][:2]] == [
        "api declares a runbook",
        "api declares monitoring",
    ]
    await declare(api, runbook_url=LINK, dashboards=True)
    service = await seen(api)
    assert (service["health"]["points"], service["governance"]["checks"][1]["passed"]) == (1, False)


async def test_a_recorded_answer_beats_what_is_declared(api: Api) -> None:
    """Whichever comes first."""
    await api.do("saveService", name="api")
    await api.do("setGovernanceCheck", service="api", check="runbook", passed=False)
    await declare(api, runbook_url=LINK, dashboards=True, alerting=True)
    assert (await seen(api))["passed"] == ["monitoring"]
    await api.do("setGovernanceCheck", service="api", check="monitoring", passed=False)
    assert (await seen(api))["passed"] == []


async def test_a_declaration_alone_is_no_record(api: Api) -> None:
    """A service about which nothing was recorded has no checks, needs review and gets no points for it."""
    await api.do("saveService", name="api")
    await declare(api, runbook_url=LINK, dashboards=True, alerting=True)
    service = await seen(api)
    assert service["governance"] == {"status": "NEEDS_REVIEW", "checks": []}
    assert service["health"] == {"status": "UNKNOWN", "points": 0}


async def test_an_equal_declaration_changes_nothing(api: Api) -> None:
    """Neither what is declared nor what it implies."""
    await api.do("saveService", name="api")
    await declare(api, runbook_url=LINK)
    async with unchanged(api.core.database):
        await declare(api, runbook_url=LINK)
