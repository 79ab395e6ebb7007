"""Writes of the catalog domain: teams, services and deployments."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from opsgraph.domains.access.model import User
from opsgraph.domains.catalog import rules
from opsgraph.domains.catalog.model import (
    Deployment,
    DeploymentInput,
    DeploymentOutcome,
    DeploymentRecorded,
    Lifecycle,
    Link,
    Service,
    ServiceInput,
    ServiceSaved,
    Team,
    TeamInput,
)
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.domains.catalog.tables import (
    dependencies,
    deployments,
    memberships,
    service_links,
    service_tags,
    services,
    teams,
)
from opsgraph.kernel.changes import UNSET, given
from opsgraph.kernel.refusals import Conflict, NotFound
from opsgraph.kernel.text import free_name, free_text, name_key, shown
from opsgraph.storage.idempotency import first_result
from opsgraph.storage.saving import Outcome, Saved, save_row
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import upsert


async def save_team(tx: Tx, wanted: TeamInput) -> Saved[Team]:
    """Create or update a team by name.

    Raises:
        Invalid: the name or title is not one.
    """
    name = free_name(wanted.name)
    named = {"name": name, "name_key": name_key(name)}
    values = given(wanted, "title", "origin")
    if values.get("title") is not None:
        values["title"] = free_name(values["title"], "title")
    query = select(teams).where(teams.c.name_key == named["name_key"])
    saved = await save_row(tx, teams, query, values, created_with=named)
    return Saved(catalog_teams.team_of(saved.value), saved.outcome)


async def add_members(tx: Tx, team: Team, users: Collection[User]) -> int:
    """Make users members of a team; gives how many were not yet."""
    present = set((await tx.connection.execute(_members_of(team))).scalars())
    missing = sorted({user.id for user in users} - present)
    await _insert(tx, memberships, [{"team_id": team.id, "user_id": user_id} for user_id in missing])
    return len(missing)


async def set_teams(tx: Tx, user: User, names: Sequence[str]) -> None:
    """Make a user a member of exactly these teams.

    Raises:
        NotFound: there is no team of one of the names.
    """
    wanted = {(await _team(tx, name, "teams")).id for name in names}
    await tx.connection.execute(delete(memberships).where(memberships.c.user_id == user.id))
    await _insert(tx, memberships, [{"team_id": team_id, "user_id": user.id} for team_id in sorted(wanted)])


async def save_service(tx: Tx, wanted: ServiceInput) -> Saved[Service]:
    """Create or update a service by name; what was left out stays as it is.

    Raises:
        Invalid: a value breaks a rule.
        NotFound: the team or a dependency does not exist.
        Conflict: the service is archived.
    """
    name = rules.service_name(wanted.name)
    found = await catalog_services.service_by_name(tx.connection, name)
    if found is not None and found.archived_at is not None:
        raise Conflict(f"service {shown(found.name)} is archived; restore it before changing it", "name")
    values = await _service_values(tx, wanted, found.name if found else name)
    query = select(services).where(services.c.name_key == name_key(name))
    saved = await save_row(tx, services, query, values)
    service = catalog_services.service_of(saved.value)
    parts_changed = await _save_parts(tx, service, wanted)
    outcome = Outcome.CHANGED if parts_changed and saved.outcome is Outcome.UNCHANGED else saved.outcome
    if outcome is not Outcome.UNCHANGED:
        tx.record(ServiceSaved(service.id))
    return Saved(service, outcome)


async def rename_service(tx: Tx, name: str, new_name: str) -> Service:
    """Give a service another name; its id and history stay.

    Raises:
        NotFound: there is no such service.
        Invalid: the new name is not a label.
        Conflict: another service has that name.
    """
    service = await require_service(tx, name, "name")
    checked = rules.service_name(new_name, "new_name")
    other = await catalog_services.service_by_name(tx.connection, checked)
    if other is not None and other.id != service.id:
        raise Conflict(f"another service is called {shown(other.name)}", "new_name")
    try:
        async with tx.savepoint():
            return await _change(tx, service, name=checked, name_key=name_key(checked))
    except IntegrityError as error:
        raise Conflict(f"another service was called {shown(checked)} at the same moment", "new_name") from error


async def archive_service(tx: Tx, name: str, since: datetime | None = None) -> Service:
    """Take a service out of lists and reports; its history stays readable. Archiving again changes nothing.

    Args:
        tx: the transaction.
        name: of the service.
        since: when that happened, if not now.

    Raises:
        NotFound: there is no such service.
    """
    service = await require_service(tx, name, "name")
    return service if service.archived_at else await _change(tx, service, archived_at=since or tx.now)


async def restore_service(tx: Tx, name: str) -> Service:
    """Bring an archived service back. Restoring one that is not archived changes nothing.

    Raises:
        NotFound: there is no such service.
    """
    service = await require_service(tx, name, "name")
    return await _change(tx, service, archived_at=None) if service.archived_at else service


async def record_deployment(tx: Tx, wanted: DeploymentInput) -> Deployment:
    """Record that a version was deployed; with an idempotency key, once.

    Raises:
        NotFound: there is no such service.
        Invalid: it lies in the future or before its commit.
        Conflict: the key was used with another deployment.
    """
    service = await require_service(tx, wanted.service, "service")
    version, environment, deployed_at = rules.deployment(wanted, tx.now)
    new_id = tx.new_id()
    earlier = await first_result(tx, "recordDeployment", wanted.idempotency_key, given(wanted), new_id)
    if earlier is not None:
        return (await catalog_deployments.deployments_by_id(tx.connection, [earlier]))[earlier]
    outcome = DeploymentOutcome.FAILED if wanted.failed else DeploymentOutcome.SUCCEEDED
    deployment = Deployment(
        new_id, service.id, version, environment, wanted.committed_at, deployed_at, outcome, wanted.rework
    )
    await tx.connection.execute(insert(deployments).values(**given(deployment), created_at=tx.now))
    tx.record(DeploymentRecorded(service.id))
    return deployment


async def take_over_deployments(tx: Tx, recorded: Sequence[Deployment]) -> int:
    """Record deployments under the ids that they have elsewhere; those whose id is known stay as they are.

    Two statements, whatever their number.

    Args:
        tx: the transaction.
        recorded: of services that exist, with values that `rules.deployment` accepts.

    Returns:
        how many were not known.
    """
    known = await catalog_deployments.deployments_by_id(tx.connection, [deployment.id for deployment in recorded])
    new = {deployment.id: deployment for deployment in recorded if deployment.id not in known}
    rows = [
        {**given(deployment), "outcome": deployment.outcome.value, "created_at": tx.now} for deployment in new.values()
    ]
    await upsert(tx, deployments, rows, key=("id",), update=())
    for service_id in sorted({deployment.service_id for deployment in new.values()}):
        tx.record(DeploymentRecorded(service_id))
    return len(new)


async def require_service(tx: Tx, name: str, field: str = "service") -> Service:
    """The service of that name, archived or not.

    Raises:
        NotFound: there is none; names the field it was asked by.
    """
    return await catalog_services.require_service(tx.connection, name, field)


async def _service_values(tx: Tx, wanted: ServiceInput, name: str) -> dict[str, Any]:
    values = given(wanted, "title", "description", "tier", "lifecycle", "origin")
    if values.get("title") is not None:
        values["title"] = free_name(values["title"], "title")
    if values.get("description") is not None:
        values["description"] = free_text(values["description"], "description")
    if "tier" in values:
        values["tier"] = rules.DEFAULT_TIER if values["tier"] is None else rules.tier(values["tier"])
    if "lifecycle" in values:
        values["lifecycle"] = (values["lifecycle"] or Lifecycle.PRODUCTION).value
    if wanted.team is not UNSET:
        values["team_id"] = (await _team(tx, wanted.team, "team")).id if wanted.team is not None else None
    return {**values, "name": name, "name_key": name_key(name)}


async def _save_parts(tx: Tx, service: Service, wanted: ServiceInput) -> bool:
    changed = False
    if wanted.tags is not UNSET:
        changed |= await _save_tags(tx, service, rules.tags(wanted.tags or []))
    if wanted.links is not UNSET:
        changed |= await _save_links(tx, service, rules.links(wanted.links or []))
    if wanted.depends_on is not UNSET:
        changed |= await _save_dependencies(tx, service, rules.dependencies(service.name, wanted.depends_on or []))
    return changed


async def _save_tags(tx: Tx, service: Service, tags: list[str]) -> bool:
    if (await catalog_relations.tags_by_service(tx.connection, [service.id])).get(service.id, []) == tags:
        return False
    rows = [{"service_id": service.id, "tag": tag, "position": place} for place, tag in enumerate(tags)]
    await _replace(tx, service_tags, service.id, rows)
    return True


async def _save_links(tx: Tx, service: Service, links: list[Link]) -> bool:
    if (await catalog_relations.links_by_service(tx.connection, [service.id])).get(service.id, []) == links:
        return False
    rows = [{"service_id": service.id, "position": place, **given(link)} for place, link in enumerate(links)]
    await _replace(tx, service_links, service.id, rows)
    return True


async def _save_dependencies(tx: Tx, service: Service, names: list[str]) -> bool:
    wanted = {(await require_service(tx, name, "depends_on")).id for name in names}
    query = select(dependencies.c.depends_on_id).where(dependencies.c.service_id == service.id)
    if set((await tx.connection.execute(query)).scalars()) == wanted:
        return False
    rows = [{"service_id": service.id, "depends_on_id": other} for other in sorted(wanted)]
    await _replace(tx, dependencies, service.id, rows)
    return True


async def _replace(tx: Tx, table: Table, service_id: UUID, rows: list[dict[str, Any]]) -> None:
    await tx.connection.execute(delete(table).where(table.c.service_id == service_id))
    await _insert(tx, table, rows)


async def _insert(tx: Tx, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        await tx.connection.execute(insert(table), rows)


async def _change(tx: Tx, service: Service, **values: Any) -> Service:
    statement = update(services).where(services.c.id == service.id).values(**values, updated_at=tx.now)
    changed = catalog_services.service_of((await tx.connection.execute(statement.returning(*services.c))).one())
    tx.record(ServiceSaved(service.id))
    return changed


async def _team(tx: Tx, name: str, field: str) -> Team:
    team = await catalog_teams.team_by_name(tx.connection, name)
    if team is None:
        raise NotFound(f"there is no team called {shown(name)}", field)
    return team


def _members_of(team: Team) -> Any:
    return select(memberships.c.user_id).where(memberships.c.team_id == team.id)
