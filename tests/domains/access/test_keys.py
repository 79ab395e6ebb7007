"""Keys in the database: what is kept of them, and what is not."""

import asyncio
from datetime import timedelta

import pytest

from opsgraph.domains.access import commands, queries
from opsgraph.domains.access.model import KeyInput
from opsgraph.domains.access.rules import hash_of, routing_key_of
from opsgraph.kernel.actor import SYSTEM, Actor, Role
from opsgraph.kernel.pages import PageRequest
from opsgraph.kernel.refusals import Conflict, NotFound
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.contents import contents
from tests.support.keys import find_key, make_key, revoke

MINUTE = timedelta(minutes=1)


async def test_a_key_is_found_by_its_secret_alone(database: Database, clock: TestClock) -> None:
    """With everything that was asked for; neither its name nor its prefix nor its hash finds it."""
    made = await make_key(database, clock.now(), "Ana", Role.APPROVER, Role.EDITOR, expires_at=START + MINUTE)
    assert (made.key.name, made.key.roles, made.key.created_by) == ("Ana", (Role.EDITOR, Role.APPROVER), "system")
    assert (made.key.created_at, made.key.expires_at) == (START, START + MINUTE)
    async with database.reading() as session:
        assert await queries.key_by_hash(session, hash_of(made.secret)) == made.key
        for text in ("Ana", made.key.prefix, made.secret[:-1], hash_of(made.secret)):
            assert await queries.key_by_hash(session, hash_of(text)) is None


async def test_the_secret_is_not_in_the_database(database: Database, clock: TestClock) -> None:
    """Nor is the part of it that senders present; what is shown of it is."""
    made = await make_key(database, clock.now(), "pipeline", Role.INGEST)
    stored = repr(await contents(database))
    assert made.key.prefix in stored
    assert made.secret not in stored
    assert routing_key_of(made.secret) not in stored


async def test_only_keys_that_may_send_have_a_routing_key(database: Database, clock: TestClock) -> None:
    """Nobody else has any use for it."""
    sender = await make_key(database, clock.now(), "pipeline", Role.INGEST)
    other = await make_key(database, clock.now(), "ana", Role.EDITOR)
    async with database.reading() as session:
        found = [
            await queries.key_by_routing_hash(session, hash_of(routing_key_of(made.secret))) for made in (sender, other)
        ]
    assert found == [sender.key, None]


async def test_a_name_is_given_once(database: Database, clock: TestClock) -> None:
    """Whatever its case, and after it was revoked as well, because history names it."""
    await make_key(database, clock.now(), "Ana")
    with pytest.raises(Conflict, match='there is a key "ANA" already'):
        await make_key(database, clock.now(), "ANA")
    await revoke(database, clock.now(), "ana")
    with pytest.raises(Conflict, match=r'there was a key "ANA", revoked 2024-03-15T12:00:00Z; no name is given twice'):
        await make_key(database, clock.now(), "ANA")


async def test_of_two_that_are_made_at_once_with_one_name_one_is(database: Database, clock: TestClock) -> None:
    """The other is refused as if it had come later."""
    answers = await asyncio.gather(
        *(make_key(database, clock.now(), name) for name in ("Ana", "ana")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "CreatedKey"]


async def test_a_key_is_bound_to_a_service_that_exists(database: Database, clock: TestClock) -> None:
    """By its name."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx, "api")
    made = await make_key(database, clock.now(), "pipeline", Role.INGEST, service="API")
    assert made.key.service_id == service.id
    with pytest.raises(NotFound):
        await make_key(database, clock.now(), "other", Role.INGEST, service="nothing")


async def test_revoking_is_for_good(database: Database, clock: TestClock) -> None:
    """Once more changes nothing; what is not there cannot be revoked."""
    made = await make_key(database, clock.now(), "ana")
    for _ in range(2):
        async with database.transaction(SYSTEM, clock.now()) as tx:
            assert (await commands.revoke_key(tx, made.key.id)).revoked_at == START
        clock.move(minutes=1)
    async with database.transaction(SYSTEM, clock.now()) as tx:
        with pytest.raises(NotFound, match="there is no such key"):
            await commands.revoke_key(tx, tx.new_id())


async def test_somebody_is_known_while_a_key_is_good(database: Database, clock: TestClock) -> None:
    """Neither what was revoked nor what has expired counts."""
    ids = []
    for name, expires_at in (("revoked", None), ("expired", START + MINUTE)):
        ids.append((await make_key(database, clock.now(), name, expires_at=expires_at)).key.id)
    await revoke(database, clock.now(), "revoked")
    async with database.reading() as session:
        assert await queries.good_keys(session, ids, START) == {ids[1]}
        assert await queries.has_good_key(session, START)
        assert await queries.good_keys(session, ids, START + MINUTE) == set()
        assert not await queries.has_good_key(session, START + MINUTE)


async def test_use_is_noted_to_the_minute(database: Database, clock: TestClock) -> None:
    """An earlier or hardly later one, of another process for example, takes nothing back; nothing else changes."""
    made = await make_key(database, clock.now(), "ana")
    for used, noted in ((0, 0), (-30, 0), (59, 0), (60, 60), (30, 60), (200, 200)):
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await commands.note_use(tx, {made.key.id: START + timedelta(seconds=used)})
        assert (await find_key(database, "ana")).last_used_at == START + timedelta(seconds=noted)


async def test_keys_are_listed_newest_first(database: Database, clock: TestClock) -> None:
    """Page by page."""
    async with database.transaction(Actor("ana", frozenset()), clock.now()) as tx:
        for name in "abc":
            await commands.create_key(tx, KeyInput(name, [Role.VIEWER]))
        page = await queries.keys_page(tx.connection, PageRequest(2))
        rest = await queries.keys_page(tx.connection, PageRequest(2, after=page.keys[-1]))
        assert await queries.count_keys(tx.connection) == 3
    assert [queries.key_of(row).name for row in (*page.rows, *rest.rows)] == ["c", "b", "a"]
