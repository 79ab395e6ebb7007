"""Importing Backstage catalogs, on both databases."""

import asyncio
from pathlib import Path

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.model import ServiceInput, TeamInput
from opsgraph.kernel.actor import LOCAL
from opsgraph.storage.database import Database
from opsgraph.workflows.importing.backstage import import_backstage
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.importing import (
    DRY,
    REAL_FILES,
    SAMPLES,
    STRICT,
    component,
    counts,
    entity,
    exported,
    needs_real_files,
    reasons,
    written,
)


async def run(database: Database, clock: TestClock, *paths: Path, options: Options = AS_USUAL) -> ImportReport:
    """Import files, later than whatever was before."""
    return await import_backstage(database, LOCAL, clock.move(hours=1), paths, options)


@needs_real_files
async def test_published_files_import_but_for_the_one_that_breaks_the_format(
    database: Database, clock: TestClock
) -> None:
    """Seven of eight files, people and their team, an owner that no file defines, a namespace of its own."""
    report = await run(database, clock, REAL_FILES / "backstage")
    assert counts(report) == {"teams": (2, 0, 0), "users": (4, 0, 0), "services": (6, 0, 0)}
    (refusal,) = report.refusals
    assert (Path(refusal.file).name, refusal.line, refusal.name) == ("invalid-component.yaml", 4, "invalid component")
    assert "is not an entity name" in refusal.reason
    services, users = await exported(database, "services"), await exported(database, "users")
    assert services["petstore"]["team"] == "sre"
    assert services["different-namespace"]["team"] == "team-a"
    assert services["shuffle-api"]["team"] is None
    assert users["development/guest"]["teams"] == users["guest"]["teams"] == ["team-a"]
    assert "petstore-component.yaml: petstore: no file defines group:default/sre; the team was created" in reasons(
        report.warnings
    )


@needs_real_files
async def test_importing_again_writes_nothing(database: Database, clock: TestClock) -> None:
    """Everything is found again by what it is, and is as it was."""
    await run(database, clock, REAL_FILES / "backstage", SAMPLES / "backstage")
    async with unchanged(database):
        report = await run(database, clock, SAMPLES / "backstage", REAL_FILES / "backstage")
    assert all(tally[:2] == (0, 0) and tally[2] for tally in counts(report).values())


async def test_a_service_has_what_its_file_says(database: Database, clock: TestClock) -> None:
    """Also a name that is made a label; the original stands where there is no other title."""
    await run(database, clock, SAMPLES / "backstage" / "catalog-info.yaml", SAMPLES / "backstage" / "people.yaml")
    services = await exported(database, "services")
    assert services["Checkout-Api"] == {
        "name": "Checkout-Api",
        "title": "Checkout API",
        "description": "Takes orders and hands them to fulfilment.",
        "tier": 3,
        "lifecycle": "DEPRECATED",
        "team": "shop",
        "tags": ["python", "orders"],
        "links": [
            {"title": "Dashboard", "url": "https://dashboards.example.com/checkout"},
            {"title": "https://code.example.com/checkout", "url": "https://code.example.com/checkout"},
        ],
        "dependsOn": [],
        "origin": "backstage:component:default/checkout_api",
        "archivedAt": None,
    }
    assert (await exported(database, "teams"))["shop"]["title"] == "The shop team"
    assert (await exported(database, "users"))["ada"] == {
        "name": "ada",
        "email": "ada@example.com",
        "timeZone": None,
        "origin": "backstage:user:default/ada",
        "teams": ["on-call", "shop"],
    }


async def test_a_name_that_is_no_label_is_made_one(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """With a warning, and the name as spelled for a title."""
    path = written(tmp_path, "a.yaml", component("Web.Shop_2"))
    report = await run(database, clock, path)
    assert (await exported(database, "services"))["Web-Shop-2"]["title"] == "Web.Shop_2"
    assert 'a.yaml: Web.Shop_2: the name is not an RFC 1123 label; the service is called "Web-Shop-2"' in reasons(
        report.warnings
    )


async def test_the_order_of_files_does_not_matter(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """A dependency may be defined after what depends on it, a name may be wanted twice: the result is the same."""
    first = written(tmp_path, "1.yaml", component("api", "edge"), component("web", dependsOn=["component:db"]))
    second = written(tmp_path, "2.yaml", component("db", dependsOn=["component:edge/api"]), component("api"))
    await run(database, clock, second, first)
    services = await exported(database, "services")
    assert {name: service["dependsOn"] for name, service in services.items()} == {
        "api": [],
        "db": ["edge-api"],
        "edge-api": [],
        "web": ["db"],
    }
    async with unchanged(database):
        await run(database, clock, first, second)


async def test_the_default_namespace_has_the_plain_name(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Others keep theirs unless it is taken, then they get their namespace before it, with a warning."""
    entities = [
        *(component("api", namespace) for namespace in ("zeta", "alpha", None)),
        *(entity("Group", "ops", namespace) for namespace in ("zeta", None)),
        *(entity("User", "ada", namespace, memberOf=["ops"]) for namespace in ("zeta", None)),
        component("only", "alpha"),
    ]
    report = await run(database, clock, written(tmp_path, "a.yaml", *entities))
    assert set(await exported(database, "services")) == {"api", "alpha-api", "zeta-api", "only"}
    assert set(await exported(database, "teams")) == {"ops", "zeta/ops", "shop"}
    users = await exported(database, "users")
    assert {name: user["teams"] for name, user in users.items()} == {"ada": ["ops"], "zeta/ada": ["zeta/ops"]}
    assert 'a.yaml: api: another entity is called "api"; this one is called "alpha-api"' in reasons(report.warnings)


async def test_a_name_that_nothing_can_have_is_refused(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Two names that become the same label, and the way out is taken too."""
    await run(database, clock, written(tmp_path, "a.yaml", component("a-b"), component("default-a-b")))
    report = await run(database, clock, written(tmp_path, "b.yaml", component("a.b"), component("c")))
    assert reasons(report.refusals) == [
        'b.yaml: a.b: others are called "a-b" and "default-a-b" already; rename one of them'
    ]
    assert set(await exported(database, "services")) == {"a-b", "default-a-b", "c"}


async def test_what_was_there_is_adopted(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """A team, a user and a service made by hand become the entity's; what the file cannot say is kept."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await commands.save_team(tx, TeamInput("shop"))
        await access.save_user(tx, UserInput("ada", time_zone="Europe/Lisbon"))
        await commands.save_service(tx, ServiceInput("API", title="old", description="old", tier=1, tags=["old"]))
    path = written(tmp_path, "a.yaml", component("api", title="API"), entity("User", "ada", memberOf=["shop"]))
    report = await run(database, clock, path)
    assert counts(report) == {"teams": (0, 1, 0), "users": (0, 1, 0), "services": (0, 1, 0)}
    service = (await exported(database, "services"))["API"]
    assert (service["title"], service["description"], service["tier"], service["tags"]) == ("API", None, 1, [])
    assert (await exported(database, "users"))["ada"]["timeZone"] == "Europe/Lisbon"
    async with unchanged(database):
        await run(database, clock, path)


async def test_a_rename_here_is_kept(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """The entity is known by its reference, whatever the service is called."""
    path = written(tmp_path, "a.yaml", component("api"), component("web", dependsOn=["component:api"]))
    await run(database, clock, path)
    async with database.transaction(LOCAL, clock.now()) as tx:
        await commands.rename_service(tx, "api", "gateway")
    written(tmp_path, "a.yaml", component("api", title="API"), component("web", dependsOn=["component:api"]))
    report = await run(database, clock, path)
    assert counts(report)["services"] == (0, 1, 1)
    services = await exported(database, "services")
    assert (services["gateway"]["title"], services["web"]["dependsOn"]) == ("API", ["gateway"])


async def test_one_refusal_undoes_no_neighbour(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """An archived service, too many tags, too many dependencies: each refused alone and whole."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await commands.save_service(tx, ServiceInput("old"))
        await commands.archive_service(tx, "old")
    entities = [
        component("old", title="new"),
        component("tagged", tags=[f"tag-{number}" for number in range(51)]),
        component("needy", dependsOn=[f"component:c{number}" for number in range(501)]),
        component("good", dependsOn=["component:tagged"]),
    ]
    report = await run(database, clock, written(tmp_path, "a.yaml", *entities))
    assert reasons(report.refusals) == [
        'a.yaml: old: service "old" is archived; restore it before changing it',
        "a.yaml: tagged: 51 tags were given; at most 50 are accepted",
        "a.yaml: needy: 501 depends on were given; at most 500 are accepted",
    ]
    services = await exported(database, "services")
    assert set(services) == {"old", "good"}
    assert (services["old"]["title"], services["good"]["dependsOn"]) == (None, [])
    assert "a.yaml: good: spec.dependsOn names component:default/tagged, which is not there; it was left out" in (
        reasons(report.warnings)
    )


async def test_a_dependency_may_have_been_there_before(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Imported earlier, or made by hand under that name; never another entity of the same plain name."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await commands.save_service(tx, ServiceInput("by-hand"))
    await run(database, clock, written(tmp_path, "a.yaml", component("earlier"), component("far", "away")))
    wanted = ["component:earlier", "component:by_hand", "component:far"]
    await run(database, clock, written(tmp_path, "b.yaml", component("web", dependsOn=wanted)))
    assert (await exported(database, "services"))["web"]["dependsOn"] == ["by-hand", "earlier"]


async def test_other_files_of_a_folder_are_skipped(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """A document that says nothing of being an entity is passed over with a warning, unless its file was named."""
    written(tmp_path / "repository", "compose.yaml", {"services": {}})
    written(tmp_path / "repository", "catalog-info.yaml", component("api"), {"kind": "Component"})
    report = await run(database, clock, tmp_path / "repository")
    assert counts(report)["services"] == (1, 0, 0)
    assert reasons(report.warnings)[1:] == [
        "compose.yaml: None: has neither apiVersion nor kind; the document was skipped"
    ]
    assert reasons(report.refusals) == ["catalog-info.yaml: None: apiVersion is missing"]
    named = await run(database, clock, tmp_path / "repository" / "compose.yaml")
    assert reasons(named.refusals) == ["compose.yaml: None: apiVersion is missing"]


async def test_two_imports_at_once(database: Database, clock: TestClock) -> None:
    """The second waits where it has to and finds everything as the first left it."""
    first, second = await asyncio.gather(*(run(database, clock, SAMPLES / "backstage") for _ in range(2)))
    assert sorted((first.kinds["services"].created, second.kinds["services"].created)) == [0, 3]
    async with unchanged(database):
        await run(database, clock, SAMPLES / "backstage")


async def test_a_dry_run_says_the_same_and_writes_nothing(database: Database, clock: TestClock) -> None:
    """Its report is that of the import that follows, but for whether it was stored."""
    async with unchanged(database):
        dry = await run(database, clock, SAMPLES / "backstage", options=DRY)
    assert (dry.dry_run, dry.stored) == (True, False)
    done = await run(database, clock, SAMPLES / "backstage")
    assert (done.stored, counts(done), done.refusals) == (True, counts(dry), dry.refusals)
    assert counts(done)["services"] == (3, 0, 0)


async def test_strict_stores_all_or_nothing(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """One refusal, by the reader or by a rule, and nothing at all is stored."""
    bad = written(tmp_path, "bad.yaml", component("bad", tags=[f"tag-{number}" for number in range(51)]))
    good = written(tmp_path, "good.yaml", component("good"))
    async with unchanged(database):
        for paths in ([bad, good], [SAMPLES / "backstage"], [good, tmp_path / "missing"]):
            report = await run(database, clock, *paths, options=STRICT)
            assert (report.read, report.stored, report.refused > 0) == (True, False, True)
    assert (await run(database, clock, good, options=STRICT)).stored


async def test_nothing_to_read_opens_no_transaction(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Folders without files, files without documents, files that are not there."""
    written(tmp_path, "empty.yaml", "# nothing\n")
    (tmp_path / "bare").mkdir()
    for paths in ([tmp_path / "empty.yaml"], [tmp_path / "bare"], [tmp_path / "missing"]):
        report = await run(database, clock, *paths)
        assert (report.read, report.stored) == (False, False)
    assert reasons(report.refusals) == ["missing: None: there is no such file or folder"]
