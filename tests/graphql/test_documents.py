"""Documents that are remembered: never mixed up, and never more of them than fit."""

import asyncio
from typing import Any

import pytest
from graphql import GraphQLError

from opsgraph.graphql.documents import Documents
from opsgraph.graphql.schema import build_schema
from opsgraph.settings import Settings
from tests.support.api import Api

SCHEMA = build_schema(Settings())._schema
NAMED = "query A($name: String!, $more: Boolean = false) { team(name: $name) { name title @include(if: $more) } }"


@pytest.fixture
def documents() -> Documents:
    """An empty memory."""
    return Documents(Settings())


def query(number: int, length: int = 0) -> str:
    """A document that no other number gives, of at least that length."""
    return f"{{ viewer {{ a{number}: name }} }}".ljust(length)


async def test_one_document_with_other_variables_gives_other_answers(api: Api) -> None:
    """In turn and at once, with defaults and directives."""
    names = [f"team-{number}" for number in range(8)]
    for name in names:
        await api.do("saveTeam", name=name, title=name.upper())

    async def ask(name: str, **variables: Any) -> Any:
        return (await api.data(NAMED, name=name, **variables))["team"]

    assert await asyncio.gather(*(ask(name) for name in names * 3)) == [{"name": name} for name in names * 3]
    assert await ask("team-1", more=True) == {"name": "team-1", "title": "TEAM-1"}
    assert await ask("team-2", more=False) == {"name": "team-2"}
    assert await ask("team-3") == {"name": "team-3"}


async def test_one_document_runs_the_operation_that_is_named(api: Api) -> None:
    """Whichever was run before; without a name it is refused each time."""
    document = "query A { viewer { name } } query B { services { totalCount } }"
    expected = {"A": {"viewer": {"name": "local"}}, "B": {"services": {"totalCount": 0}}}
    for name in ("A", "B", "B", "A"):
        response = await api.http.post("/graphql", json={"query": document, "operationName": name})
        assert response.json() == {"data": expected[name]}
        assert "name the one to run" in (await api.send(document))["errors"][0]["message"]


async def test_errors_of_validation_are_the_same_each_time(api: Api) -> None:
    """A remembered document keeps what was found wrong with it."""
    first = await api.send("{ nothing viewer { less } }")
    assert [error["message"] for error in first["errors"]] == [
        "Cannot query field 'nothing' on type 'Query'.",
        "Cannot query field 'less' on type 'Viewer'.",
    ]
    assert await api.send("{ nothing viewer { less } }") == first


def test_a_text_is_prepared_once(documents: Documents) -> None:
    """The same text gives the same document; one that differs in a space does not."""
    first = documents.prepare(query(1), SCHEMA)
    assert documents.prepare(query(1), SCHEMA) is first
    assert documents.prepare(query(1) + " ", SCHEMA) is not first
    assert first.errors == []


def test_what_cannot_be_prepared_is_not_remembered(documents: Documents) -> None:
    """A syntax error or a limit is found anew each time."""
    for text in ("{", "{ " + "viewer { " * 21 + "name" + " }" * 22):
        for _ in range(2):
            with pytest.raises(GraphQLError):
                documents.prepare(text, SCHEMA)


def test_the_least_recently_used_is_forgotten_first(documents: Documents) -> None:
    """Five hundred documents are remembered, whatever else is asked in between."""
    old, used = documents.prepare(query(0), SCHEMA), documents.prepare(query(1), SCHEMA)
    for number in range(2, 501):
        documents.prepare(query(number), SCHEMA)
        assert documents.prepare(query(1), SCHEMA) is used
    assert documents.prepare(query(0), SCHEMA) is not old


def test_long_documents_do_not_fill_the_memory(documents: Documents) -> None:
    """All texts together have a bound, and one that is very long is not remembered at all."""
    first = documents.prepare(query(0, 19_000), SCHEMA)
    latest = [documents.prepare(query(number, 19_000), SCHEMA) for number in range(1, 30)]
    assert documents.prepare(query(0, 19_000), SCHEMA) is not first
    assert documents.prepare(query(29, 19_000), SCHEMA) is latest[-1]
    very_long = documents.prepare(query(0, 20_001), SCHEMA)
    assert documents.prepare(query(0, 20_001), SCHEMA) is not very_long
