"""Global ids, and the kinds of things that `node(id:)` finds."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge
from opsgraph.kernel.refusals import Invalid, NotFound

Find = Callable[[Context, Collection[UUID]], Awaitable[Mapping[UUID, Any]]]

FindT = TypeVar("FindT", bound=Find)

ShowT = TypeVar("ShowT", bound=Callable[..., Any])

_KINDS: dict[str, Find] = {}
_SHOWN: dict[str, Callable[[Any], Any]] = {}


def _id_of(root: Any) -> strawberry.ID:
    return strawberry.ID(global_id(type(root).__name__, root.key))


@strawberry.interface(description="Something with a global id that `node` finds again.")
class Node:
    """Anything with a global id. `key` is its id in the database."""

    key: strawberry.Private[UUID]
    id: strawberry.ID = strawberry.field(
        resolver=_id_of, description="Opaque id, the same for as long as the thing exists."
    )


def finds(kind: str) -> Callable[[FindT], FindT]:
    """Register how nodes of a GraphQL type are found by their keys, in one batch."""

    def register(find: FindT) -> FindT:
        _KINDS[kind] = find
        return find

    return register


def to_node(kind: str, *, key: str, description: str) -> Any:
    """Declare an edge to one node: ``key`` is the parent's attribute that holds the node's key."""

    async def load(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Any]:
        return await _KINDS[kind](context, keys)

    return edge(_once_per_kind(kind, load), key=key, description=description)


def global_id(kind: str, key: UUID) -> str:
    """Make the opaque id of a node."""
    return base64.urlsafe_b64encode(f"{kind}:{key.hex}".encode()).decode().rstrip("=")


def read_global_id(value: str, field: str = "id") -> tuple[str, UUID]:
    """Read back a global id: the kind and the key.

    Raises:
        Invalid: not an id that opsgraph made.
    """
    try:
        padded = value.encode("ascii") + b"=" * (-len(value) % 4)
        kind, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
        found = UUID(hex=key)
    except (ValueError, binascii.Error) as error:
        raise Invalid(f"{field} is not an id that opsgraph made", field) from error
    if kind not in _KINDS or global_id(kind, found) != value:
        raise Invalid(f"{field} is not an id that opsgraph made", field)
    return kind, found


def key_of(kind: str, value: str, field: str = "id") -> UUID:
    """The key of a node of a kind that an input names by its global id.

    Raises:
        Invalid: not an id that opsgraph made.
        NotFound: an id of another kind of thing.
    """
    found, key = read_global_id(value, field)
    if found != kind:
        raise NotFound(f"{field} is the id of a {found}, not of a {kind}", field)
    return key


async def find_node(context: Context, value: str) -> Any:
    """The node with this global id, or None.

    Raises:
        Invalid: not an id that opsgraph made.
    """
    kind, key = read_global_id(value)
    return (await _KINDS[kind](context, [key])).get(key)


def shows(kind: str) -> Callable[[ShowT], ShowT]:
    """Register how the schema shows a domain's value as a node of a GraphQL type."""

    def register(show: ShowT) -> ShowT:
        _SHOWN[kind] = show
        return show

    return register


def shown_as(kind: str, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What makes a node of a row that ``read`` reads: for lists of a type whose file imports that of the list."""
    return lambda row: _SHOWN[kind](read(row))


_LOADS: dict[str, Any] = {}


def _once_per_kind(kind: str, load: Any) -> Any:
    # One function a kind, whichever edge leads there, so that all edges to it share a batch and its results.
    return _LOADS.setdefault(kind, load)
