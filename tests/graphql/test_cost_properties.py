"""Whatever an operation asks for, its cost is estimated at no less than the objects that it gets."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsgraph.graphql.complexity import Estimate
from opsgraph.graphql.schema import build_schema
from opsgraph.settings import Settings
from tests.support.api import Api
from tests.support.scale import scaled

SCHEMA = build_schema(Settings())._schema
DEEPEST = 4
OBJECTS = {
    "Service": ["team:Team", "health", "cost", "governance", "reliability"],
    "Team": [],
    "Slo": ["service:Service"],
    "Deployment": ["service:Service"],
}
CONNECTIONS = {
    "Service": ["slos:Slo", "deployments:Deployment", "dependencies:Service", "dependents:Service"],
    "Team": ["services:Service"],
    "Slo": [],
    "Deployment": [],
}
SIZES = st.sampled_from(["", "(first: 0)", "(first: 1)", "(first: 3)", "(first: $n)", "(first: $n, after: null)"])
SHAPES = ["nodes {{ {0} }}", "edges {{ cursor node {{ {0} }} }}", "pageInfo {{ endCursor }}", "totalCount"]


@st.composite
def selections(draw: st.DrawFn, kind: str, depth: int = 1) -> str:
    """What is selected of an object: itself, and some of its relations unless it stands deep already."""
    parts = ["id"]
    if depth < DEEPEST:
        for name in draw(st.lists(st.sampled_from(OBJECTS[kind] or [""]), max_size=2, unique=True)):
            parts += [draw(related(name, depth))] if name else []
        for name in draw(st.lists(st.sampled_from(CONNECTIONS[kind] or [""]), max_size=2, unique=True)):
            parts += [draw(connected(name, depth))] if name else []
    return " ".join(parts)


@st.composite
def related(draw: st.DrawFn, field: str, depth: int) -> str:
    """One object, or a fragment that selects one."""
    name, _, kind = field.partition(":")
    inner = draw(selections(kind, depth + 1)) if kind else "__typename"
    selected = f"{name} {{ {inner} }}"
    return f"... {{ {selected} }}" if draw(st.booleans()) else selected


@st.composite
def connected(draw: st.DrawFn, field: str, depth: int) -> str:
    """A connection with a page size, and one or more of its parts."""
    name, _, kind = field.partition(":")
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, unique=True))
    inner = draw(selections(kind, depth + 1))
    return f"{name}{draw(SIZES)} {{ {' '.join(shape.format(inner) for shape in shapes)} }}"


@st.composite
def operations(draw: st.DrawFn) -> str:
    """A query with a variable for page sizes."""
    default = draw(st.sampled_from(["", " = 0", " = 2", " = null"]))
    roots = draw(st.lists(st.sampled_from(["services:Service", "teams:Team", "slos:Slo"]), min_size=1, unique=True))
    report = draw(
        st.sampled_from(["", "platformReport { services { name } }", "platformReport { services(first: $n) { name } }"])
    )
    fields = " ".join(draw(connected(root, 0)) for root in roots)
    return f"query ($n: Int{default}) {{ used: slos(first: $n) {{ totalCount }} {report} {fields} }}"


VARIABLES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}), st.fixed_dictionaries({"n": st.sampled_from([None, 0, 1, 2, 200, 3.0])})
)


def objects(value: Any) -> Iterator[Any]:
    """Every object in an answer; the few flags of `pageInfo` come with a connection and are none."""
    if isinstance(value, list):
        for member in value:
            yield from objects(member)
    if isinstance(value, dict):
        yield value
        for name, member in value.items():
            yield from objects(member) if name != "pageInfo" else ()


@pytest.fixture
async def full(api: Api) -> Api:
    """Three services of one team that depend on each other, each with three SLOs and three deployments."""
    await api.do("saveTeam", name="platform")
    names = ["a", "b", "c"]
    for name in names:
        await api.do("saveService", name=name, team="platform")
    for name in names:
        await api.do("saveService", name=name, dependsOn=[other for other in names if other != name])
        for number in range(3):
            await api.do("saveSlo", service=name, name=f"slo-{number}", target=99.9)
            await api.do("recordDeployment", service=name, version=f"1.{number}")
    return api


@given(document=operations(), variables=VARIABLES)
@settings(
    max_examples=scaled(2_500, 25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_the_cost_is_never_less_than_the_objects_of_the_answer(
    full: Api, document: str, variables: dict[str, Any]
) -> None:
    """On data that fills pages, with sizes given, by variable, by default and left out."""
    estimated = Estimate(SCHEMA, parse(document), variables).of_operation(None)
    answer = await full.send(document, variables)
    if "errors" in answer:
        assert answer["errors"][0]["extensions"] == {
            "code": "LIMIT_EXCEEDED",
            "limit": "cost",
            "maximum": 50_000,
            "value": estimated,
        }
        return
    assert estimated >= sum(1 for value in answer["data"].values() for _ in objects(value))
