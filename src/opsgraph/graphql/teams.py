"""Teams, the people in them, and who is asking."""

from collections.abc import Collection, Mapping
from typing import Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.access import model as access_model
from opsgraph.domains.access import queries as access
from opsgraph.domains.access.rules import held
from opsgraph.domains.catalog import model
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.graphql.catalog import Service, service_of
from opsgraph.graphql.connections import After, Connection, First, connect, forward, of_parents, whole_list
from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge
from opsgraph.graphql.nodes import Node, finds
from opsgraph.graphql.rights import open_query, query
from opsgraph.kernel.actor import Role
from opsgraph.kernel.pages import page_request


async def _teams_of_users(context: Context, keys: Collection[UUID]) -> Mapping[UUID, list["Team"]]:
    async with context.reading() as session:
        found = await catalog_teams.teams_by_user(session, keys)
    return {key: [team_of(team) for team in found.get(key, [])] for key in keys}


SERVICES_OF_TEAM = of_parents(
    "services of a team",
    catalog_relations.services_by_team,
    catalog_relations.count_by_team,
    lambda row: service_of(catalog_services.service_of(row)),
)
MEMBERS_OF_TEAM = of_parents(
    "members of a team",
    catalog_teams.members_by_team,
    catalog_teams.count_members,
    lambda row: user_of(access.user_of(row)),
)


@strawberry.type(description="A group of people that owns services.")
class Team(Node):
    """A team."""

    name: str = strawberry.field(description="Unique, without case.")
    title: str | None = strawberry.field(description="What people call it.")
    services: Connection[Service] = forward(SERVICES_OF_TEAM, description="The services it owns, by name.")
    members: Connection["User"] = forward(MEMBERS_OF_TEAM, description="Who is in it, by name.")


@strawberry.type(description="A person.")
class User(Node):
    """A person."""

    name: str = strawberry.field(description="Unique, without case.")
    email: str | None = strawberry.field(description="Mail address.")
    time_zone: str | None = strawberry.field(description="IANA zone, such as Europe/Lisbon.")
    active: bool = strawberry.field(description="False once they were deactivated.")
    teams: list[Team] = edge(_teams_of_users, key="key", description="The teams they are in, by name.")


@strawberry.type(description="Who is asking.")
class Viewer:
    """Who is asking."""

    name: str = strawberry.field(description="As timelines and the audit log show it.")
    roles: list[Role] = strawberry.field(description="Every role held, granted or implied.")


def team_of(value: model.Team) -> Team:
    """A team as the schema has it."""
    return Team(key=value.id, name=value.name, title=value.title)


def user_of(value: access_model.User) -> User:
    """A user as the schema has it."""
    return User(key=value.id, name=value.name, email=value.email, time_zone=value.time_zone, active=value.active)


@finds("Team")
async def _find_teams(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Team]:
    async with context.reading() as session:
        found = await catalog_teams.teams_by_id(session, keys)
    return {key: team_of(value) for key, value in found.items()}


@finds("User")
async def _find_users(context: Context, keys: Collection[UUID]) -> Mapping[UUID, User]:
    async with context.reading() as session:
        found = await access.users_by_id(session, keys)
    return {key: user_of(value) for key, value in found.items()}


TEAMS = whole_list(
    "teams", catalog_teams.teams_page, catalog_teams.count_teams, lambda row: team_of(catalog_teams.team_of(row))
)
USERS = whole_list("users", access.users_page, access.count_users, lambda row: user_of(access.user_of(row)))


@strawberry.type
class TeamQueries:
    """What can be asked about people."""

    @open_query(description="Who is asking.")
    async def viewer(self, info: strawberry.Info[Context, None]) -> Viewer | None:
        """The actor of this request, with every role held."""
        actor = info.context.actor
        return Viewer(name=actor.name, roles=sorted(held(actor)))

    @query(description="The team of that name, whatever its case; null if there is none.")
    async def team(
        self, info: strawberry.Info[Context, None], name: Annotated[str, strawberry.argument(description="Its name.")]
    ) -> Team | None:
        """One team by its natural key."""
        async with info.context.reading() as session:
            found = await catalog_teams.team_by_name(session, name)
        return team_of(found) if found else None

    @query(description="Teams, by name.")
    async def teams(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        first: First = None,
        after: After = None,
    ) -> Connection[Team]:
        """A page of teams."""
        return connect(TEAMS, None, page_request(TEAMS.order, first, after))

    @query(description="Users, by name.")
    async def users(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        first: First = None,
        after: After = None,
    ) -> Connection[User]:
        """A page of users."""
        return connect(USERS, None, page_request(USERS.order, first, after))
