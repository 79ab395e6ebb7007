"""The schema, put together from the domains' files."""

from typing import Annotated

import strawberry
from graphql import GraphQLError
from strawberry.printer import print_schema
from strawberry.types.execution import ExecutionContext

from opsgraph.graphql.access import AccessQueries
from opsgraph.graphql.alerts import AlertQueries
from opsgraph.graphql.complexity import limiting_cost
from opsgraph.graphql.context import Context
from opsgraph.graphql.documents import Documents, preparing
from opsgraph.graphql.feeds import FeedQueries, FeedSubscriptions
from opsgraph.graphql.governance import GovernanceQueries
from opsgraph.graphql.incident_lists import IncidentQueries
from opsgraph.graphql.manifests import ManifestQueries
from opsgraph.graphql.mutations.access import AccessMutations
from opsgraph.graphql.mutations.alerts import AlertMutations
from opsgraph.graphql.mutations.catalog import CatalogMutations
from opsgraph.graphql.mutations.cost import CostMutations
from opsgraph.graphql.mutations.governance import GovernanceMutations
from opsgraph.graphql.mutations.incidents import IncidentMutations
from opsgraph.graphql.mutations.readiness import ReadinessMutations
from opsgraph.graphql.mutations.readiness_policy import ReadinessPolicyMutations
from opsgraph.graphql.mutations.reliability import ReliabilityMutations
from opsgraph.graphql.mutations.silences import SilenceMutations
from opsgraph.graphql.mutations.slo import SloMutations
from opsgraph.graphql.nodes import Node, find_node
from opsgraph.graphql.problems import RefusalHandler
from opsgraph.graphql.readiness_policy import ReadinessPolicyQueries
from opsgraph.graphql.report import ReportQueries
from opsgraph.graphql.rights import query
from opsgraph.graphql.scalars import scalar_config
from opsgraph.graphql.service_lists import CatalogQueries
from opsgraph.graphql.silences import SilenceQueries
from opsgraph.graphql.slo import SloQueries
from opsgraph.graphql.teams import TeamQueries
from opsgraph.settings import Settings


@strawberry.type(description="Everything that can be asked.")
class Query(
    CatalogQueries,
    TeamQueries,
    SloQueries,
    GovernanceQueries,
    AlertQueries,
    IncidentQueries,
    SilenceQueries,
    ReadinessPolicyQueries,
    ManifestQueries,
    ReportQueries,
    FeedQueries,
    AccessQueries,
):
    """The root of all queries."""

    @query(description="The thing with this global id; null if there is none.")
    async def node(
        self,
        info: strawberry.Info[Context, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")],
    ) -> Node | None:
        """Anything by its global id."""
        found: Node | None = await find_node(info.context, id)
        return found


@strawberry.type(description="Everything that can be changed. Each field is one transaction; a refusal is a Problem.")
class Mutation(
    CatalogMutations,
    CostMutations,
    GovernanceMutations,
    ReliabilityMutations,
    SloMutations,
    AlertMutations,
    IncidentMutations,
    SilenceMutations,
    ReadinessMutations,
    ReadinessPolicyMutations,
    AccessMutations,
):
    """The root of all mutations."""


@strawberry.type(description="What can be followed: each event has a cursor, and `after` it nothing is missed.")
class Subscription(FeedSubscriptions):
    """The root of all subscriptions."""


class Schema(strawberry.Schema):
    """Strawberry's schema with the limits that the settings say; whoever presents errors logs them.

    Attributes:
        settings: how opsgraph is configured.
        documents: what was parsed and validated of late.
    """

    def __init__(self, settings: Settings | None = None, **types: type | None) -> None:
        self.settings = settings or Settings()
        self.documents = Documents(self.settings)
        super().__init__(
            **types,  # type: ignore[arg-type]  # query, mutation and subscription, by their names
            extensions=[preparing(self.documents), limiting_cost(self.settings)],
            exception_handlers=[RefusalHandler()],
            config=scalar_config(suggestions=self.settings.introspection == "on"),
        )

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:  # noqa: ARG002 - the hook's
        """Take out every suggestion where they are off; log nothing, for `errors.presented` logs what is a bug."""
        if self.config.disable_field_suggestions:  # Strawberry itself only does it for fields
            for error in errors:
                error.message = error.message.partition(" Did you mean ")[0]


def build_schema(settings: Settings) -> Schema:
    """The schema with the limits that the settings say."""
    return Schema(settings, query=Query, mutation=Mutation, subscription=Subscription)


def printed_schema() -> str:
    """The schema in the schema definition language, as schema.graphql has it."""
    return print_schema(build_schema(Settings())).strip() + "\n"
