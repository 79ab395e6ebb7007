"""What recorded events ask of higher domains, run in the same transaction before it commits: one table."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from opsgraph.domains.catalog.model import DeploymentRecorded, ServiceEvent, ServiceSaved
from opsgraph.domains.cost.model import CostChanged
from opsgraph.domains.governance.model import GovernanceChanged
from opsgraph.domains.reliability.model import ReliabilityDeclared
from opsgraph.domains.slo.model import SloChanged
from opsgraph.kernel.events import Event
from opsgraph.storage.transactions import Reactions, Tx
from opsgraph.workflows.health import HealthPolicy, refresh

Reaction = Callable[[Tx, Sequence[UUID], HealthPolicy], Awaitable[None]]

ON_SERVICE: dict[type[ServiceEvent], Reaction] = {
    ServiceSaved: refresh,
    DeploymentRecorded: refresh,
    SloChanged: refresh,
    CostChanged: refresh,
    ReliabilityDeclared: refresh,
    GovernanceChanged: refresh,
}
"""What follows when something happened to services. Each reaction gets all the services of a transaction at once."""


def reacting(policy: HealthPolicy) -> Reactions:
    """The reactions of a database whose health is evaluated by this policy."""

    async def react(tx: Tx, events: Sequence[Event]) -> None:
        concerned: dict[Reaction, dict[UUID, None]] = {}
        for event in events:
            if isinstance(event, ServiceEvent) and (reaction := ON_SERVICE.get(type(event))):
                concerned.setdefault(reaction, {})[event.service_id] = None
        for reaction, service_ids in concerned.items():
            await reaction(tx, list(service_ids), policy)

    return react
