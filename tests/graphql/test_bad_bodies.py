"""Bodies that no client of ours would send: each gets an answer that names the fault, and nothing is done."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from tests.support.api import RESPONSE_JSON, Api
from tests.support.contents import unchanged

MIB = 1_048_576
SAVE = 'mutation { saveTeam(input: {name: "platform"}) { __typename } }'
JSON_HEADERS = {"content-type": "application/json", "accept": RESPONSE_JSON}


async def refused(api: Api, body: bytes, status: int = 400, code: str = "BAD_INPUT") -> str:
    """Send a body that must be refused and write nothing; gives the message."""
    async with unchanged(api.core.database):
        response = await api.http.post("/graphql", content=body, headers=JSON_HEADERS)
    assert response.status_code == status, response.text
    error, *others = response.json()["errors"]
    assert (error["extensions"]["code"], others) == (code, [])
    assert "data" not in response.json()
    message: str = error["message"]
    return message


def saving(variables: str) -> bytes:
    """A body whose variables are this JSON text."""
    document = "mutation ($input: SaveTeamInput!) { saveTeam(input: $input) { __typename } }"
    return b'{"query":' + orjson.dumps(document) + b',"variables":' + variables.encode() + b"}"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"query": "{ viewer { name } }",}', "line 1, column 32"),
        (b"{'query': '{ viewer { name } }'}", "line 1, column 2"),
        (b'{"query": "{ viewer { name } }"} x', "line 1, column 34"),
        (b'{\n  "query": nothing\n}', "line 2, column 12"),
        (b"query={viewer{name}}", "line 1, column 1"),
        (b'\xef\xbb\xbf{"query": "{ viewer { name } }"}', "line 1, column 1"),
    ],
    ids=["empty", "cut", "comma", "quotes", "more", "word", "form", "byte order mark"],
)
async def test_malformed_json_is_refused_with_its_place(api: Api, body: bytes, place: str) -> None:
    """400 that names line and column."""
    message = await refused(api, body)
    assert message.startswith("the body is not JSON: ")
    assert place in message


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ viewer { name } } \xff"}',
        b'{"query": "{ viewer { name } } \xed\xa0\x80"}',
        b'{"query": "{ viewer { name } } \xc0\xaf"}',
        b'{"query": "{ viewer { name } } \xe2\x82"}',
        '{"query": "{ viewer { name } }"}'.encode("utf-16"),
    ],
    ids=["byte", "surrogate", "overlong", "cut", "utf-16"],
)
async def test_invalid_utf8_is_refused(api: Api, body: bytes) -> None:
    """No byte is guessed at or replaced."""
    assert (await refused(api, body)).startswith("the body is not JSON: ")


@pytest.mark.parametrize("text", [r"\ud800", r"\udc00", r"\ud83d x", r"\udc00\ud800"])
async def test_lone_surrogates_are_refused(api: Api, text: str) -> None:
    """As an escape in the JSON, and as an escape in a GraphQL text."""
    assert "surrogate" in await refused(api, saving(f'{{"input": {{"name": "{text}"}}}}'))
    literal = SAVE.replace("platform", text)
    assert "Invalid Unicode escape sequence" in await refused(api, orjson.dumps({"query": literal}))


@pytest.mark.parametrize("body", [b'"{ viewer { name } }"', b"1", b"null", b"true", b"[]"])
async def test_a_body_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    """A JSON text, too, is not a query."""
    assert "the body is a JSON object with the member query" in await refused(api, body)


async def test_a_batch_is_refused(api: Api) -> None:
    """An array of requests is not served, and none of them is run."""
    assert "batches are not served" in await refused(api, orjson.dumps([{"query": SAVE}, {"query": SAVE}]))


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("query", None, "query is a non-empty string"),
        ("query", " \n", "query is a non-empty string"),
        ("query", ["{ viewer { name } }"], "query is a non-empty string"),
        ("operationName", 1, "operationName is a string or null"),
        ("variables", [], "variables is an object or null"),
        ("variables", "{}", "variables is an object or null"),
        ("extensions", "{}", "extensions is an object or null"),
    ],
)
async def test_a_member_of_the_wrong_type_is_named(api: Api, member: str, value: Any, said: str) -> None:
    """The four members of a request, each with the type that it takes."""
    assert await refused(api, orjson.dumps({"query": SAVE, member: value})) == said


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"query": "{ viewer { name } }", "query": "{ teams { totalCount } }"}', '"query"'),
        (saving('{"input": {"name": "platform", "title": "a", "name": "other"}}'), '"name"'),
        (saving(r'{"input": {"name": "platform", "n\u0061me": "platform"}}'), '"name"'),
    ],
    ids=["top", "inside", "escaped"],
)
async def test_a_key_given_twice_is_refused(api: Api, body: bytes, key: str) -> None:
    """Which of the two was meant, only the client knows."""
    assert await refused(api, body) == f"the body has the key {key} twice in one object"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "01", "+1", "0x1", ".5", "1."])
async def test_numbers_that_json_does_not_have_are_refused(api: Api, number: str) -> None:
    """Neither NaN nor infinities, not even as an exponent that no double can hold."""
    assert "the body is not JSON" in await refused(api, saving(f'{{"input": {{"name": {number}}}}}'))


@pytest.mark.parametrize("depth", [200, 999, 1_010, 5_000, 100_000])
async def test_json_that_is_nested_deeply_is_refused(api: Api, depth: int) -> None:
    """Up to the limit of the parser by the types of the schema, beyond it by the parser itself."""
    await refused(api, saving('{"input": {"name": ' + "[" * depth + "]" * depth + "}}"))


async def test_a_body_of_5_mib_is_refused_with_an_answer_that_can_be_read(api: Api) -> None:
    """413 that names the limit, from a server that has read on so that the sender is not cut off."""
    message = await refused(api, saving(f'{{"input": {{"name": "{"x" * 5 * MIB}"}}}}'), 413, "LIMIT_EXCEEDED")
    assert message == "the body is larger than 1,048,576 bytes"


async def test_a_body_within_the_limit_is_read_to_its_last_byte(api: Api) -> None:
    """1 MiB exactly is served, one byte more is not."""
    query = b'{"query": "{ viewer { name } }"}'
    full = await api.http.post("/graphql", content=query.ljust(MIB), headers=JSON_HEADERS)
    assert (full.status_code, full.json()["data"]) == (200, {"viewer": {"name": "local"}})
    await refused(api, query.ljust(MIB + 1), 413, "LIMIT_EXCEEDED")


async def test_a_long_body_in_pieces_without_a_length_is_refused_as_well(api: Api) -> None:
    """Chunked transfer does not get around the limit."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    response: httpx.Response = await api.http.post("/graphql", content=pieces(), headers=JSON_HEADERS)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["maximum"]) == (413, MIB)


async def test_several_operations_without_a_name_run_none(api: Api) -> None:
    """The first of them is not taken for granted."""
    document = f"{SAVE.replace('mutation', 'mutation A')} query B {{ viewer {{ name }} }}"
    for request in ({"query": document}, {"query": document, "operationName": ""}):
        message = await refused(api, orjson.dumps(request))
        assert message == "the document has 2 operations; name the one to run in operationName"


async def test_an_operation_that_is_not_in_the_document_is_named(api: Api) -> None:
    """Nor is another one run instead."""
    message = await refused(api, orjson.dumps({"query": SAVE, "operationName": "Nobody"}))
    assert 'Unknown operation named "Nobody"' in message


async def test_a_document_without_operations_is_refused(api: Api) -> None:
    """Only fragments, only comments, only definitions of types."""
    await refused(api, orjson.dumps({"query": "fragment F on Query { viewer { name } }"}))
    assert "Syntax Error" in await refused(api, orjson.dumps({"query": "# nothing"}))
    assert "not executable" in await refused(
        api, orjson.dumps({"query": "type T { a: Int } query { viewer { name } }"})
    )
