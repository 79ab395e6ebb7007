"""Writing the catalog, on both databases."""

import pytest

from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.model import DeploymentInput, Lifecycle, Link, ServiceInput, TeamInput
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome
from tests.support.clock import TestClock


async def test_what_is_left_out_stays_and_null_clears(database: Database, clock: TestClock) -> None:
    """A second save changes only what it names; an explicit null clears it."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await commands.save_team(tx, TeamInput("Platform"))
        wanted = ServiceInput("api", title="API", description="x", team="platform", tier=1, tags=["b", "a", "b"])
        await commands.save_service(tx, wanted)
    async with database.transaction(SYSTEM, clock.move(minutes=1)) as tx:
        saved = await commands.save_service(tx, ServiceInput("API", description=None, team=None))
    assert saved.outcome is Outcome.CHANGED
    assert (saved.value.name, saved.value.title, saved.value.tier) == ("api", "API", 1)
    assert (saved.value.description, saved.value.team_id, saved.value.lifecycle) == (None, None, Lifecycle.PRODUCTION)
    async with database.reading() as session:
        assert await catalog_relations.tags_by_service(session, [saved.value.id]) == {saved.value.id: ["b", "a"]}


async def test_saving_the_same_again_changes_nothing(database: Database, clock: TestClock) -> None:
    """Saving is idempotent, parts included."""
    wanted = ServiceInput("api", tags=["x"], links=[Link("Docs", "https://example.com")], depends_on=["db"])
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await commands.save_service(tx, ServiceInput("db"))
        first = await commands.save_service(tx, wanted)
        second = await commands.save_service(tx, wanted)
    assert (first.outcome, second.outcome) == (Outcome.CREATED, Outcome.UNCHANGED)


@pytest.mark.parametrize(
    ("wanted", "refusal", "field"),
    [
        (ServiceInput("under_score"), Invalid, ("name",)),
        (ServiceInput("x" * 10_000), Invalid, ("name",)),
        (ServiceInput("api", tier=5), Invalid, ("tier",)),
        (ServiceInput("api", team="nobody"), NotFound, ("team",)),
        (ServiceInput("api", depends_on=["nothing"]), NotFound, ("depends_on",)),
        (ServiceInput("api", depends_on=["API"]), Invalid, ("depends_on",)),
        (ServiceInput("api", links=[Link("x", "javascript:alert(1)")]), Invalid, ("links",)),
        (ServiceInput("api", title="nul\0"), Invalid, ("title",)),
    ],
)
async def test_bad_services_are_refused_whole(
    database: Database, clock: TestClock, wanted: ServiceInput, refusal: type[Exception], field: tuple[str, ...]
) -> None:
    """A refusal names the field and leaves nothing behind."""
    with pytest.raises(refusal) as caught:
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await commands.save_service(tx, wanted)
    assert caught.value.field == field  # type: ignore[attr-defined]  # every refusal has one
    async with database.reading() as session:
        assert await catalog_services.service_by_name(session, "api") is None


async def test_an_archived_service_keeps_its_name_and_refuses_changes(database: Database, clock: TestClock) -> None:
    """Archiving hides, saving conflicts, restoring brings the same id back."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        created = (await commands.save_service(tx, ServiceInput("api"))).value
        archived = await commands.archive_service(tx, "api")
        assert archived.archived_at == clock.now()
        with pytest.raises(Conflict):
            await commands.save_service(tx, ServiceInput("api", title="new"))
        assert (await commands.restore_service(tx, "api")).id == created.id


async def test_a_rename_keeps_the_id(database: Database, clock: TestClock) -> None:
    """The id stays, the old name is free, a taken name conflicts."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        created = (await commands.save_service(tx, ServiceInput("old"))).value
        await commands.save_service(tx, ServiceInput("taken"))
        assert (await commands.rename_service(tx, "old", "new")).id == created.id
        with pytest.raises(Conflict):
            await commands.rename_service(tx, "new", "TAKEN")
    async with database.reading() as session:
        assert await catalog_services.service_by_name(session, "old") is None


async def test_a_replayed_deployment_is_recorded_once(database: Database, clock: TestClock) -> None:
    """The same key gives the first deployment; the same key for another one conflicts."""
    wanted = DeploymentInput("api", "v1", idempotency_key="build-7")
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = (await commands.save_service(tx, ServiceInput("api"))).value
        first = await commands.record_deployment(tx, wanted)
    async with database.transaction(SYSTEM, clock.move(hours=1)) as tx:
        assert await commands.record_deployment(tx, wanted) == first
        with pytest.raises(Conflict):
            await commands.record_deployment(tx, DeploymentInput("api", "v2", idempotency_key="build-7"))
    async with database.reading() as session:
        assert await catalog_deployments.count_deployments(session, [service.id]) == {service.id: 1}
