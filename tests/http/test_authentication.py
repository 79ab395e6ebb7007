"""Who the caller is: keys, the local actor, and who is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from opsgraph.app import build
from opsgraph.http.authentication import Authenticator, is_loopback, presented_key
from opsgraph.kernel.actor import LOCAL, Actor
from opsgraph.kernel.refusals import Unauthenticated
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support import databases
from tests.support.api import RESPONSE_JSON
from tests.support.clock import TestClock

WHO = {"query": "{ viewer { name roles } }"}
EVERY_ROLE = ["ADMIN", "APPROVER", "EDITOR", "INGEST", "RESPONDER", "VIEWER"]
NO_SUCH_KEY = "the key in Authorization is not known here"


@pytest.fixture
def settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    """An empty database of the default kind: who is asking does not depend on it."""
    return Settings(database_url=databases.copied(sqlite_template, tmp_path), workers="off")


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application with the authentication that the settings say."""
    app = build(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield http
    await app.state.core.close()


def refusal(response: httpx.Response) -> str:
    """The message of an answer that says that nobody known is asking, and nothing else."""
    (error,) = response.json()["errors"]
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert (error["extensions"], "data" in response.json()) == ({"code": "UNAUTHENTICATED"}, False)
    message: str = error["message"]
    return message


async def actor(auth: str = "auto", address: str | None = None, **headers: bytes) -> Actor:
    """Who a request with these headers and from this address comes from; nothing in it has the shape of a key."""
    scope: dict[str, Any] = {"type": "http", "headers": [(name.encode(), value) for name, value in headers.items()]}
    scope |= {"client": (address, 50_000)} if address else {}
    settings = Settings(auth=auth)
    return await Authenticator(settings, Database(settings), TestClock())(HTTPConnection(scope))


async def test_without_a_key_the_local_actor_has_every_role(settings: Settings) -> None:
    """Under `auto`, for requests from the machine itself."""
    async with served(settings) as http:
        response = await http.post("/graphql", json=WHO)
    assert response.status_code == 200
    assert response.json() == {"data": {"viewer": {"name": "local", "roles": EVERY_ROLE}}}


@pytest.mark.parametrize("auth", ["auto", "required"])
async def test_a_key_that_nobody_issued_is_refused(settings: Settings, auth: str) -> None:
    """Whoever sends one does not mean to be anybody; it is not repeated."""
    async with served(replace(settings, auth=auth)) as http:
        response = await http.post("/graphql", json=WHO, headers={"authorization": "Bearer ogk_unknown"})
    assert refusal(response) == NO_SUCH_KEY


@pytest.mark.parametrize("value", [b"bearer", b"Basic bG9jYWw6bG9jYWw=", b"x", b"\xff", b"Bearer " + b"x" * 10_000])
async def test_whatever_looks_like_no_key_is_refused_as_one(value: bytes) -> None:
    """Another scheme, no scheme, no text: all are ways of saying who one is."""
    with pytest.raises(Unauthenticated, match=NO_SUCH_KEY):
        await actor(host=b"localhost", authorization=value)


async def test_when_a_key_is_required_nobody_is_let_in_without_one(settings: Settings) -> None:
    """By POST and by GET, under both media types, with the way to say who one is."""
    async with served(replace(settings, auth="required")) as http:
        for accept in (RESPONSE_JSON, "application/json"):
            for answer in (
                await http.post("/graphql", json=WHO, headers={"accept": accept}),
                await http.get("/graphql", params=WHO, headers={"accept": accept}),
            ):
                assert refusal(answer) == "this server asks for a key: send Authorization: Bearer <key>"


async def test_pages_and_probes_ask_nobody_for_a_key(settings: Settings) -> None:
    """They show nothing that is stored, and are served under any name."""
    async with served(replace(settings, auth="required")) as http:
        for path in ("/", "/graphiql", "/favicon.svg", "/health", "/health/ready"):
            assert (await http.get(path, headers={"host": "opsgraph.example"})).status_code == 200, path


async def test_a_page_that_pretends_to_be_of_this_machine_is_not_let_in(settings: Settings) -> None:
    """A site whose name was made to lead here is of the same origin to a browser; the message says what would do."""
    headers = {"host": "evil.example:8000", "origin": "http://evil.example:8000"}
    async with served(settings) as http:
        response = await http.post("/graphql", json=WHO, headers=headers)
    assert refusal(response) == (
        'without keys this server is for its own machine: ask it as localhost or 127.0.0.1, not as "evil.example:8000"'
    )


@pytest.mark.parametrize(
    "host",
    [
        b"localhost",
        b"localhost:8000",
        b"LocalHost:1",
        b"127.0.0.1",
        b"127.0.0.1:8000",
        b"127.8.9.10",
        b"[::1]",
        b"[::1]:65535",
    ],
)
async def test_the_machine_may_be_asked_by_any_of_its_own_names(host: bytes) -> None:
    """With and without a port."""
    assert await actor(host=host) == LOCAL


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"127.evil.example",
        b"127.0.0.1.evil.example:8000",
        b"localhost.evil.example",
        b"evil.localhost",
        b"localhost:8000.evil.example",
        b"localhost@evil.example",
        b"10.0.0.7:8000",
        b"0.0.0.0:8000",
        b"[::]:8000",
        b"[2001:db8::1]",
        b"::1",
        b"2130706433",
        b"127.1",
        b"localhost:8000:8000",
        b"local\thost",
        b"\xff",
        b"a" * 10_000,
        b"",
    ],
)
async def test_a_name_that_could_be_anybodys_is_refused(host: bytes) -> None:
    """The message repeats it so that people can read it: in one short line."""
    with pytest.raises(Unauthenticated) as refused:
        await actor(host=host)
    assert refused.value.message.startswith("without keys this server is for its own machine")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", None])
async def test_requests_of_the_machine_itself_are_let_in(address: str | None) -> None:
    """Those without an address come by a socket of the machine's file system."""
    assert await actor(host=b"localhost", address=address) == LOCAL


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::1", "0.0.0.0", "nonsense"])  # noqa: S104 - refused
async def test_requests_of_other_machines_are_not_whatever_name_they_use(address: str) -> None:
    """A proxy beside the server makes nobody local, as long as it says whom it asks for."""
    with pytest.raises(Unauthenticated, match=f'for its own machine, and "{address}" is another'):
        await actor(host=b"localhost", address=address)


async def test_a_request_without_a_host_is_refused() -> None:
    """Only very old clients leave it out, and it is what tells whom they meant."""
    with pytest.raises(Unauthenticated, match="for its own machine"):
        await actor()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("::", False),
        ("127.example.com", False),
        ("192.168.1.2", False),
        ("", False),
    ],
)
def test_what_counts_as_the_machine_itself(host: str, expected: bool) -> None:
    """The rule by which a server without keys may be bound, too."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (None, None),
        ("", None),
        ("Bearer ogk_1", "ogk_1"),
        ("bearer  ogk_1 ", "ogk_1"),
        ("Basic YW55b25lOm9na18x", "ogk_1"),  # pragma: allowlist secret
        ("basic Om9na18xOjI=", "ogk_1:2"),  # pragma: allowlist secret
        ("Basic b2drXzE=", ""),
        ("Basic /w==", ""),
        ("Basic ???", ""),
        ("Bearer", ""),
        ("Digest x", ""),
    ],
)
def test_where_a_key_is_found(header: str | None, key: str | None) -> None:
    """A bearer token, or the password of basic authentication, which is what senders of alerts can be told to send."""
    assert presented_key(Headers({} if header is None else {"authorization": header})) == key
