"""GraphQL over HTTP: methods, media types, status codes, and requests from pages of other sites."""

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from opsgraph.graphql.media_types import PLAIN_JSON, RESPONSE_JSON, negotiated
from opsgraph.settings import Settings
from tests.support.api import Api, running
from tests.support.clock import TestClock
from tests.support.contents import unchanged

WHO = {"query": "{ viewer { name } }"}
SAVE = 'mutation { saveTeam(input: {name: "platform"}) { __typename } }'
PAGE = "https://pages.example"


async def post(api: Api, body: Any, **headers: str) -> httpx.Response:
    """Post a JSON body."""
    return await api.http.post("/graphql", json=body, headers=headers)


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, PLAIN_JSON),
        ("", PLAIN_JSON),
        ("application/json", PLAIN_JSON),
        ("APPLICATION/JSON; Charset=utf-8", PLAIN_JSON),
        ("application/graphql-response+json", RESPONSE_JSON),
        ("*/*", PLAIN_JSON),
        ("application/*", PLAIN_JSON),
        ("application/json, application/graphql-response+json", PLAIN_JSON),
        ("application/graphql-response+json, application/json", RESPONSE_JSON),
        ("application/json;q=0.5, application/graphql-response+json;q=0.9", RESPONSE_JSON),
        ("application/graphql-response+json; q=0.2, application/json", PLAIN_JSON),
        ("application/json, text/plain, */*", PLAIN_JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", PLAIN_JSON),
        ("*/*;q=0.5, application/graphql-response+json", RESPONSE_JSON),
        ("*/*, application/json;q=0", RESPONSE_JSON),
        ("*/*, application/json;q=0, application/graphql-response+json;q=0.1", RESPONSE_JSON),
        ("application/graphql-response+json;q=0, */*", PLAIN_JSON),
        ("application/json;q=nonsense", PLAIN_JSON),
        ("application/json;q=7", PLAIN_JSON),
        ("text/html", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        (",;,", None),
    ],
)
def test_accept_decides_the_media_type_of_the_answer(accept: str | None, answered: str | None) -> None:
    """The higher quality wins, then what is named first; a quality of 0 refuses."""
    assert negotiated(accept) == answered


@pytest.mark.parametrize("media_type", [PLAIN_JSON, RESPONSE_JSON])
async def test_the_answer_says_its_media_type_and_charset(api: Api, media_type: str) -> None:
    """What was asked for comes back, in UTF-8."""
    response = await post(api, WHO, accept=media_type)
    assert (response.status_code, response.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
    assert response.json() == {"data": {"viewer": {"name": "local"}}}


async def test_a_client_that_takes_neither_media_type_is_told_which_there_are(api: Api) -> None:
    """406 that names both."""
    response = await post(api, WHO, accept="text/html")
    assert response.status_code == 406
    assert PLAIN_JSON in response.text
    assert RESPONSE_JSON in response.text


@pytest.mark.parametrize(
    "charset", ["", "; charset=utf-8", ';charset="UTF-8"', "; Charset=utf8", "; v=1; charset=utf-8"]
)
async def test_a_body_of_json_in_utf8_is_read(api: Api, charset: str) -> None:
    """With and without a charset, however it is spelt."""
    headers = {"content-type": PLAIN_JSON + charset}
    response = await api.http.post("/graphql", content=orjson.dumps(WHO), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin-1",
        "application/json;CHARSET=utf-16",
    ],
)
async def test_a_body_of_another_type_is_refused_unread(api: Api, content_type: str) -> None:
    """415, also for the simple types that a page of another site could send without a preflight."""
    async with unchanged(api.core.database):
        content = orjson.dumps({"query": SAVE})
        response = await api.http.post("/graphql", content=content, headers={"content-type": content_type})
    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused_with_those_that_are_served(api: Api, method: str) -> None:
    """405 with Allow."""
    response = await api.http.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_get_runs_the_named_query_with_its_variables(api: Api) -> None:
    """All parameters of the specification in the address."""
    document = "query A { viewer { name } } query B($name: String!) { team(name: $name) { name } }"
    parameters = {"query": document, "operationName": "B", "variables": '{"name": "nobody"}', "extensions": ""}
    response = await api.http.get("/graphql", params=parameters)
    assert (response.status_code, response.json()) == (200, {"data": {"team": None}})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/graphql", "query is a non-empty string"),
        ("/graphql?query=%20", "query is a non-empty string"),
        ("/graphql?query={viewer{name}}&variables={", "variables is not JSON"),
        ("/graphql?query={viewer{name}}&variables=[1]", "variables is an object or null"),
        ("/graphql?query={viewer{name}}&extensions=1", "extensions is an object or null"),
        ("/graphql?query={viewer{name}}&query={teams{totalCount}}", 'the parameter "query" twice'),
    ],
)
async def test_get_says_which_parameter_is_wrong(api: Api, address: str, said: str) -> None:
    """400 that names it."""
    response = await api.http.get(address)
    assert response.status_code == 400
    assert said in response.json()["errors"][0]["message"]


async def test_get_never_changes_anything(api: Api) -> None:
    """A mutation over GET is refused with the method that would do."""
    async with unchanged(api.core.database):
        response = await api.http.get("/graphql", params={"query": SAVE})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert "data" not in response.json()


async def test_get_runs_the_query_of_a_document_that_also_holds_a_mutation(api: Api) -> None:
    """What counts is the operation that is named."""
    document = f"query Q {{ viewer {{ name }} }} {SAVE.replace('mutation', 'mutation M')}"
    refused = await api.http.get("/graphql", params={"query": document, "operationName": "M"})
    assert refused.status_code == 405
    response = await api.http.get("/graphql", params={"query": document, "operationName": "Q"})
    assert response.json() == {"data": {"viewer": {"name": "local"}}}


@pytest.mark.parametrize(("media_type", "status"), [(RESPONSE_JSON, 400), (PLAIN_JSON, 200)])
@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ viewer { name }"},
        {"query": "{ nothing }"},
        {"query": "query ($n: Int!) { services(first: $n) { totalCount } }"},
        {"query": "query ($n: Int!) { services(first: $n) { totalCount } }", "variables": {"n": "many"}},
        {"query": "{" + "a { " * 30 + "b" + " }" * 31},
    ],
    ids=["syntax", "validation", "missing variable", "wrong variable", "limit"],
)
async def test_what_could_not_be_executed_has_no_data(
    api: Api, body: dict[str, Any], media_type: str, status: int
) -> None:
    """400 under the specification's media type, 200 under the older one; never a member `data`."""
    response = await post(api, body, accept=media_type)
    assert response.status_code == status
    assert response.json().keys() == {"errors"}


@pytest.mark.parametrize("media_type", [RESPONSE_JSON, PLAIN_JSON])
@pytest.mark.parametrize(
    ("query", "data"),
    [
        ('{ viewer { name } node(id: "x") { id } }', {"viewer": {"name": "local"}, "node": None}),
        ("{ services(first: -1) { totalCount } }", None),
    ],
    ids=["part of it", "all of it"],
)
async def test_what_failed_while_it_was_executed_has_data(
    api: Api, query: str, data: dict[str, Any] | None, media_type: str
) -> None:
    """200 under both media types, with whatever there is."""
    response = await post(api, {"query": query}, accept=media_type)
    assert response.status_code == 200
    assert response.json()["data"] == data
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize("origin", [PAGE, "null", "http://opsgraph.test.evil.example", "http://opsgraph.test:81", "x"])
async def test_a_page_of_another_site_is_refused(api: Api, origin: str) -> None:
    """403 before anything is read, so that it cannot use its visitor's access."""
    async with unchanged(api.core.database):
        response = await post(api, {"query": SAVE}, origin=origin)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers
    got = await api.http.get("/graphql", params=WHO, headers={"origin": origin})
    assert got.status_code == 403


@pytest.mark.parametrize("origin", ["http://opsgraph.test", "https://opsgraph.test"])
async def test_a_page_of_the_same_site_is_served(api: Api, origin: str) -> None:
    """The built-in pages, also behind a proxy that ends TLS."""
    assert (await post(api, WHO, origin=origin)).status_code == 200


async def test_a_page_of_a_configured_origin_is_served(settings: Settings, clock: TestClock) -> None:
    """It passes the preflight and may read the answer; others still may not."""
    async with running(replace(settings, cors_origins=f" {PAGE}, https://other.example "), clock) as api:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        preflight = await api.http.options("/graphql", headers={"origin": PAGE, **asked})
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "POST" in preflight.headers["access-control-allow-methods"]
        response = await post(api, WHO, origin=PAGE)
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, PAGE)
        stranger = await post(api, WHO, origin="https://evil.example")
        assert stranger.status_code == 403
        assert "access-control-allow-origin" not in stranger.headers
        asking = await api.http.options("/graphql", headers={"origin": "https://evil.example", **asked})
        assert "access-control-allow-origin" not in asking.headers


async def test_long_answers_are_compressed_for_those_who_take_it(api: Api) -> None:
    """gzip on request, above 2,000 bytes."""
    long = {"query": "{ __schema { types { name description } } }"}
    plain = await post(api, long, **{"accept-encoding": "identity"})
    packed = await post(api, long, **{"accept-encoding": "gzip"})
    short = await post(api, WHO, **{"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in short.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.json() == plain.json()


@pytest.mark.parametrize("body", [WHO, {"query": "{"}, []])
async def test_every_answer_carries_its_id_and_security_headers(api: Api, body: Any) -> None:
    """Good answers and bad ones."""
    response = await post(api, body, **{"x-request-id": "trace-7"})
    assert response.headers["x-request-id"] == "trace-7"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert len((await post(api, body)).headers["x-request-id"]) == 32
