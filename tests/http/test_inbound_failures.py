"""No endpoint answers success to what is not stored; each tells of failures in its format's own shape."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
import structlog
from sqlalchemy.exc import OperationalError

from opsgraph.http.authentication import Authenticator
from opsgraph.http.inbound import BATCH_BYTES, EVENT_BYTES
from opsgraph.kernel.actor import Actor, Role
from opsgraph.settings import Settings
from opsgraph.workflows.intake import Unavailable
from tests.support.api import Api, running
from tests.support.clock import TestClock
from tests.support.senders import ALERTS, ENQUEUE, GENERIC, GOOD, GRAFANA, WEBHOOK, Failing, handing_to, stored

ENDPOINT = pytest.mark.parametrize("path", GOOD)
NOBODY_LISTENS = "postgresql://opsgraph@127.0.0.1:1/opsgraph"
PASSING = [
    Unavailable("too many alerts wait"),
    ConnectionRefusedError("no"),
    OperationalError("INSERT", {}, Exception("server closed the connection")),
]


def message(path: str, response: httpx.Response) -> str:
    """What a failure says, read in the format's own shape."""
    answer: Any = response.json()
    if path == ALERTS:
        told = answer
    elif path == ENQUEUE:
        assert answer.keys() == {"status", "message", "errors"}
        told = answer["message"]
    else:
        assert (answer["accepted"], answer["results"], answer["refused"]) == (0, [], [])
        told = answer["error"]
    assert isinstance(told, str)
    return told


@ENDPOINT
async def test_success_is_answered_once_the_alert_is_there(api: Api, path: str) -> None:
    """By every endpoint."""
    response = await api.http.post(path, json=GOOD[path])
    assert response.is_success
    assert len(await stored(api)) == 1


@ENDPOINT
async def test_nothing_is_answered_before_the_commit(api: Api, path: str) -> None:
    """While the intake is at work there is no answer; not even 202."""
    at_work, done = asyncio.Event(), asyncio.Event()

    class Slow:
        async def submit(self, reports: Any) -> Any:
            at_work.set()
            await done.wait()
            return await api.core.intake.submit(reports)

    async with handing_to(Slow(), api) as http:
        asking = asyncio.create_task(http.post(path, json=GOOD[path]))
        await at_work.wait()
        assert (asking.done(), await stored(api)) == (False, [])
        done.set()
        assert (await asking).is_success
    assert len(await stored(api)) == 1


@ENDPOINT
@pytest.mark.parametrize("error", PASSING, ids=["busy", "refused", "closed"])
async def test_what_may_succeed_soon_is_asked_to_come_again(api: Api, path: str, error: Exception) -> None:
    """503 with Retry-After, which senders heed; never 429, after which an Alertmanager gives up."""
    async with handing_to(Failing(error), api) as http:
        response = await http.post(path, json=GOOD[path])
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "try again soon" in message(path, response)


@ENDPOINT
async def test_a_database_that_is_away_is_told(clock: TestClock, path: str) -> None:
    """Over the whole application, with nobody behind the address."""
    settings = Settings(database_url=NOBODY_LISTENS, workers="off", log_level="error")
    async with running(settings, clock) as api:
        response = await api.http.post(path, json=GOOD[path])
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("path", [ALERTS, f"{ALERTS}/groups", "/api/v2/silences"])
async def test_reading_from_a_database_that_is_away(clock: TestClock, path: str) -> None:
    """Is told alike."""
    async with running(Settings(database_url=NOBODY_LISTENS, workers="off"), clock) as api:
        response = await api.http.get(path)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


@ENDPOINT
async def test_a_bug_is_no_success(api: Api, path: str) -> None:
    """500, logged whole; the answer tells nothing of it."""
    with structlog.testing.capture_logs() as log:
        async with handing_to(Failing(LookupError("a secret")), api) as http:
            response = await http.post(path, json=GOOD[path])
    assert (response.status_code, "secret" in response.text) == (500, False)
    assert "unexpected error" in message(path, response)
    assert [(line["event"], line["path"]) for line in log] == [("request_failed", path)]


@ENDPOINT
@pytest.mark.parametrize("role", [Role.INGEST, Role.RESPONDER, Role.EDITOR, Role.ADMIN])
async def test_keys_for_sending_and_people_may_send(api: Api, path: str, role: Role) -> None:
    """Whoever may act on incidents may report one."""
    api.who.actor = Actor("someone", frozenset({role}))
    assert (await api.http.post(path, json=GOOD[path])).is_success


@ENDPOINT
@pytest.mark.parametrize("roles", [frozenset(), frozenset({Role.VIEWER}), frozenset({Role.APPROVER})])
async def test_nobody_else_may(api: Api, path: str, roles: frozenset[Role]) -> None:
    """403, and nothing is stored."""
    api.who.actor = Actor("someone", roles)
    response = await api.http.post(path, json=GOOD[path])
    assert response.status_code == 403
    assert "needs the role INGEST or RESPONDER" in message(path, response)
    assert await stored(api) == []


@ENDPOINT
async def test_without_a_key_nobody_may_where_one_is_asked_for(settings: Settings, api: Api, path: str) -> None:
    """401, with the way to say who one is."""
    required = Authenticator(replace(settings, auth="required"), api.core.database, api.core.clock)
    async with handing_to(api.core.intake, api, required) as http:
        for headers in ({}, {"authorization": "Bearer ogk_unknown"}):
            response = await http.post(path, json=GOOD[path], headers=headers)
            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
            assert "key" in message(path, response)
    assert await stored(api) == []


@ENDPOINT
async def test_pages_of_other_sites_may_not_send(api: Api, path: str) -> None:
    """A visitor's browser says where a request comes from; the machine's own pages may."""
    foreign = await api.http.post(path, json=GOOD[path], headers={"origin": "https://evil.example"})
    assert (foreign.status_code, await stored(api)) == (403, [])
    own_page = await api.http.post(path, json=GOOD[path], headers={"origin": "http://opsgraph.test"})
    assert own_page.is_success


LIMITS = [(ALERTS, BATCH_BYTES), (WEBHOOK, BATCH_BYTES), (GRAFANA, BATCH_BYTES), (GENERIC, BATCH_BYTES)]


@pytest.mark.parametrize(("path", "largest"), [*LIMITS, (ENQUEUE, EVENT_BYTES)])
async def test_bodies_are_as_large_as_their_format_needs(api: Api, path: str, largest: int) -> None:
    """Up to the limit they are served, over it 413 in the format's own shape, and nothing is stored."""
    body = orjson.dumps(GOOD[path])
    response = await api.http.post(path, content=body + b" " * (largest + 1 - len(body)))
    assert (response.status_code, message(path, response)) == (413, f"the body is larger than {largest:,} bytes")
    assert (response.headers["connection"], await stored(api)) == ("close", [])
    assert (await api.http.post(path, content=body + b" " * (largest - len(body)))).is_success


async def test_graphql_keeps_its_own_limit(api: Api) -> None:
    """And its own shape."""
    response = await api.http.post("/graphql", content=b" " * (1_048_576 + 1))
    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED", "maximum": 1_048_576}


@ENDPOINT
async def test_other_methods_are_not_allowed(api: Api, path: str) -> None:
    """405."""
    assert (await api.http.delete(path)).status_code == 405
