"""What one operation may ask for: depth, aliases, directives, tokens and cost, each refused by name and number."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from opsgraph.graphql.complexity import Estimate
from opsgraph.graphql.schema import build_schema
from opsgraph.settings import Settings
from tests.support.api import Api, running
from tests.support.clock import TestClock

SCHEMA = build_schema(Settings())._schema


def cost(document: str, name: str | None = None, **variables: Any) -> int:
    """What a document is estimated to ask for."""
    return Estimate(SCHEMA, parse(document), variables).of_operation(name)


@pytest.fixture
async def small(settings: Settings, clock: TestClock) -> AsyncIterator[Api]:
    """The application with small limits."""
    limits = replace(settings, max_depth=3, max_aliases=2, max_directives=1, max_tokens=40, max_cost=100)
    async with running(limits, clock) as started:
        yield started


@pytest.mark.parametrize(
    ("document", "limit", "maximum", "value"),
    [
        ("{ services { nodes { team { name } } } }", "levels of depth", 3, 4),
        ("{ a: viewer { b: name c: name } }", "aliases", 2, 3),
        ("{ viewer @include(if: true) { name @skip(if: false) } }", "directives", 1, 2),
        ("query @include(if: true) { viewer { name @skip(if: false) } }", "directives", 1, 2),
        ("{ viewer { " + "name " * 40 + "} }", "tokens", 40, None),
        ("#\n" * 41 + "{ viewer { name } }", "tokens", 40, None),
        ("{ services(first: 100) { nodes { name } } }", "cost", 100, 101),
    ],
)
async def test_each_limit_is_a_setting_and_is_named_with_its_value(
    small: Api, document: str, limit: str, maximum: int, value: int | None
) -> None:
    """A message for people, and the same for programs; what is given up before the end has no value."""
    answer = await small.send(document)
    assert answer.keys() == {"errors"}
    (error,) = answer["errors"]
    found = "more" if value is None else value
    assert error["message"] == f"the operation exceeds the limit of {maximum} {limit}: it has {found}"
    expected = {"code": "LIMIT_EXCEEDED", "limit": limit, "maximum": maximum, "value": value}
    assert error["extensions"] == expected


@pytest.mark.parametrize(
    "document",
    [
        "{ services { nodes { name } } }",
        "{ ...F } fragment F on Query { ... { services { ...G } } } fragment G on ServiceConnection { nodes { name } }",
        "{ a: viewer { b: name } }",
        "{ viewer { name @skip(if: false) } }",
        "{ services(first: 99) { nodes { name } } }",
    ],
)
async def test_what_reaches_a_limit_exactly_is_served(small: Api, document: str) -> None:
    """Fragments are no level of their own."""
    assert "errors" not in await small.send(document)


async def test_depth_counts_through_fragments(small: Api) -> None:
    """Spreading a document over fragments does not make it shallower."""
    document = "{ services { nodes { ...S } } } fragment S on Service { team { ...T } } fragment T on Team { name }"
    (error,) = (await small.send(document))["errors"]
    assert (error["extensions"]["limit"], error["extensions"]["value"]) == ("levels of depth", 4)


async def test_a_limit_holds_for_a_document_that_was_refused_before(small: Api) -> None:
    """What is remembered of a document does not let it pass the second time."""
    for _ in range(2):
        assert (await small.send("{ services { nodes { team { name } } } }"))["errors"]


async def test_introspection_is_exempt_from_depth(settings: Settings, clock: TestClock) -> None:
    """The query that every tool sends passes whatever the depth; the library bounds how often it may go round."""
    async with running(replace(settings, max_depth=3), clock) as api:
        data = await api.data(get_introspection_query())
        assert data["__schema"]["queryType"]["name"] == "Query"
        around = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
        (error,) = (await api.send(around))["errors"]
        assert error["message"] == "Maximum introspection depth exceeded"


async def test_introspection_and_suggestions_are_off_by_one_setting(settings: Settings, clock: TestClock) -> None:
    """Neither the schema nor the names in it can be asked or guessed; `__typename` stays."""
    async with running(replace(settings, introspection="off"), clock) as api:
        for document in ("{ __schema { types { name } } }", '{ __type(name: "Service") { name } }'):
            answer = await api.send(document)
            assert answer.keys() == {"errors"}
            assert "introspection has been disabled" in answer["errors"][0]["message"]
        assert await api.data("{ __typename viewer { __typename } }") == {
            "__typename": "Query",
            "viewer": {"__typename": "Viewer"},
        }
        for document in (
            "{ viewer { nam } }",
            "{ service(nam: 1) { name } }",
            "{ services(orderBy: NAM) { totalCount } }",
        ):
            messages = [error["message"] for error in (await api.send(document))["errors"]]
            assert not any("Did you mean" in message for message in messages)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ viewer { name } }", 1),
        ("{ services { totalCount } }", 1),
        ("{ services { pageInfo { endCursor } totalCount } }", 1),
        ("{ services { nodes { name tags } } }", 1 + 50 * 1),
        ("{ services(first: 0) { nodes { name } } }", 1),
        ("{ services(last: 7) { nodes { name } } }", 1 + 7),
        ("{ services(first: 7) { edges { cursor node { name } } } }", 1 + 7 * 2),
        ("{ services(first: 10) { nodes { team { name } cost { latest } } } }", 1 + 10 * 3),
        ("{ services(first: 10) { nodes { slos { totalCount } } } }", 1 + 10 * 2),
        ("{ services(first: 10) { nodes { slos(first: 20) { nodes { name } } } } }", 1 + 10 * (1 + 1 + 20)),
        ("{ services(first: 10) { ...F } } fragment F on ServiceConnection { nodes { name } }", 1 + 10),
        ("{ services(first: 10) { ... { nodes { name } } } }", 1 + 10),
        ("{ services(first: 10) { ... on ServiceConnection { totalCount } } }", 1),
        ("query ($n: Int) { services(first: $n) { nodes { name } } }", 1 + 50),
        ("query ($n: Int = 30) { services(first: $n) { nodes { name } } }", 1 + 30),
        ("{ a: services(first: 5) { nodes { name } } b: services(first: 6) { nodes { name } } }", 1 + 5 + 1 + 6),
        ('{ node(id: "x") { id ... on Team { services(first: 9) { nodes { name } } } } }', 1 + 1 + 9),
        ("{ platformReport { services { name } } }", 1 + 500),
        ("{ platformReport { services(first: 3) { service { name } } } }", 1 + 3 * 2),
        ("{ __schema { types { name } } }", 0),
    ],
)
def test_the_cost_is_objects_times_page_sizes(document: str, expected: int) -> None:
    """Counted before anything is loaded."""
    assert cost(document) == expected


def test_an_enormous_cost_is_counted_without_effort() -> None:
    """However deep, up to a ceiling beyond which nobody needs to know how much more it is."""
    inner = "nodes { name }"
    for _ in range(9):
        inner = f"nodes {{ dependents(first: 200) {{ {inner} }} }}"
    assert cost(f"{{ services(first: 200) {{ {inner} }} }}") == 10**12


def test_the_cost_follows_the_variables() -> None:
    """Given ones beat defaults, null means the default page, and a whole number may come as 200.0."""
    document = "query ($n: Int = 30) { services(first: $n) { nodes { name } } }"
    assert [cost(document, n=n) for n in (5, 0, None, 200, 200.0)] == [6, 1, 51, 201, 201]


def test_the_cost_is_that_of_the_named_operation() -> None:
    """Others in the document cost nothing."""
    document = "query A { viewer { name } } query B { services { nodes { name } } }"
    assert (cost(document, "A"), cost(document, "B")) == (1, 51)


async def test_an_operation_that_costs_too_much_loads_nothing(api: Api) -> None:
    """The default limit of 50,000, by variables."""
    nested = "dependencies(first: $n) { nodes { slos { totalCount } } }"
    document = f"query ($n: Int) {{ services(first: $n) {{ nodes {{ {nested} }} }} }}"
    answer = await api.send(document, {"n": 200})
    assert answer["errors"][0]["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "cost",
        "maximum": 50_000,
        "value": 1 + 200 * (1 + 1 + 200 * 2),
    }
    assert "errors" not in await api.send(document, {"n": 100})
