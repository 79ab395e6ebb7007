"""Keys over HTTP: who acts by them, who does not any more, and what other systems' formats have in their place."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog

from opsgraph.domains.access.rules import routing_key_of
from opsgraph.domains.alerts.queries.alerts import alert_rows
from opsgraph.kernel.actor import SYSTEM, Role
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.inbound import trigger
from tests.support.keys import Keyed, bearing, find_key, keyed, on_record
from tests.support.senders import ENQUEUE
from tests.support.statements import statements
from tests.support.waiting import LONG_ENOUGH_SECONDS

VIEWER = "{ viewer { name roles } }"
NOT_KNOWN = "the key in Authorization is not known here"
MADE_UP = "ogk_" + "0" * 43
SENDING: Mapping[str, Any] = {
    "/api/v2/alerts": [{"labels": {"alertname": "slow", "service": "api"}}],
    "/webhooks/alerts": {"service": "api", "severity": "high", "message": "slow"},
}


@pytest.fixture
async def asked(settings: Settings, clock: TestClock, database: Database) -> AsyncIterator[Keyed]:
    """An application that asks for keys; the fixture of the database empties it afterwards."""
    async with keyed(settings, clock) as started:
        yield started


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """What is logged."""
    with structlog.testing.capture_logs() as entries:
        yield entries


def basic(secret: str) -> dict[str, str]:
    """The headers of a sender that has the secret for a password."""
    return {"authorization": "Basic " + base64.b64encode(f"anyone:{secret}".encode()).decode()}


def message(response: httpx.Response) -> str:
    """Why nobody known is asking."""
    (error,) = response.json()["errors"]
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    said: str = error["message"]
    return said


async def reporters(asked: Keyed) -> list[tuple[str, str]]:
    """Service and source of each alert that is stored."""
    async with asked.core.database.reading() as session:
        return [(row.service_name, row.source) for row in await session.execute(alert_rows())]


async def test_each_key_acts_under_its_name_with_its_roles(asked: Keyed) -> None:
    """As a bearer token and as a password; without one nobody is known."""
    ana, ben = await asked.key("Ana", Role.ADMIN), await asked.key("ben", Role.APPROVER)
    assert (await asked.data(ana, VIEWER))["viewer"] == {"name": "Ana", "roles": sorted(Role)}
    assert (await asked.data(ben, VIEWER))["viewer"] == {"name": "ben", "roles": ["APPROVER", "VIEWER"]}
    answer = await asked.http.post("/graphql", json={"query": VIEWER}, headers=basic(ben))
    assert answer.json()["data"]["viewer"]["name"] == "ben"
    assert message(await asked.ask(None, VIEWER)).startswith("this server asks for a key")


async def test_keys_that_are_good_no_more_are_refused_at_once_and_alike(
    asked: Keyed, clock: TestClock, log: list[Any]
) -> None:
    """As one that nobody issued; the log alone says why, by the key's name."""
    revoked = await asked.key("revoked")
    expired = await asked.key("expired", expires_at=START + timedelta(minutes=1))
    for secret in (revoked, expired):
        assert (await asked.ask(secret, VIEWER)).status_code == 200
    await asked.revoke("revoked")
    clock.move(minutes=1)
    for secret in (revoked, expired, MADE_UP, revoked.lower(), revoked[:-1]):
        assert message(await asked.ask(secret, VIEWER)) == NOT_KNOWN
    told = [(entry["key"], entry["reason"]) for entry in log if entry["event"] == "key_refused"]
    assert told == [("revoked", "revoked"), ("expired", "expired")]


async def test_no_secret_is_logged(asked: Keyed, log: list[Any]) -> None:
    """Not of a request that succeeds, is refused or denied, nor one that was just made."""
    admin, viewer = await asked.key("admin", Role.ADMIN), await asked.key("viewer")
    create = 'mutation { createApiKey(input: {name: "new", roles: [INGEST]}) { ... on CreatedApiKey { secret } } }'
    secret = (await asked.data(admin, create))["createApiKey"]["secret"]
    await asked.http.post(ENQUEUE, json=trigger(routing_key=routing_key_of(secret)))
    await asked.ask(viewer, create)
    await asked.revoke("admin")
    await asked.ask(admin, create)
    assert len(log) >= 4
    written = repr(log) + repr(await on_record(asked.core.database))
    for each in (admin, viewer, secret):
        assert each not in written
        assert routing_key_of(each) not in written


async def test_what_has_not_the_shape_of_a_key_is_not_looked_up(asked: Keyed) -> None:
    """A key is one statement by an index, and whatever else is presented none."""
    ana = await asked.key("ana")
    for secret, looks in ((ana, 1), ("nonsense", 0), ("ogk_", 0)):
        with statements(asked.core.database) as seen:
            await asked.ask(secret, VIEWER)
        assert [statement for statement in seen if "api_key" in statement] == seen[-1:] * looks


async def test_when_a_key_was_used_last_is_noted_soon(asked: Keyed, clock: TestClock) -> None:
    """Beside the request, within a second or so; what was used within a minute is not worth another write."""
    ana = await asked.key("ana")
    for seconds, noted in ((0, START), (59, START), (1, START + timedelta(minutes=1))):
        clock.move(seconds=seconds)
        await asked.data(ana, VIEWER)
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            while (await find_key(asked.core.database, "ana")).last_used_at != noted:
                pass


@pytest.mark.parametrize("path", SENDING)
async def test_senders_present_keys_as_they_can(asked: Keyed, path: str) -> None:
    """A bearer token or a password; a key that may not send is denied, which is on record."""
    sender, reader = await asked.key("sender", Role.INGEST), await asked.key("reader")
    for headers in (bearing(sender), basic(sender)):
        assert (await asked.http.post(path, json=SENDING[path], headers=headers)).is_success
    denied = await asked.http.post(path, json=SENDING[path], headers=basic(reader))
    unknown = await asked.http.post(path, json=SENDING[path])
    assert (denied.status_code, unknown.status_code) == (403, 401)
    (entry,) = await on_record(asked.core.database)
    assert (entry.actor, entry.action, entry.allowed, entry.address) == ("reader", "sending alerts", False, "127.0.0.1")
    assert (entry.detail["path"], entry.detail["code"]) == (path, "FORBIDDEN")


async def test_a_routing_key_stands_for_its_key(asked: Keyed) -> None:
    """PagerDuty's senders have room for 32 characters: those behind `ogk_`; they may send and nothing else."""
    secret = await asked.key("pager", Role.INGEST, Role.ADMIN)
    routing_key = routing_key_of(secret)
    assert (await asked.http.post(ENQUEUE, json=trigger(routing_key=routing_key))).status_code == 202
    assert message(await asked.ask(routing_key, VIEWER)) == NOT_KNOWN
    for stranger in ("0" * 32, "-" * 32):
        refused = await asked.http.post(ENQUEUE, json=trigger(routing_key=stranger))
        assert (refused.status_code, refused.json()["status"]) == (401, "error")
    await asked.revoke("pager")
    refused = await asked.http.post(ENQUEUE, json=trigger(routing_key=routing_key))
    assert (refused.status_code, refused.json()["errors"]) == (401, ["the routing key is not known here"])


async def test_a_key_in_the_headers_wins_over_a_routing_key(asked: Keyed) -> None:
    """Then the routing key is what it was before: a scope of dedup keys."""
    sender, other = await asked.key("sender", Role.INGEST), await asked.key("reader")
    body = trigger(routing_key=routing_key_of(sender))
    assert (await asked.http.post(ENQUEUE, json=body, headers=bearing(other))).status_code == 403
    assert (await asked.http.post(ENQUEUE, json=trigger(), headers=bearing(sender))).status_code == 202


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"1", b'{"routing_key": 5}', b'{"routing_key": "\\ud800"}'])
async def test_what_has_no_routing_key_is_nobodys(asked: Keyed, body: bytes) -> None:
    """As a request without any key."""
    assert (await asked.http.post(ENQUEUE, content=body)).status_code == 401


async def test_a_key_that_is_bound_to_a_service_sends_about_that_alone(asked: Keyed) -> None:
    """Of a batch, the alerts about others are refused by their places; by the name that the service has now."""
    async with asked.core.database.transaction(SYSTEM, START) as tx:
        await make_service(tx, "api")
    secret = await asked.key("pipeline", Role.INGEST, service="api")
    batch = [{"service": name, "severity": "high", "message": "slow"} for name in ("web", "API")]
    answer = await asked.http.post("/webhooks/alerts", json=batch, headers=bearing(secret))
    assert (answer.status_code, answer.json()["accepted"]) == (400, 1)
    reason = '"pipeline" is bound to the service "api": sending alerts is for that, not about "web"'
    assert answer.json()["refused"] == [{"index": 0, "reason": reason}]
    assert (await asked.http.post(ENQUEUE, json=trigger(routing_key=routing_key_of(secret)))).status_code == 202
    assert await reporters(asked) == [("API", "generic"), ("api", "pagerduty")]
