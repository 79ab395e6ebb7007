"""A platform on which every connection has a handful of nodes."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import KeyInput, UserInput
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput, ServiceInput, TeamInput
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.incidents.commands.notes import annotate
from opsgraph.domains.readiness.commands import overriding
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.slo import commands as slo
from opsgraph.domains.slo.model import SloInput
from opsgraph.kernel.actor import SYSTEM, Role
from opsgraph.storage.transactions import Tx
from tests.support.alerts import make_alert, make_silence, make_window
from tests.support.api import Api
from tests.support.incidents import make_incident
from tests.support.verdicts import declare, judge

NODES = 4
"""How many nodes every connection has at least."""

_SERVICES = 9


async def fill(api: Api) -> None:
    """Services of every tier, cost and health in one team, all beside a hub that depends on each and is depended on."""
    async with api.core.database.transaction(SYSTEM, api.core.clock.now()) as tx:
        for name in ("platform", "b", "Ä", "c", "ß"):
            team = (await catalog.save_team(tx, TeamInput(name))).value
            people = [(await access.save_user(tx, UserInput(f"{person} of {name}"))).value for person in "dabc"]
            await catalog.add_members(tx, team, people)
        names = [f"service-{number}" for number in range(_SERVICES)]
        for number, name in enumerate(names):
            await _add_service(tx, number, name)
        await catalog.save_service(tx, ServiceInput("hub", depends_on=names, tags=["even"], tier=2))
        for name in names:
            await catalog.save_service(tx, ServiceInput(name, depends_on=["hub"]))
        for number in range(NODES + 1):
            await slo.save_slo(tx, SloInput("hub", f"slo-{number}", target=99.9))
            at = tx.now - timedelta(hours=number // 2)  # some at the same instant
            await catalog.record_deployment(tx, DeploymentInput("hub", f"v{number}", deployed_at=at))
            await make_silence(tx, reason=f"known {number}")
            await access.create_key(tx, KeyInput(f"key {number}", [Role.VIEWER]))
            await access.record_act(tx, "createApiKey", allowed=True, detail={"number": number}, address=None)
            await make_window(tx, "hub", reason=f"planned {number}")
    await _add_incidents(api)
    await _add_readiness(api)


async def _add_readiness(api: Api) -> None:
    """What the hub declared, what it was judged to be, and overrides that were refused."""
    for number in range(NODES + 1):
        await declare(api.core, "hub", custom={"number": number})
        await judge(api.core, "hub")
        async with api.core.database.transaction(SYSTEM, api.core.clock.now()) as tx:
            until = tx.now + timedelta(days=1)
            await overriding.request(tx, "hub", ReadinessDecision.GO, f"wanted {number}", until)
            await overriding.reject(tx, "hub")


async def _add_incidents(api: Api) -> None:
    """Incidents of the hub and of others, of every severity; the first of the hub has alerts and notes."""
    async with api.core.database.transaction(SYSTEM, api.core.clock.now()) as tx:
        hub = await catalog.require_service(tx, "hub")
        for number in range(2 * NODES):
            of_hub = {"service": "hub", "service_id": hub.id} if number % 2 == 0 else {"service": f"other-{number}"}
            severity = list(Severity)[number % len(Severity)]
            incident = await make_incident(tx, severity=severity, title=f"incident {number}", **of_hub)
            if number == 0:
                for place in range(NODES + 1):
                    values: dict[str, Any] = {"service_id": hub.id, "incident_id": incident.id}
                    await make_alert(tx, "hub", fingerprint=f"hub:{place}", **values)
                    incident = (await annotate(tx, [incident], f"note {place}"))[0]


async def _add_service(tx: Tx, number: int, name: str) -> None:
    tags = ["even"] if number % 2 == 0 else []
    await catalog.save_service(tx, ServiceInput(name, team="platform", tier=1 + number % 4, tags=tags))
    await cost.record_cost(tx, CostInput(name, "2024-01", Decimal(number % 3 * 100)), "USD")
    if number % 3:
        await slo.save_slo(tx, SloInput(name, "availability", target=99.9, current=99.0 if number % 2 else 99.95))
