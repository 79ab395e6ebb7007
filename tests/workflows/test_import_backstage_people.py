"""Importing the people of Backstage catalogs, on both databases: who owns what, and who is a member of what."""

from pathlib import Path

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.kernel.actor import LOCAL
from opsgraph.storage.database import Database
from opsgraph.workflows.importing.backstage import import_backstage
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options
from tests.support.clock import TestClock
from tests.support.importing import (
    component,
    counts,
    entity,
    exported,
    reasons,
    written,
)


async def run(database: Database, clock: TestClock, *paths: Path, options: Options = AS_USUAL) -> ImportReport:
    """Import files, later than whatever was before."""
    return await import_backstage(database, LOCAL, clock.move(hours=1), paths, options)


async def test_an_owner_without_a_file_is_made_and_later_defined(
    database: Database, clock: TestClock, tmp_path: Path
) -> None:
    """The same team gets its title when its group turns up; then there is nothing to warn of."""
    service = written(tmp_path, "service.yaml", component("api"))
    first = await run(database, clock, service)
    assert reasons(first.warnings) == ["service.yaml: api: no file defines group:default/shop; the team was created"]
    group = written(tmp_path, "group.yaml", entity("Group", "Shop", profile={"displayName": "The shop"}))
    second = await run(database, clock, service, group)
    assert second.warnings == []
    assert (await exported(database, "teams")) == {
        "shop": {"name": "shop", "title": "The shop", "origin": "backstage:group:default/shop"}
    }


async def test_memberships_end_where_both_sides_are_defined(
    database: Database, clock: TestClock, tmp_path: Path
) -> None:
    """Either side may name the other; neither does any more: it ends. One side alone cannot tell."""
    named = written(
        tmp_path, "1.yaml", entity("User", "ada", memberOf=["ops"]), entity("Group", "shop", members=["ada"])
    )
    ops = written(tmp_path, "2.yaml", entity("Group", "ops"))
    await run(database, clock, named, ops)
    assert (await exported(database, "users"))["ada"]["teams"] == ["ops", "shop"]
    alone = written(tmp_path, "3.yaml", entity("User", "ada", memberOf=[]), entity("Group", "shop"))
    report = await run(database, clock, alone)
    assert counts(report)["users"] == (0, 1, 0)
    assert (await exported(database, "users"))["ada"]["teams"] == ["ops"]
    await run(database, clock, alone, ops)
    assert (await exported(database, "users"))["ada"]["teams"] == []


async def test_a_group_may_name_someone_known(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Imported before or made by hand; whoever is not known is left out with a warning."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await access.save_user(tx, UserInput("grace"))
    await run(database, clock, written(tmp_path, "1.yaml", entity("User", "ada", memberOf=[])))
    group = written(tmp_path, "2.yaml", entity("Group", "shop", members=["ada", "grace", "nobody"]))
    report = await run(database, clock, group)
    assert counts(report)["users"] == (0, 2, 0)
    assert {name: user["teams"] for name, user in (await exported(database, "users")).items()} == {
        "ada": ["shop"],
        "grace": ["shop"],
    }
    assert reasons(report.warnings) == [
        "2.yaml: shop: no file defines its member user:default/nobody, who was left out"
    ]


async def test_a_mail_address_that_is_none_is_left_out(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """The user is imported all the same."""
    path = written(tmp_path, "a.yaml", entity("User", "ada", memberOf=[], profile={"email": "at home"}))
    report = await run(database, clock, path)
    assert (await exported(database, "users"))["ada"]["email"] is None
    assert reasons(report.warnings) == ['a.yaml: ada: email "at home" is not a mail address; it was left out']
