"""Relay connections over keyset pages. The pages of all parents on a level are one statement, their counts another."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge
from opsgraph.kernel.pages import Page, PageRequest, page_request, write_cursor
from opsgraph.storage.keyset import empty_page

NodeT = TypeVar("NodeT")

Pages = Callable[..., Awaitable[Mapping[Any, Page[Any]]]]
"""``pages(session, parents, request, narrowed by) -> mapping`` from parent to the page of its nodes."""

Counts = Callable[..., Awaitable[Mapping[Any, int]]]
"""``counts(session, parents, narrowed by) -> mapping`` from parent to how many nodes it has in all."""

First = Annotated[int | None, strawberry.argument(description="How many from the start, 0 to 200; 50 if left out.")]
After = Annotated[str | None, strawberry.argument(description="Only what stands behind this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, 0 to 200; not with `first`.")]
Before = Annotated[str | None, strawberry.argument(description="Only what stands ahead of this cursor.")]


@dataclass(frozen=True, slots=True)
class Relation:
    """A list that can grow, declared once: how its pages and its counts are loaded for many parents.

    Attributes:
        order: the name of its order; a cursor of one order is refused by another.
        pages: loads the same page for many parents.
        counts: counts for many parents.
        node: makes the GraphQL value of a row.
    """

    order: str
    pages: Pages
    counts: Counts
    node: Callable[[Any], Any]


def of_parents(
    order: str,
    pages: Callable[[AsyncConnection, Collection[Any], PageRequest], Awaitable[Mapping[Any, Page[Any]]]],
    counts: Callable[[AsyncConnection, Collection[Any]], Awaitable[Mapping[Any, int]]],
    node: Callable[[Any], Any],
) -> Relation:
    """The relation behind a type's connection field: batched queries by the keys of the parents."""

    async def load(session: AsyncConnection, parents: Collection[Any], request: PageRequest, _: None) -> Any:
        return await pages(session, parents, request)

    async def count(session: AsyncConnection, parents: Collection[Any], _: None) -> Any:
        return await counts(session, parents)

    return Relation(order, load, count, node)


def whole_list(
    order: str,
    page: Callable[..., Awaitable[Page[Any]]],
    count: Callable[..., Awaitable[int]],
    node: Callable[[Any], Any],
) -> Relation:
    """The relation behind a root connection field: ``page(session, *narrowed by, request)``, and its count."""

    async def load(session: AsyncConnection, parents: Collection[Any], request: PageRequest, narrowed: Any) -> Any:
        return dict.fromkeys(parents, await page(session, *narrowed or (), request))

    async def count_all(session: AsyncConnection, parents: Collection[Any], narrowed: Any) -> Any:
        return dict.fromkeys(parents, await count(session, *narrowed or ()))

    return Relation(order, load, count_all, node)


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of one parent's list: what a connection's fields are loaded by."""

    relation: Relation
    parent: Any
    request: PageRequest
    narrowed: Any = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A page with the cursors of its order."""

    page: Page[Any]
    cursors: list[str]
    relation: Relation


async def load_pages(context: Context, slices: Collection[Slice]) -> Mapping[Slice, Loaded]:
    """Load slices; those of one relation, page and narrowing together, whatever their parents."""
    found: dict[Slice, Loaded] = {}
    for (relation, request, narrowed), members in _grouped(slices, with_request=True).items():
        async with context.reading() as session:
            pages = await relation.pages(session, [member.parent for member in members], request, narrowed)
        for member in members:
            page = pages.get(member.parent) or empty_page(request)
            found[member] = Loaded(page, [write_cursor(relation.order, key) for key in page.keys], relation)
    return found


async def load_counts(context: Context, slices: Collection[Slice]) -> Mapping[Slice, int]:
    """Count what slices are pages of; those of one relation and narrowing together."""
    found: dict[Slice, int] = {}
    for (relation, _, narrowed), members in _grouped(slices, with_request=False).items():
        async with context.reading() as session:
            counts = await relation.counts(session, list({member.parent for member in members}), narrowed)
        found |= {member: counts.get(member.parent, 0) for member in members}
    return found


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether there is more behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more ahead of this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first node of this page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last node of this page.")


@strawberry.type(name="Edge", description="A node and its place in the list.")
class NodeEdge(Generic[NodeT]):
    """A node and its place in the list."""

    cursor: str = strawberry.field(description="The node's place, stable while others are inserted.")
    node: NodeT = strawberry.field(description="The node.")


def _nodes(loaded: Loaded) -> list[Any]:
    return [loaded.relation.node(row) for row in loaded.page.rows]


def _edges(loaded: Loaded) -> list[NodeEdge[Any]]:
    pairs = zip(loaded.cursors, _nodes(loaded), strict=True)
    return [NodeEdge(cursor=cursor, node=node) for cursor, node in pairs]


def _page_info(loaded: Loaded) -> PageInfo:
    return PageInfo(
        has_next_page=loaded.page.has_next,
        has_previous_page=loaded.page.has_previous,
        start_cursor=loaded.cursors[0] if loaded.cursors else None,
        end_cursor=loaded.cursors[-1] if loaded.cursors else None,
    )


@strawberry.type(description="A page of a list that can grow.")
class Connection(Generic[NodeT]):
    """A page of a list that can grow; each part is loaded only when it is selected."""

    slice: strawberry.Private[Slice]
    edges: list[NodeEdge[NodeT]] = edge(
        load_pages, key="slice", pick=_edges, description="The nodes with their cursors."
    )
    nodes: list[NodeT] = edge(load_pages, key="slice", pick=_nodes, description="The nodes of this page, in order.")
    page_info: PageInfo = edge(load_pages, key="slice", pick=_page_info, description="Where this page stands.")
    total_count: int = edge(
        load_counts, key="slice", description="How many there are in all pages; counted only when selected."
    )


def connect(relation: Relation, parent: Any, request: PageRequest, narrowed: Any = None) -> Connection[Any]:
    """The connection of one parent; nothing is loaded yet."""
    return Connection(slice=Slice(relation, parent, request, narrowed))


def forward(relation: Relation, *, key: str = "key", description: str) -> Any:
    """Declare a connection field with `first` and `after` on a type whose attribute ``key`` is the parent's key."""

    def resolve(root: Any, first: First = None, after: After = None) -> Any:
        return connect(relation, getattr(root, key), page_request(relation.order, first, after))

    return strawberry.field(resolver=resolve, description=description, metadata={"opsgraph.relation": relation})


def _grouped(slices: Collection[Slice], *, with_request: bool) -> dict[tuple[Relation, Any, Any], list[Slice]]:
    groups: dict[tuple[Relation, Any, Any], list[Slice]] = {}
    for member in slices:
        request = member.request if with_request else None
        groups.setdefault((member.relation, request, member.narrowed), []).append(member)
    return groups
