"""What recorded events ask of higher domains, run in the same transaction before it commits: one table."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from opsgraph.domains.catalog.model import DeploymentRecorded, ServiceEvent, ServiceSaved
from opsgraph.domains.cost.model import CostChanged
from opsgraph.domains.governance.model import DutiesChanged, GovernanceChanged
from opsgraph.domains.health import commands as health
from opsgraph.domains.health.model import HealthChanged
from opsgraph.domains.incidents.model import IncidentChanged, IncidentEventKind, IncidentStatus
from opsgraph.domains.readiness.commands import marking
from opsgraph.domains.readiness.model.manifests import ManifestDeclared
from opsgraph.domains.reliability.model import ReliabilityDeclared
from opsgraph.domains.slo.model import SloChanged
from opsgraph.kernel.events import Event
from opsgraph.storage.transactions import Reactions, Tx
from opsgraph.workflows.adopting import adopt
from opsgraph.workflows.health import HealthPolicy, refresh, refresh_or_mark
from opsgraph.workflows.implying import imply

Reaction = Callable[[Tx, Sequence[UUID], HealthPolicy], Awaitable[None]]

ON_SERVICE: Sequence[tuple[Reaction, frozenset[type[Event]]]] = (
    (adopt, frozenset({ServiceSaved})),
    (imply, frozenset({ManifestDeclared})),
    (
        refresh,
        frozenset({ServiceSaved, DeploymentRecorded, SloChanged, CostChanged, ReliabilityDeclared, GovernanceChanged}),
    ),
    (refresh_or_mark, frozenset({IncidentChanged})),
)
"""What follows, in this order, when something happened to services, and what it follows.

Each reaction gets all the services of a transaction at once.
"""

ON_EVERYTHING: Sequence[tuple[Callable[[Tx], Awaitable[None]], frozenset[type[Event]]]] = (
    (health.mark_all_due, frozenset({DutiesChanged})),
)
"""What follows, before all that, when something happened that concerns every service."""

FACTS = frozenset(
    {
        ServiceSaved,
        DeploymentRecorded,
        SloChanged,
        CostChanged,
        ReliabilityDeclared,
        GovernanceChanged,
        HealthChanged,
        ManifestDeclared,
    }
)
"""What changes something that a service's readiness is judged by, beside its incidents."""


@dataclass(frozen=True, slots=True)
class _Unmarked(Event):
    """Services, or all of them, whose readiness is to be judged again, which is said when nothing else follows."""

    service_ids: Collection[UUID]
    everywhere: bool


def reacting(policy: HealthPolicy) -> Reactions:
    """The reactions of a database whose health is evaluated by this policy."""

    async def react(tx: Tx, events: Sequence[Event]) -> None:
        happened = {type(event) for event in events}
        for everywhere, kinds in ON_EVERYTHING:
            if not happened.isdisjoint(kinds):
                await everywhere(tx)
        for reaction, kinds in ON_SERVICE:
            concerned = {_service_of(event): None for event in events if type(event) in kinds}
            if service_ids := [service_id for service_id in concerned if service_id is not None]:
                await reaction(tx, service_ids, policy)
        await _mark_in_the_end(tx, _unmarked(events))

    return react


async def _mark_in_the_end(tx: Tx, unmarked: _Unmarked) -> None:
    """Have services judged again: one statement a transaction, its last, whose locks come behind all others."""
    if not unmarked.everywhere and not unmarked.service_ids:
        return
    if tx.recorded:
        tx.recorded.append(unmarked)
    elif unmarked.everywhere:
        await marking.mark_all(tx)
    else:
        await marking.mark(tx, unmarked.service_ids)


def _unmarked(events: Sequence[Event]) -> _Unmarked:
    earlier = [event for event in events if isinstance(event, _Unmarked)]
    service_ids = {service_id for event in events if (service_id := _judged_by(event)) is not None}
    everywhere = any(event.everywhere for event in earlier) or any(isinstance(event, DutiesChanged) for event in events)
    return _Unmarked(service_ids.union(*(event.service_ids for event in earlier)), everywhere)


def _judged_by(event: Event) -> UUID | None:
    """The service whose readiness is judged by what an event changed; None if it is nobody's."""
    if isinstance(event, IncidentChanged):
        worse = event.kind is IncidentEventKind.SEVERITY_CHANGED
        return event.incident.service_id if worse or _counts(event) else None
    return event.service_id if isinstance(event, ServiceEvent) and type(event) in FACTS else None


def _service_of(event: Event) -> UUID | None:
    """The service that an event changes something of; None if it does not, or of one that is not registered."""
    if isinstance(event, IncidentChanged):
        return event.incident.service_id if _counts(event) else None
    return event.service_id if isinstance(event, ServiceEvent) else None


def _counts(event: IncidentChanged) -> bool:
    """Whether it changes how many incidents there are, or how long they took."""
    if event.kind is IncidentEventKind.STATUS_CHANGED:
        return event.incident.status is IncidentStatus.RESOLVED
    return event.kind is IncidentEventKind.CREATED
