"""What was reported of a service before anyone registered it becomes its own once someone does."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.incidents.model import IncidentStatus
from opsgraph.kernel.actor import LOCAL
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.intake import Desk, opened, report
from tests.support.statements import statements


@pytest.fixture
async def desk(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Desk]:
    """A process that takes in alerts, on an empty database."""
    async with opened(settings, clock) as started:
        yield started
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def owners(desk: Desk) -> list[UUID | None]:
    """The services of all incidents, then of all alerts."""
    incidents, alerts = await desk.incidents(), await desk.alerts()
    return [*(incident.service_id for incident in incidents), *(alert.service_id for alert in alerts)]


async def test_a_new_service_gets_what_bears_its_name(desk: Desk) -> None:
    """In any case, resolved or not; nobody changed the incidents, so their versions and times stay."""
    await desk.take(report(1, service="Api"), report(2, service="API"), report(3, service="web"))
    first, _ = await desk.incidents()
    await desk.resolve(first.id)
    before = await desk.incidents()
    async with desk.core.database.transaction(LOCAL, desk.core.clock.now()) as tx:
        service = await make_service(tx, "api")
    api, web = await desk.incidents()
    assert (api.service_id, web.service_id) == (service.id, None)
    assert [alert.service_id for alert in await desk.alerts()].count(service.id) == 2
    assert (api.status, api.version, api.resolved_at) == (
        IncidentStatus.RESOLVED,
        before[0].version,
        before[0].resolved_at,
    )
    assert api.service_name == "Api"


async def test_a_renamed_service_gets_what_bears_its_new_name(desk: Desk) -> None:
    """And keeps what it had under the old one, also when another service takes that."""
    async with desk.core.database.transaction(LOCAL, desk.core.clock.now()) as tx:
        old = await make_service(tx, "old")
    await desk.take(report(1, service="old"), report(2, service="new"))
    async with desk.core.database.transaction(LOCAL, desk.core.clock.now()) as tx:
        await catalog.rename_service(tx, "old", "new")
        await make_service(tx, "old")
    assert await owners(desk) == [old.id] * 4


async def test_an_archived_service_gets_nothing_until_it_is_restored(desk: Desk) -> None:
    """Alerts know it by its name all the same when they come in."""
    await desk.take(report(1, service="api"))
    async with desk.core.database.transaction(LOCAL, desk.core.clock.now(), dry_run=True) as tx:
        await make_service(tx, "api")
    assert await owners(desk) == [None, None]
    async with desk.core.database.transaction(LOCAL, desk.core.clock.now()) as tx:
        service = await make_service(tx, "api")
        await catalog.archive_service(tx, "api")
    assert await owners(desk) == [None, None]
    async with desk.core.database.transaction(LOCAL, desk.core.clock.now()) as tx:
        await catalog.restore_service(tx, "api")
    assert await owners(desk) == [service.id, service.id]


async def test_many_services_adopt_in_a_constant_number_of_statements(desk: Desk) -> None:
    """However many are registered at once, and however much bears their names."""
    counts = []
    for size in (1, 30):
        await desk.take(*(report(place, service=f"s-{size}-{place}") for place in range(size)))
        with statements(desk.core.database) as seen:
            async with desk.core.database.transaction(LOCAL, desk.core.clock.now()) as tx:
                for place in range(size):
                    await catalog.save_service(tx, ServiceInput(f"s-{size}-{place}"))
        counts.append(sum("service_id IS NULL" in one or "SET service_id" in one for one in seen))
    assert counts == [4, 4]
    assert None not in await owners(desk)
