"""Writes of incidents by chance, for tests of what depends on them."""

from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.incidents.commands import correlating, rating
from opsgraph.domains.incidents.commands.correlating import Opening
from opsgraph.domains.incidents.model import (
    BulkTransitionInput,
    IncidentChanged,
    IncidentEventKind,
    IncidentStatus,
    SeverityInput,
    TransitionInput,
)
from opsgraph.domains.incidents.tables import incidents
from opsgraph.kernel.text import name_key
from opsgraph.storage.transactions import Tx
from opsgraph.workflows import responding
from tests.support.health import SERVICES, Write


async def trouble(tx: Tx, service: str, severity: Severity = Severity.HIGH) -> None:
    """Open an incident as alerts do: of a service by its name, registered or not."""
    known = await catalog_services.services_by_name(tx.connection, [service])
    found = known.get(name_key(service))
    opening = Opening("trouble", service, found.id if found else None, severity, "test", "test")
    for incident in await correlating.open_incidents(tx, [opening]):
        tx.record(IncidentChanged(IncidentEventKind.CREATED, incident))


async def move(tx: Tx, which: int, wish: IncidentStatus) -> None:
    """Move the incident at a place in the list of all; none if there is none."""
    if numbers := await _numbers(tx):
        await responding.move(tx, TransitionInput(numbers[which % len(numbers)]), wish)


async def resolve_all(tx: Tx) -> None:
    """Resolve every incident."""
    await responding.move_all(tx, BulkTransitionInput(tuple(await _numbers(tx))), IncidentStatus.RESOLVED)


async def rate(tx: Tx, which: int, severity: Severity) -> None:
    """Give an incident another severity."""
    if numbers := await _numbers(tx):
        await rating.set_severity(tx, SeverityInput(numbers[which % len(numbers)], severity))


async def _numbers(tx: Tx) -> list[int]:
    query = select(incidents.c.number).order_by(incidents.c.number)
    return list((await tx.connection.execute(query)).scalars())


def _some(command: Any, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Write]:
    return st.builds(Write, st.just(command), st.tuples(*arguments))


_places = st.integers(0, 5)
INCIDENT_WRITES = st.one_of(
    _some(trouble, st.sampled_from([*SERVICES, "new"]), st.sampled_from(Severity)),
    _some(move, _places, st.sampled_from(IncidentStatus)),
    _some(resolve_all),
    _some(rate, _places, st.sampled_from(Severity)),
)
"""One write of incidents, by chance; some are refused, such as to reopen one."""
