"""Duties over GraphQL: what an organisation asks of every service, and what its services answer."""

from typing import Any

from sqlalchemy import select

from opsgraph.domains.access.tables import audit
from opsgraph.domains.governance.rules import KEYS
from opsgraph.kernel.actor import Actor, Role
from opsgraph.workers import evaluate
from opsgraph.workers.evaluate import WorkerContext
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged

DUTY = "key description evidence enabled builtIn"
RESTORE = {"key": "restore_test", "description": "A restore was tried.", "evidence": "a restore test"}
GOVERNANCE = """{ services { nodes { name health { status signals { message } }
    governance { status checks { name passed message } } } } }"""


async def test_the_built_in_duties_are_there_from_the_start(api: Api) -> None:
    """All five, enabled."""
    duties = (await api.data(f"{{ governanceDuties {{ {DUTY} }} }}"))["governanceDuties"]
    assert [duty["key"] for duty in duties] == list(KEYS)
    assert all(duty["enabled"] and duty["builtIn"] for duty in duties)
    assert duties[0]["evidence"] == "a runbook"


async def test_a_duty_is_added_changed_and_listed(api: Api) -> None:
    """After the built-in ones; the same again changes nothing."""
    added = await api.do("saveGovernanceDuty", DUTY, **RESTORE)
    assert added == {"__typename": "GovernanceDuty", **RESTORE, "enabled": True, "builtIn": False}
    disabled = await api.do("saveGovernanceDuty", DUTY, key="runbook", enabled=False)
    assert (disabled["description"], disabled["enabled"]) == (
        "There is a runbook for whoever is called at night.",
        False,
    )
    async with unchanged(api.core.database):
        await api.do("saveGovernanceDuty", **RESTORE)
        await api.do("saveGovernanceDuty", key="runbook", enabled=False)
    duties = (await api.data(f"{{ governanceDuties {{ {DUTY} }} }}"))["governanceDuties"]
    assert [duty["key"] for duty in duties] == [*KEYS, "restore_test"]


async def test_every_service_is_judged_again_by_other_duties(api: Api, clock: TestClock) -> None:
    """At once where it is read, and at the next round of the worker in the health that is stored."""
    for name in ("api", "web"):
        await api.do("saveService", name=name)
        for key in KEYS:
            await api.do("setGovernanceCheck", service=name, check=key, passed=True)
    assert [service["health"]["status"] for service in await _services(api)] == ["HEALTHY", "HEALTHY"]
    await api.do("saveGovernanceDuty", **RESTORE)
    assert [service["governance"]["status"] for service in await _services(api)] == ["NEEDS_REVIEW"] * 2
    context = WorkerContext(api.core.database, api.core.policy)
    assert await evaluate.tick(context, clock.now()) == 2
    assert [service["health"]["signals"] for service in await _services(api)] == [
        [{"message": f"{name} has no record of a restore test"}] for name in ("api", "web")
    ]
    assert await evaluate.tick(context, clock.now()) == 0


async def test_an_added_duty_is_recorded_like_the_others(api: Api) -> None:
    """Its evidence stands in the message; a disabled one is refused with those that are asked."""
    await api.do("saveService", name="api")
    await api.do("saveGovernanceDuty", **RESTORE)
    await api.do("setGovernanceCheck", service="api", check="restore_test", passed=True)
    (service,) = await _services(api)
    assert service["governance"]["checks"][-1] == {
        "name": "restore_test",
        "passed": True,
        "message": "api has a restore test",
    }
    await api.do("saveGovernanceDuty", key="restore_test", enabled=False)
    refused = await api.do("setGovernanceCheck", service="api", check="restore_test", passed=True)
    assert (refused["code"], refused["details"]) == ("INVALID", {"allowed": list(KEYS)})
    assert (await _services(api))[0]["governance"]["checks"] == []


async def _services(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(GOVERNANCE))["services"]["nodes"]
    return found


async def test_who_changed_what_is_asked_is_on_record(api: Api, clock: TestClock) -> None:
    """Each act, and each that was denied: what everyone is judged by does not change unseen."""
    await api.do("saveGovernanceDuty", **RESTORE)
    clock.move(seconds=1)
    api.who.actor = Actor("Eda", frozenset({Role.EDITOR}))
    assert (await api.do("saveGovernanceDuty", key="runbook", enabled=False))["code"] == "FORBIDDEN"
    async with api.core.database.reading() as session:
        rows = await session.execute(select(audit.c.actor, audit.c.action, audit.c.allowed).order_by(audit.c.id))
        assert [tuple(row) for row in rows] == [
            ("local", "saveGovernanceDuty", True),
            ("Eda", "saveGovernanceDuty", False),
        ]
