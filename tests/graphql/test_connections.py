"""Every connection of the schema: pages that visit each node once and in order, and cursors that are checked."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from opsgraph.graphql.schema import build_schema
from opsgraph.kernel.pages import Key, write_cursor
from opsgraph.settings import Settings
from tests.support.api import BAD_INPUT, Api
from tests.support.connections import NODES, fill
from tests.support.walks import ORDERS, WALKS, Walk

MALFORMED = ("", "x", "!", "ä", "====", "bm90IGpzb24", "W10", "e30", "[" * 5_000, write_cursor("services NAME", ()))
ENDS = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
LISTS = {"deployments": WALKS[-1], **{f"services {order}": WALKS[place] for place, order in enumerate(ORDERS)}}


async def page(api: Api, walk: Walk, arguments: str, selection: str) -> dict[str, Any]:
    """One page, found in the answer wherever it is."""
    found = await api.data(walk.document(arguments, selection))
    name = walk.field.partition(".")[2]
    while name not in found:
        (found,) = found["nodes"] if "nodes" in found else found.values()
    connection: dict[str, Any] = found[name]
    return connection


async def paged(api: Api, walk: Walk, size: int, between: Callable[[], Awaitable[None]] | None = None) -> list[str]:
    """The names of all nodes, forward a page at a time; `between` is done after the first page."""
    seen: list[str] = []
    after = ""
    for _ in range(50):
        found = await page(api, walk, f"first: {size}{after}", f"{ENDS} nodes {{ {walk.name} }}")
        seen += [node[walk.name] for node in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            return seen
        if between and not after:
            await between()
        after = f', after: "{found["pageInfo"]["endCursor"]}"'
    raise AssertionError("the pages do not end")


async def paged_back(api: Api, walk: Walk, size: int) -> list[str]:
    """The names of all nodes, backward a page at a time."""
    seen: list[str] = []
    before = ""
    for _ in range(50):
        found = await page(api, walk, f"last: {size}{before}", f"{ENDS} nodes {{ {walk.name} }}")
        seen = [node[walk.name] for node in found["nodes"]] + seen
        if not found["pageInfo"]["hasPreviousPage"]:
            return seen
        before = f', before: "{found["pageInfo"]["startCursor"]}"'
    raise AssertionError("the pages do not end")


@pytest.fixture
async def full(api: Api) -> Api:
    """A platform on which every connection has a handful of nodes."""
    await fill(api)
    return api


def test_every_connection_of_the_schema_is_walked_here() -> None:
    """A connection that is added comes with a walk."""
    types = build_schema(Settings())._schema.type_map.values()
    connections = {
        f"{kind.name}.{name}"
        for kind in types
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    assert {walk.field for walk in WALKS} == connections


async def test_pages_visit_every_node_once_and_in_order(full: Api) -> None:
    """With any size of page, forward and, where the connection takes it, backward."""
    for walk in WALKS:
        everything = await page(full, walk, "first: 200", f"totalCount nodes {{ {walk.name} }}")
        names = [node[walk.name] for node in everything["nodes"]]
        assert len(set(names)) == len(names) == everything["totalCount"] >= NODES, walk
        for size in (1, NODES, 200):
            assert await paged(full, walk, size) == names, walk
            assert not walk.backwards or await paged_back(full, walk, size) == names, walk


async def test_edges_carry_the_cursors_of_the_page(full: Api) -> None:
    """The first and the last edge's are the page's own; each edge holds the node of its place."""
    for walk in WALKS:
        found = await page(full, walk, "first: 3", f"{ENDS} nodes {{ id }} edges {{ cursor node {{ id }} }}")
        cursors = [edge["cursor"] for edge in found["edges"]]
        assert len(set(cursors)) == 3, walk
        assert (found["pageInfo"]["startCursor"], found["pageInfo"]["endCursor"]) == (cursors[0], cursors[2])
        assert [edge["node"] for edge in found["edges"]] == found["nodes"]
        third = await page(full, walk, f'first: 1, after: "{cursors[1]}"', f"{ENDS} nodes {{ id }}")
        assert (third["nodes"], third["pageInfo"]["endCursor"]) == (found["nodes"][2:], cursors[2])
        assert (found["pageInfo"]["hasPreviousPage"], third["pageInfo"]["hasPreviousPage"]) == (False, True)


async def test_a_page_of_none_still_counts(full: Api) -> None:
    """`first: 0` gives no node and no cursor, the total, and whether there is more."""
    for walk in WALKS:
        nothing = await page(full, walk, "first: 0", f"totalCount nodes {{ id }} edges {{ cursor }} {ENDS}")
        assert (nothing["nodes"], nothing["edges"]) == ([], []), walk
        assert nothing["pageInfo"] == {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        }
        assert nothing["totalCount"] == (await page(full, walk, "", "totalCount"))["totalCount"]


async def test_an_explicit_null_equals_leaving_out(full: Api) -> None:
    """For every argument of paging."""
    for walk in WALKS:
        nulls = "first: null, after: null" + (", last: null, before: null" if walk.backwards else "")
        assert await page(full, walk, nulls, "nodes { id }") == await page(full, walk, "", "nodes { id }"), walk


async def test_what_is_inserted_meanwhile_neither_repeats_nor_hides_anything(full: Api) -> None:
    """Services are added before and behind the page that was read; those that were there come once and in order."""
    for place, order in enumerate(ORDERS):
        walk = LISTS[f"services {order}"]
        before = await paged(full, walk, 200)

        async def insert(number: int = place) -> None:
            for name, tier in ((f"aaa-{number}", 1), (f"zzz-{number}", 4)):
                await full.do("saveService", name=name, tier=tier)

        found = await paged(full, walk, 3, insert)
        assert [name for name in found if name in before] == before, walk
        assert len(set(found)) == len(found)


async def test_both_ends_of_a_range_can_be_given(full: Api) -> None:
    """`after` and `before` together, from either side."""
    everything = await full.data("{ services { edges { cursor node { name } } } }")
    edges = everything["services"]["edges"]
    inner = [edge["node"]["name"] for edge in edges[1:-1]]
    bounds = f'after: "{edges[0]["cursor"]}", before: "{edges[-1]["cursor"]}"'
    for size, expected in (
        ("first: 200", inner),
        ("last: 200", inner),
        ("first: 2", inner[:2]),
        ("last: 2", inner[-2:]),
    ):
        data = await full.data(f"{{ services({size}, {bounds}) {{ nodes {{ name }} }} }}")
        assert [node["name"] for node in data["services"]["nodes"]] == expected


@pytest.mark.parametrize(
    ("arguments", "said", "field"),
    [
        ("first: 201", "first is 201; it takes 0 to 200", "first"),
        ("first: -1", "first is -1; it takes 0 to 200", "first"),
        ("last: 201", "last is 201; it takes 0 to 200", "last"),
        ("last: -1", "last is -1; it takes 0 to 200", "last"),
        ("first: 1, last: 1", "first and last cannot be combined; ask for one of them", "last"),
        ("first: 0, last: 0", "first and last cannot be combined; ask for one of them", "last"),
    ],
)
async def test_sizes_are_checked_and_never_clamped(api: Api, arguments: str, said: str, field: str) -> None:
    """BAD_INPUT that names the argument."""
    (error,) = (await api.send(f"{{ services({arguments}) {{ totalCount }} }}"))["errors"]
    assert (error["message"], error["path"]) == (said, ["services"])
    assert error["extensions"] == {**BAD_INPUT, "field": [field]}


async def test_a_size_above_200_is_refused_by_every_connection(full: Api) -> None:
    """200 are given, 201 are not."""
    for walk in WALKS:
        await page(full, walk, "first: 200", "nodes { id }")
        answer = await full.send(walk.document("first: 201", "nodes { id }"))
        assert answer["errors"][0]["extensions"] == {**BAD_INPUT, "field": ["first"]}, walk


async def test_cursors_that_are_none_of_its_own_are_refused(full: Api) -> None:
    """Malformed ones, and those of another list, which would silently begin somewhere else."""
    for walk in WALKS:
        foreign = write_cursor("teams" if walk.field != "Query.teams" else "users", ("platform",))
        for cursor in (*MALFORMED, foreign):
            for argument in ("after", "before") if walk.backwards else ("after",):
                answer = await full.send(walk.document(f'{argument}: "{cursor}"', "nodes { id }"))
                expected = {**BAD_INPUT, "field": [argument]}
                assert answer["errors"][0]["extensions"] == expected, (walk, cursor)


async def test_a_cursor_of_another_order_is_refused(full: Api) -> None:
    """The place of a service among names says nothing about its place among costs."""
    for order in ORDERS:
        data = await full.data(f"{{ services(first: 1, orderBy: {order}) {{ pageInfo {{ endCursor }} }} }}")
        cursor = data["services"]["pageInfo"]["endCursor"]
        for other in set(ORDERS) - {order}:
            answer = await full.send(f'{{ services(orderBy: {other}, after: "{cursor}") {{ nodes {{ id }} }} }}')
            assert answer["errors"][0]["message"] == "after is a cursor of another list"


NOON, SOME_ID = "2024-03-15T12:00:00Z", "018e41fb-ba00-7bc9-b383-621563c4bcb5"
FORGED: list[tuple[str, Key]] = [
    ("services NAME", (None,)),
    ("services NAME", (5,)),
    ("services NAME", ("a", "b")),
    ("services NAME", ("a\0b",)),
    ("services TIER", ("1", "a")),
    ("services TIER", (True, "a")),
    ("services TIER", (1.5, "a")),
    ("services TIER", (2**31, "a")),
    ("services TIER", (10**400, "a")),
    ("services HEALTH_WORST_FIRST", (-(2**63) - 1, "a")),
    ("services COST_HIGHEST_FIRST", ("1", "a")),
    ("services COST_HIGHEST_FIRST", (10**400, "a")),
    ("services COST_HIGHEST_FIRST", (float("nan"), "a")),
    ("services COST_HIGHEST_FIRST", (float("inf"), "a")),
    ("deployments", ("yesterday", SOME_ID)),
    ("deployments", ("2024-03-15T12:00:00", SOME_ID)),
    ("deployments", ("0001-01-01T00:00:00+14:00", SOME_ID)),
    ("deployments", (NOON, "not an id")),
    ("deployments", (NOON, 7)),
]


@pytest.mark.parametrize(("order", "key"), FORGED, ids=lambda value: str(value)[:40])
async def test_a_forged_cursor_is_refused_before_a_database_sees_it(api: Api, order: str, key: Key) -> None:
    """Of the right list, with values that no row has: no type, no range and no text of it reaches SQL."""
    await api.do("saveService", name="hub")
    (error,) = (await api.send(LISTS[order].document(f'after: "{write_cursor(order, key)}"', "nodes { id }")))["errors"]
    assert error["extensions"] == {**BAD_INPUT, "field": ["after"]}
    assert error["message"] == "after is not a cursor that opsgraph made"


async def test_a_lone_surrogate_in_a_cursor_is_refused(api: Api) -> None:
    """JSON can spell what no database can store."""
    cursor = base64.urlsafe_b64encode(rb'["services NAME","\ud800"]').decode().rstrip("=")
    (error,) = (await api.send(f'{{ services(after: "{cursor}") {{ nodes {{ id }} }} }}'))["errors"]
    assert error["extensions"] == {**BAD_INPUT, "field": ["after"]}
