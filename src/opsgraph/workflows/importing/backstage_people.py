"""Backstage's groups and users as teams and their members."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from opsgraph.domains.access import commands as access
from opsgraph.domains.access import queries as users
from opsgraph.domains.access import rules
from opsgraph.domains.access.model import User, UserInput
from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.formats.backstage import DEFAULT_NAMESPACE
from opsgraph.domains.catalog.formats.backstage_entities import Catalog, Entity, EntityRef, Group, Person
from opsgraph.domains.catalog.model import Team, TeamInput
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.kernel.refusals import Invalid
from opsgraph.storage.saving import Outcome, Saved
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.importing.backstage_entities import (
    choose_name,
    free_names,
    in_order,
    origin_of,
    place_of,
    rank,
)
from opsgraph.workflows.importing.claims import Claims
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import attempt

Teams = Mapping[EntityRef, Team]
"""The team of each group that is defined or named."""


async def load_teams(tx: Tx, catalog: Catalog, report: ImportReport) -> Teams:
    """Save every group as a team; one that is only named, as an owner or by a user, is created with a warning."""
    groups = {group.ref: group for group in in_order(catalog.groups)}
    named = {
        ref: by for ref, by in sorted(_named(catalog).items(), key=lambda item: rank(item[0])) if ref not in groups
    }
    names = [name for ref in (*groups, *named) for name in free_names(ref, ref.name)]
    origins = await catalog_teams.team_origins(tx.connection, names, [origin_of(ref) for ref in (*groups, *named)])
    loading = _Teams(tx, Claims.of(origins), report)
    for group in groups.values():
        await loading.save(group, group.ref, TeamInput(group.name, title=group.title))
    for ref, by in named.items():
        if await loading.save(by, ref, TeamInput(ref.name)) is Outcome.CREATED:
            report.warn(place_of(by, f"no file defines {ref}; the team was created"))
    return loading.teams


async def load_people(tx: Tx, catalog: Catalog, teams: Teams, report: ImportReport) -> None:
    """Save every user, and make them members of the teams that they or the teams' groups name."""
    members = {ref: group for group in catalog.groups for ref in group.members}
    refs = {**dict.fromkeys(members), **dict.fromkeys(person.ref for person in catalog.people)}
    names = [name for ref in refs for name in free_names(ref, ref.name)]
    claims = Claims.of(await users.user_origins(tx.connection, names, [origin_of(ref) for ref in refs]))
    people = _People(teams, {teams[group.ref].id for group in catalog.groups if group.ref in teams})
    for person in in_order(catalog.people):
        saved = await attempt(tx, report, place_of(person), partial(_save_person, tx, claims, person, report))
        if saved is not None:
            claims.claim(saved.value.name, origin_of(person.ref))
            people.add(person.ref, saved)
    for ref, group in members.items():
        if ref not in people.users:
            await _add_known(tx, claims, ref, group, people, report)
    await people.join(tx, catalog, report)


@dataclass(slots=True)
class _Teams:
    """Teams as they are saved."""

    tx: Tx
    claims: Claims
    report: ImportReport
    teams: dict[EntityRef, Team] = field(default_factory=dict)

    async def save(self, entity: Entity, ref: EntityRef, wanted: TeamInput) -> Outcome | None:
        """Save the team of a group; `entity` is the group, or what names it."""
        saved = await attempt(self.tx, self.report, place_of(entity), partial(self._save, entity, ref, wanted))
        if saved is None:
            return None
        self.claims.claim(saved.value.name, origin_of(ref))
        self.teams[ref] = saved.value
        self.report.kinds["teams"].count(saved.outcome, saved.value.name)
        return saved.outcome

    async def _save(self, entity: Entity, ref: EntityRef, wanted: TeamInput) -> Saved[Team]:
        group = Entity(ref, wanted.name, entity.file, entity.line)
        name = choose_name(self.claims, group, free_names(ref, wanted.name), self.report)
        return await commands.save_team(self.tx, TeamInput(name, wanted.title, origin_of(ref)))


@dataclass(slots=True)
class _People:
    """Users, the teams that there are, and which of those are of groups that the import defines."""

    teams: Teams
    defined: set[UUID]
    users: dict[EntityRef, User] = field(default_factory=dict)
    outcomes: dict[UUID, Outcome] = field(default_factory=dict)

    def add(self, ref: EntityRef, saved: Saved[User]) -> None:
        """Note a user whom the import defines."""
        self.users[ref] = saved.value
        self.outcomes[saved.value.id] = saved.outcome

    async def join(self, tx: Tx, catalog: Catalog, report: ImportReport) -> None:
        """Bring memberships up to date and count the users."""
        wanted = self._wanted(catalog)
        current = await catalog_teams.teams_by_user(tx.connection, [user.id for user in self.users.values()])
        for user in self.users.values():
            before = {team.id: team for team in current.get(user.id, [])}
            after = self._after(user, before, wanted.get(user.id, {}))
            if after.keys() != before.keys():
                await commands.set_teams(tx, user, [team.name for team in after.values()])
                self.outcomes[user.id] = _changed(self.outcomes.get(user.id))
            if user.id in self.outcomes:
                report.kinds["users"].count(self.outcomes[user.id], user.name)

    def _wanted(self, catalog: Catalog) -> dict[UUID, dict[UUID, Team]]:
        """The teams of each user that either side names."""
        said = [(person.ref, group) for person in catalog.people for group in person.member_of]
        said += [(member, group.ref) for group in catalog.groups for member in group.members]
        found: dict[UUID, dict[UUID, Team]] = {}
        for person, group in said:
            if person in self.users and group in self.teams:
                team = self.teams[group]
                found.setdefault(self.users[person].id, {})[team.id] = team
        return found

    def _after(self, user: User, before: Mapping[UUID, Team], wanted: Mapping[UUID, Team]) -> dict[UUID, Team]:
        """A membership ends where the import defines both sides and neither names the other."""
        ends = self.defined if user.id in self.outcomes else set()
        return {**{id_: team for id_, team in before.items() if id_ not in ends}, **wanted}


async def _save_person(tx: Tx, claims: Claims, person: Person, report: ImportReport) -> Saved[User]:
    name = choose_name(claims, person, free_names(person.ref, person.name), report)
    return await access.save_user(tx, UserInput(name, email=_email(person, report), origin=origin_of(person.ref)))


def _email(person: Person, report: ImportReport) -> str | None:
    try:
        return None if person.email is None else rules.email(person.email)
    except Invalid as refusal:
        report.warn(place_of(person, f"{refusal.message}; it was left out"))
        return None


async def _add_known(
    tx: Tx, claims: Claims, ref: EntityRef, group: Group, people: _People, report: ImportReport
) -> None:
    """Find a member whom no file defines among the users that there are."""
    plain = ref.name if ref.namespace == DEFAULT_NAMESPACE and claims.adoptable(ref.name) else None
    name = claims.known(origin_of(ref)) or plain
    user = await users.user_by_name(tx.connection, name) if name is not None else None
    if user is None:
        report.warn(place_of(group, f"no file defines its member {ref}, who was left out"))
    else:
        people.users[ref] = user


def _named(catalog: Catalog) -> dict[EntityRef, Entity]:
    """The groups that something names, each with the first that does."""
    found: dict[EntityRef, Entity] = {}
    for component in in_order(catalog.components):
        if component.owner is not None:
            found.setdefault(component.owner, component)
    for person in in_order(catalog.people):
        for ref in person.member_of:
            found.setdefault(ref, person)
    return found


def _changed(outcome: Outcome | None) -> Outcome:
    return Outcome.CREATED if outcome is Outcome.CREATED else Outcome.CHANGED
