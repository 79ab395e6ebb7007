"""Taking over what was recorded elsewhere, on both databases."""

from datetime import timedelta
from uuid import UUID

from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.model import Deployment, DeploymentOutcome, DeploymentRecorded, ServiceInput, TeamInput
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.statements import statements


async def test_deployments_keep_their_ids(database: Database, clock: TestClock) -> None:
    """Those that are known stay as they are; two statements whatever their number; services hear of new ones once."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api = (await make_service(tx)).id
    at, commit = clock.now() - timedelta(days=400), clock.now() - timedelta(days=401)
    recorded = [
        Deployment(UUID(int=number), api, f"v{number}", "prod", commit, at, DeploymentOutcome.FAILED, rework=True)
        for number in range(1, 300)
    ]
    async with database.transaction(SYSTEM, clock.now()) as tx:
        with statements(database) as seen:
            assert await commands.take_over_deployments(tx, recorded[:200]) == 200
        assert len(seen) == 2
        assert tx.recorded == [DeploymentRecorded(api)]
    async with database.transaction(SYSTEM, clock.now()) as tx:
        assert await commands.take_over_deployments(tx, [*recorded, *recorded]) == 99
        assert await commands.take_over_deployments(tx, recorded) == 0
        assert tx.recorded == [DeploymentRecorded(api)]
    async with database.reading() as session:
        page = (await catalog_deployments.deployments_by_service(session, [api], PageRequest(500)))[api]
    assert [catalog_deployments.deployment_of(row) for row in page.rows] == recorded[::-1]


async def test_a_service_can_be_archived_since_long(database: Database, clock: TestClock) -> None:
    """The instant is that of the place it comes from; archiving again changes nothing."""
    since = clock.now() - timedelta(days=30)
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        assert (await commands.archive_service(tx, "api", since)).archived_at == since
        assert (await commands.archive_service(tx, "api")).archived_at == since


async def test_dependencies_are_named_also_archived_ones(database: Database, clock: TestClock) -> None:
    """By name; services without any are absent."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        for name in ("db", "Cache"):
            await make_service(tx, name)
        api = await make_service(tx, depends_on=["db", "cache"])
        await commands.archive_service(tx, "db")
    async with database.reading() as session:
        everything = [
            service.id for service in (await catalog_services.services_by_name(session, ["db", "api"])).values()
        ]
        assert await catalog_relations.dependency_names(session, everything) == {api.id: ["Cache", "db"]}


async def test_names_and_origins_are_looked_up_together(database: Database, clock: TestClock) -> None:
    """Whoever has one of the names in any case, or one of the origins, with the origin if there is one."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await commands.save_team(tx, TeamInput("Ops", origin="x:ops"))
        await commands.save_team(tx, TeamInput("dev"))
        await commands.save_team(tx, TeamInput("other"))
        for name in ("api", "web"):
            await commands.save_service(tx, ServiceInput(name, origin=f"x:{name}"))
    async with database.reading() as session:
        assert await catalog_teams.team_origins(session, ["DEV", "nobody"], ["x:ops", "x:nobody"]) == {
            "Ops": "x:ops",
            "dev": None,
        }
        assert await catalog_services.service_origins(session, ["api"], ["x:api"]) == {"api": "x:api"}
        assert await catalog_services.service_origins(session, [], []) == {}
