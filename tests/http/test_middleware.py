"""What surrounds every request: limits, ids, headers and the answer to the unexpected."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog
import uvicorn
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from opsgraph.app import build
from opsgraph.http.authentication import Authenticator
from opsgraph.http.middleware import SECURITY_HEADERS, RequestLog
from opsgraph.kernel.actor import Actor, Role
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.api import Api, running
from tests.support.clock import TestClock
from tests.support.statements import statements

LIMIT = 1_000
WHO = {"query": "{ viewer { name } }"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    """A small limit, on the default kind of database: nothing here depends on it."""
    url = databases.copied(sqlite_template, tmp_path)
    return Settings(database_url=url, workers="off", pool_size=3, max_body_bytes=LIMIT)


@pytest.fixture
async def api(settings: Settings, clock: TestClock) -> AsyncIterator[Api]:
    """The whole application."""
    async with running(settings, clock) as started:
        yield started


def of_length(length: int) -> bytes:
    """A well-formed body of so many bytes."""
    body = orjson.dumps(WHO)
    return body + b" " * (length - len(body))


async def in_pieces(body: bytes, size: int = 100) -> AsyncIterator[bytes]:
    """A body that comes in pieces and whose length nobody says."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def sent(api: Api, content: Any, **headers: str) -> httpx.Response:
    """The answer to a body."""
    return await api.http.post("/graphql", content=content, headers={**JSON, **headers})


def too_large(response: httpx.Response) -> bool:
    """Whether an answer says that the body was too large, and closes the connection that it came by."""
    if response.status_code != 413:
        return False
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "maximum": LIMIT}
    assert error["message"] == "the body is larger than 1,000 bytes"
    assert response.headers["connection"] == "close"
    return True


@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT])
async def test_a_body_up_to_the_limit_is_served(api: Api, length: int) -> None:
    """With a length and in pieces without one."""
    for content in (of_length(length), in_pieces(of_length(length))):
        assert (await sent(api, content)).json() == {"data": {"viewer": {"name": "local"}}}


@pytest.mark.parametrize("length", [LIMIT + 1, 10 * LIMIT])
async def test_a_body_over_the_limit_is_refused(api: Api, length: int) -> None:
    """With a length and in pieces without one; nothing of it is run."""
    with statements(api.core.database) as seen:
        for content in (of_length(length), in_pieces(of_length(length))):
            assert too_large(await sent(api, content))
    assert seen == []


async def test_the_length_that_is_said_is_not_believed(api: Api) -> None:
    """What is said to be short is counted; what is said to be long is refused whatever comes."""
    assert too_large(await sent(api, in_pieces(of_length(2 * LIMIT)), **{"content-length": "10"}))
    assert too_large(await sent(api, of_length(100), **{"content-length": str(LIMIT + 1)}))


@pytest.mark.parametrize("said", ["-1", "+5", "1e9", "9" * 30, "many", ""])
async def test_a_length_that_is_no_number_is_passed_over(api: Api, said: str) -> None:
    """The bytes are counted in any case."""
    assert (await sent(api, in_pieces(of_length(LIMIT)), **{"content-length": said})).status_code == 200
    assert too_large(await sent(api, in_pieces(of_length(LIMIT + 1)), **{"content-length": said}))


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[int]:
    """The application behind a real port of this machine; gives the port."""
    server = uvicorn.Server(uvicorn.Config(build(settings), log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await serving


async def test_a_sender_of_too_much_can_read_the_answer(settings: Settings) -> None:
    """Over a real connection: all of it is taken before the answer comes, so that no reset overtakes it."""
    length = 4 * 1_048_576
    head = f"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
    async with listening(settings) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + b" " * length)
        await writer.drain()
        status, _, answer = (await reader.read()).partition(b"\r\n")
        writer.close()
        await writer.wait_closed()
    assert status.startswith(b"HTTP/1.1 413 ")
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"]["maximum"] == LIMIT


async def test_the_callers_id_of_a_request_is_kept(api: Api) -> None:
    """Up to 128 letters, digits and the signs that ids are made with."""
    for given in ("a", "trace-7", "A1._:/+=-", "0123456789abcdef" * 8):
        response = await api.http.get("/health", headers={"x-request-id": given})
        assert response.headers["x-request-id"] == given


NO_IDS = (b"", b"a b", b"a\tb", b"x" * 129, b'"a"', b"<b>", b"a,b", b"a\x7f", b"\xff", b"\xc3\xa4")


async def test_what_is_no_id_is_replaced_by_a_new_one(api: Api) -> None:
    """Nothing that a log or a page could take for its own is kept; each request gets another one."""
    answers = [await api.http.get("/health", headers={b"x-request-id": given}) for given in NO_IDS]
    made = {answer.headers["x-request-id"] for answer in answers}
    assert len(made) == len(NO_IDS)
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)


class Broken(Authenticator):
    """Fails in a way that nobody expects."""

    def __init__(self) -> None:
        pass

    async def __call__(self, request: HTTPConnection) -> Actor:
        """A bug."""
        raise LookupError(f"a secret about {request.url}")


@asynccontextmanager
async def client(settings: Settings, authenticate: Authenticator) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application with this authentication."""
    app = build(settings, TestClock(), authenticate)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield http
    await app.state.core.close()


async def test_the_unexpected_is_logged_with_the_id_that_the_client_is_told(settings: Settings) -> None:
    """500 that tells nothing else; the log tells everything."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as log:
        async with client(settings, Broken()) as http:
            response = await http.post("/graphql", json=WHO, headers={"x-request-id": "trace-7"})
    (error,) = response.json()["errors"]
    assert (response.status_code, response.headers["x-request-id"]) == (500, "trace-7")
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "trace-7"}
    assert "secret" not in response.text
    failed, request = log
    assert (failed["event"], failed["log_level"], failed["exc_info"]) == ("request_failed", "error", True)
    assert (request["event"], request["status"], request["path"]) == ("request", 500, "/graphql")
    assert failed["request_id"] == request["request_id"] == "trace-7"


async def test_a_failure_in_the_middle_of_an_answer_is_left_to_the_server() -> None:
    """There is no second answer: whoever reads sees the connection end early."""
    said: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError("a bug")

    async def send(message: Any) -> None:
        said.append(message["type"])

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with structlog.testing.capture_logs() as log, pytest.raises(LookupError):
        await RequestLog(app)(scope, receive, send)
    assert said == ["http.response.start"]
    assert [(line["event"], line.get("status")) for line in log] == [("request_failed", None), ("request", 200)]


ANSWERS: Mapping[str, tuple[str, str, int]] = {
    "page": ("GET", "/", 200),
    "GraphiQL": ("GET", "/graphiql", 200),
    "script": ("GET", "/static/index.js", 200),
    "vendor": ("GET", "/static/graphiql/graphiql.min.js", 200),
    "icon": ("HEAD", "/favicon.svg", 200),
    "probe": ("GET", "/health/ready", 200),
    "answer": ("GET", "/graphql?query={viewer{name}}", 200),
    "refusal": ("GET", "/graphql", 400),
    "method": ("DELETE", "/graphql", 405),
    "route": ("POST", "/", 405),
    "nothing": ("GET", "/nothing", 404),
    "no file": ("GET", "/static/..%2f..%2fsettings.py", 404),
    "no folder": ("GET", "/static/examples", 404),
}


async def test_every_kind_of_answer_has_security_headers_and_an_id(api: Api) -> None:
    """Pages, files, data, refusals and what is not there."""
    for kind, (method, path, status) in ANSWERS.items():
        response = await api.http.request(method, path)
        assert response.status_code == status, kind
        assert response.headers.items() >= SECURITY_HEADERS.items(), kind
        assert len(response.headers["x-request-id"]) == 32, kind


async def test_refusals_of_the_surroundings_have_them_too(api: Api, settings: Settings) -> None:
    """413, and 500 before anything was answered."""
    async with client(settings, Broken()) as http:
        with structlog.testing.capture_logs():
            answers = [await sent(api, of_length(2 * LIMIT)), await http.post("/graphql", json=WHO)]
    assert [answer.status_code for answer in answers] == [413, 500]
    assert all(answer.headers.items() >= SECURITY_HEADERS.items() for answer in answers)


async def test_each_request_is_one_line_in_the_log(api: Api) -> None:
    """With its id, method, path, status and how long it took; without what was asked."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as log:
        await api.http.get("/graphql?query={viewer{name}}", headers={"x-request-id": "trace-7"})
    (line,) = log
    assert 0 <= line.pop("milliseconds") < 60_000
    expected = {"event": "request", "log_level": "info", "method": "GET", "path": "/graphql", "status": 200}
    assert line == {**expected, "request_id": "trace-7"}


class ByHeader(Authenticator):
    """Believes whoever says who they are, once twenty are there, so that all of them are served at a time."""

    def __init__(self) -> None:
        self._everybody = asyncio.Barrier(20)

    async def __call__(self, request: HTTPConnection) -> Actor:
        """The actor that a header names; those whose name is odd may do nothing."""
        await self._everybody.wait()
        name = request.headers["x-name"]
        return Actor(name, frozenset() if int(name) % 2 else frozenset({Role.VIEWER}))


async def test_requests_at_the_same_time_know_nothing_of_one_another(settings: Settings) -> None:
    """Twenty at once, on fewer connections: each has its own actor, rights, variables, id and line in the log."""
    query = "query ($name: String!) { viewer { name roles } service(name: $name) { name } }"

    async def ask(http: httpx.AsyncClient, name: str) -> httpx.Response:
        body = {"query": query, "variables": {"name": f"none-{name}"}}
        return await http.post("/graphql", json=body, headers={"x-name": name, "x-request-id": f"r{name}"})

    names = [str(number) for number in range(20)]
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as log:
        async with client(settings, ByHeader()) as http:
            async with asyncio.timeout(30):
                answers = await asyncio.gather(*(ask(http, name) for name in names))
    for name, answer in zip(names, answers, strict=True):
        denied = int(name) % 2 == 1
        assert answer.headers["x-request-id"] == f"r{name}"
        assert answer.json()["data"]["viewer"] == {"name": name, "roles": [] if denied else ["VIEWER"]}
        assert [error["extensions"]["code"] for error in answer.json().get("errors", [])] == ["FORBIDDEN"] * denied
    assert sorted(line["request_id"] for line in log) == sorted(f"r{name}" for name in names)
