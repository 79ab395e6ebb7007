"""Making and revoking keys."""

from datetime import datetime
from typing import Annotated

import strawberry

from opsgraph.domains.access import commands
from opsgraph.graphql import nodes
from opsgraph.graphql.access import ApiKey, key_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.rights import mutation
from opsgraph.kernel.actor import Role
from opsgraph.workflows import keys


@strawberry.type(description="A key that was just made, with its secret.")
class CreatedApiKey:
    """A key that was just made."""

    key: ApiKey = strawberry.field(description="The key.")
    secret: str = strawberry.field(
        description="What to present: `Authorization: Bearer <secret>`. It is shown this once; only a hash is kept."
    )


ApiKeyResult = Annotated[
    CreatedApiKey | ApiKey | Problem,
    strawberry.union("ApiKeyResult", description="The key, with its secret if it was just made, or why not."),
]


@strawberry.input(description="A key to make.")
class CreateApiKeyInput:
    """A key to make."""

    name: str = strawberry.field(
        description="Under which it acts: 1 to 200 characters, unique without case, never given to another."
    )
    roles: list[Role] = strawberry.field(description="What it may do; at least one.")
    expires_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="From when on it is refused; never if left out."
    )
    service: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The one service about which it may post facts, by name; takes the role INGEST and no other.",
    )


@strawberry.type
class AccessMutations:
    """What can be changed about keys."""

    @mutation(
        Role.ADMIN, description="Make a key. The answer has its secret, which nobody can find out again.", audited=True
    )
    async def create_api_key(
        self, info: strawberry.Info[Context, None], input: Input[CreateApiKeyInput]
    ) -> ApiKeyResult:
        """Make a key."""
        async with info.context.writing() as tx:
            made = await keys.issue(tx, **given(input, nulls=False))
        return CreatedApiKey(key=key_of(made.key), secret=made.secret)

    @mutation(
        Role.ADMIN,
        description="Revoke a key: it is refused from now on, for good, and what was opened with it is closed.",
        audited=True,
    )
    async def revoke_api_key(
        self,
        info: strawberry.Info[Context, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="The key's global id.")],
    ) -> ApiKeyResult:
        """Revoke a key."""
        async with info.context.writing() as tx:
            return key_of(await commands.revoke_key(tx, nodes.key_of("ApiKey", id)))
