"""Edges: each relation of a type is declared once, with the batch function that loads it for many parents.

An edge is an ordinary Strawberry field whose metadata holds an `Edge`. The field's resolver is a data loader over the
edge's batch function, so that the stock executor runs it; another executor can read the declaration and call the same
function a level at a time.
"""

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import strawberry

from opsgraph.graphql.context import Context, Load

EDGE = "opsgraph.edge"
"""The key under which a field's metadata holds its `Edge`."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation from a parent to something that is loaded in batches.

    Attributes:
        load: ``load(context, unique keys, **arguments) -> mapping`` from key to value.
        key: the attribute of the parent that holds its key; a key of None has the value None.
        pick: takes the field's value from the loaded one.
    """

    load: Load
    key: str
    pick: Callable[[Any], Any] | None = None


def edge(
    load: Load,
    *,
    key: str,
    description: str,
    pick: Callable[[Any], Any] | None = None,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Declare a field that is loaded in batches.

    Keyword-only parameters of ``load`` become the field's arguments; an argument's value must be hashable. The field's
    type is the annotation of the class attribute it is assigned to.

    Args:
        load: the batch function.
        key: the parent's attribute that holds its key.
        description: what the field is, with its unit.
        pick: takes the field's value from the loaded one; by default it is the value.
        name: its name in GraphQL, where it differs from the attribute's.
        deprecation_reason: what to use instead.
    """
    declared = Edge(load, key, pick)
    return strawberry.field(
        resolver=_resolver(declared),
        description=description,
        name=name,
        metadata={EDGE: declared},
        deprecation_reason=deprecation_reason,
    )


def edge_of(field: Any) -> Edge | None:
    """The declaration behind a Strawberry field, if it is an edge."""
    found: Edge | None = field.metadata.get(EDGE)
    return found


def _resolver(declared: Edge) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def resolve(root: Any, info: Any, **arguments: Any) -> Any:
        key = getattr(root, declared.key)
        if key is None:
            return None
        context: Context = info.context
        value = await context.load(declared.load, key, arguments)
        return value if declared.pick is None or value is None else declared.pick(value)

    parameters = [p for p in inspect.signature(declared.load).parameters.values() if p.kind is p.KEYWORD_ONLY]
    own = [
        inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=strawberry.Info),
    ]
    resolve.__signature__ = inspect.Signature([*own, *parameters])  # type: ignore[attr-defined]  # read by Strawberry
    resolve.__module__ = declared.load.__module__
    return resolve
