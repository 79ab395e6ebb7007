"""Root fields, each with the role it needs declared beside it. Denied unless the actor holds one of the roles.

What is denied is in the audit log, and whatever becomes of a mutation that is declared as audited.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import strawberry

from opsgraph.domains.access.rules import require, require_service
from opsgraph.graphql.asked import asked_by
from opsgraph.graphql.inputs import refuse_nul
from opsgraph.graphql.problems import camel_case
from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.refusals import Forbidden, Refusal

ROLES = "opsgraph.roles"
"""The key under which a root field's metadata holds the roles any one of which it needs."""

SHARED = "opsgraph.shared"
"""The key under which a subscription field's metadata holds whether identical subscriptions run once for all."""

ANYONE = frozenset[Role]()
"""For what anyone who reaches the API may ask, such as who they are."""

Params = ParamSpec("Params")
ResultT = TypeVar("ResultT")
Resolver = Callable[Params, Awaitable[ResultT]]


def query(*roles: Role, description: str) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Declare a query field that asks for one of the roles (viewer, if none is named)."""
    return _field(frozenset(roles) or frozenset({Role.VIEWER}), description)


def open_query(description: str) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Declare a query field that anyone may ask for."""
    return _field(ANYONE, description)


def mutation(*roles: Role, description: str, audited: bool = False) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Declare a mutation field that asks for one of the roles; at least one is named.

    Args:
        roles: any one of them is enough.
        description: what it changes.
        audited: the audit log has an entry of each use: written by the transaction of the change (the first that the
            resolver takes from `Context.writing`), or by itself where it is refused.
    """
    if not roles:
        raise TypeError("a mutation names the role it needs")
    return _field(frozenset(roles), description, audited=audited)


def subscription(
    *roles: Role, description: str, shared: bool = False
) -> Callable[[Callable[..., AsyncGenerator[Any, None]]], Any]:
    """Declare a subscription field that asks for one of the roles; at least one is named.

    Args:
        roles: any one of them is enough.
        description: what is followed.
        shared: identical subscriptions of people with the same rights are run once for all of them. The field's stream
            then has marks between its events, which know their places: see `marks`.
    """
    if not roles:
        raise TypeError("a subscription names the role it needs")
    metadata = {ROLES: frozenset(roles), SHARED: shared}

    def declare(resolver: Callable[..., AsyncGenerator[Any, None]]) -> Any:
        @wraps(resolver)
        async def checked(self: Any, info: strawberry.Info[Any, Any], **arguments: Any) -> AsyncGenerator[Any, None]:
            require(info.context.actor, roles, camel_case(resolver.__name__))
            refuse_nul(arguments)
            async with aclosing(resolver(self, info, **arguments)) as events:
                async for event in events:
                    yield event

        return strawberry.subscription(checked, description=description, metadata=metadata)

    return declare


def _field(
    roles: frozenset[Role], description: str, *, audited: bool = False
) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    def declare(resolver: Callable[..., Awaitable[Any]]) -> Any:
        action = camel_case(resolver.__name__)

        @wraps(resolver)
        async def checked(self: Any, info: strawberry.Info[Any, Any], **arguments: Any) -> Any:
            context = info.context
            try:
                _check(context.actor, roles, action, arguments)
                if not audited:
                    return await resolver(self, info, **arguments)
                async with context.on_record(action, asked_by(arguments)):
                    return await resolver(self, info, **arguments)
            except Refusal as refusal:
                if audited or isinstance(refusal, Forbidden):
                    await context.refused(action, asked_by(arguments), refusal)
                raise

        return strawberry.field(resolver=checked, description=description, metadata={ROLES: roles})

    return declare


def _check(actor: Actor, roles: frozenset[Role], action: str, arguments: Mapping[str, Any]) -> None:
    if roles:
        require(actor, roles, action)
        if actor.service is not None:
            require_service(actor, getattr(arguments.get("input"), "service", None), action)
    refuse_nul(arguments)
