"""Who the caller is: keys, the local actor, and who is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from opsgraph.app import build
from opsgraph.http.authentication import is_loopback
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.api import RESPONSE_JSON

WHO = {"query": "{ viewer { name roles } }"}
EVERY_ROLE = ["ADMIN", "APPROVER", "EDITOR", "INGEST", "RESPONDER", "VIEWER"]


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


async def test_without_a_key_the_local_actor_has_every_role(settings: Settings) -> None:
    """Under `auto`, for requests from the machine itself."""
    async with served(settings) as http:
        response = await http.post("/graphql", json=WHO)
    assert response.status_code == 200
    assert response.json() == {"data": {"viewer": {"name": "local", "roles": EVERY_ROLE}}}


@pytest.mark.parametrize("auth", ["auto", "required"])
@pytest.mark.parametrize("value", ["Bearer ogk_unknown", "bearer", "Basic bG9jYWw6bG9jYWw=", "x"])
async def test_a_key_that_nobody_issued_is_refused(settings: Settings, auth: str, value: str) -> None:
    """Whatever it looks like: whoever sends one does not mean to be anybody, and it is not repeated."""
    async with served(replace(settings, auth=auth)) as http:
        response = await http.post("/graphql", json=WHO, headers={"authorization": value})
    assert refusal(response) == "the key in Authorization is not known here"


@pytest.mark.parametrize("accept", [RESPONSE_JSON, "application/json"])
async def test_when_a_key_is_required_nobody_is_let_in_without_one(settings: Settings, accept: str) -> None:
    """By POST and by GET, with the way to say who one is."""
    async with served(replace(settings, auth="required")) as http:
        answers = [
            await http.post("/graphql", json=WHO, headers={"accept": accept}),
            await http.get("/graphql", params=WHO, headers={"accept": accept}),
        ]
    assert {refusal(answer) for answer in answers} == {"this server asks for a key: send Authorization: Bearer <key>"}


@pytest.mark.parametrize("path", ["/", "/graphiql", "/favicon.svg", "/health", "/health/ready"])
async def test_pages_and_probes_ask_nobody_for_a_key(settings: Settings, path: str) -> None:
    """They show nothing that is stored."""
    async with served(replace(settings, auth="required")) as http:
        assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "LocalHost:1", "127.0.0.1", "127.0.0.1:8000", "127.8.9.10", "[::1]", "[::1]:65535"],
)
async def test_the_machine_may_be_asked_by_any_of_its_own_names(settings: Settings, host: str) -> None:
    """With and without a port."""
    async with served(settings) as http:
        assert (await http.post("/graphql", json=WHO, headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.evil.example",
        "127.0.0.1.evil.example:8000",
        "localhost.evil.example",
        "evil.localhost",
        "localhost:8000.evil.example",
        "localhost@evil.example",
        "10.0.0.7:8000",
        "0.0.0.0:8000",
        "[::]:8000",
        "[2001:db8::1]",
        "::1",
        "2130706433",
        "127.1",
        "localhost:8000:8000",
        "local\thost",
        "",
    ],
)
async def test_a_name_that_could_be_anybodys_is_refused(settings: Settings, host: str) -> None:
    """A site whose name was made to lead to this machine is not let in; the message says what would be."""
    async with served(settings) as http:
        response = await http.post("/graphql", json=WHO, headers={"host": host, "origin": f"http://{host}"})
    message = refusal(response)
    assert message.startswith("without keys this server is for its own machine: ask it as localhost or 127.0.0.1, not")
    assert message.isprintable()


async def test_a_long_name_is_not_repeated_in_full(settings: Settings) -> None:
    """The message stays one that people read."""
    async with served(settings) as http:
        response = await http.post("/graphql", json=WHO, headers={"host": "a" * 10_000})
    assert len(refusal(response)) < 200


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
    """The rule by which a server without keys is bound, too."""
    assert is_loopback(host) is expected
