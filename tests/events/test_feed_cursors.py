"""Cursors of a feed: from any of them it goes on without a gap, or says that it cannot."""

from contextlib import aclosing
from datetime import timedelta

import pytest

from opsgraph.events import pruning
from opsgraph.events.feed import Feed
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import CursorExpired, Invalid
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.clock import START
from tests.support.events import ALERTS, Process, following, process


async def pruned(own: Process) -> None:
    """Remove all events there are."""
    async with own.database.transaction(SYSTEM, START) as tx:
        await pruning.prune(tx, START + timedelta(days=1))


async def head_cursor(own: Process) -> str:
    """The cursor of what has happened so far."""
    async with own.database.reading() as session:
        return await own.feed.head_cursor(session)


async def position_of(own: Process, cursor: str) -> int:
    """The place of a cursor."""
    async with own.database.reading() as session:
        return await own.feed.position_of(session, cursor)


async def test_it_goes_on_from_the_cursor_of_any_event(database: Database, settings: Settings) -> None:
    """With the next one, also in another process and much later."""
    async with process(settings) as own:
        await own.note(1, 2, 3)
        async with following(own.feed) as follower:
            await follower.has(3)
        cursors = [own.feed.cursor_of(event.position) for event in follower.events]
    async with process(settings) as later:
        await later.note(4)
        for told, cursor in enumerate(cursors, start=1):
            async with following(later.feed, after=await position_of(later, cursor)) as again:
                assert await again.has(4 - told) == [1, 2, 3, 4][told:]


async def test_a_list_and_a_feed_meet_without_a_gap(database: Database, settings: Settings) -> None:
    """Read the cursor, then the list, then follow: what happens in between is in the feed."""
    async with process(settings) as own:
        await own.note(1)
        cursor = await head_cursor(own)
        await own.note(2)
        async with following(own.feed, after=await position_of(own, cursor)) as follower:
            assert await follower.has(1) == [2]


async def test_a_place_that_is_not_known_has_no_cursor_yet(database: Database) -> None:
    """The log has to be looked at first."""
    with pytest.raises(RuntimeError, match="once the log was looked at"):
        Feed(database).cursor_of(1)


async def test_a_cursor_of_before_the_log_was_pruned_has_expired(database: Database, settings: Settings) -> None:
    """The client is told to read again; the place where the pruning ended is still good."""
    async with process(settings) as own:
        early = await head_cursor(own)
        await own.note(1, 2)
        late = await head_cursor(own)
        await pruned(own)
        with pytest.raises(CursorExpired, match="read again"):
            await position_of(own, early)
        with pytest.raises(CursorExpired):
            await anext(own.feed.follow(ALERTS, 0))
        async with following(own.feed, after=await position_of(own, late)) as follower:
            await own.note(3)
            assert await follower.has(1) == [3]


async def test_a_cursor_of_beyond_the_log_has_expired(database: Database, settings: Settings) -> None:
    """The database was restored from a copy that is older than the cursor."""
    async with process(settings) as own:
        await own.note(1)
        position = await position_of(own, await head_cursor(own))
        with pytest.raises(CursorExpired):
            await position_of(own, own.feed.cursor_of(position + 1))
        with pytest.raises(CursorExpired):
            await anext(own.feed.follow(ALERTS, position + 1))


async def test_what_is_no_cursor_is_bad_input(database: Database, settings: Settings) -> None:
    """The argument is named."""
    async with process(settings) as own, own.database.reading() as session:
        with pytest.raises(Invalid, match="from is not a cursor") as caught:
            await own.feed.position_of(session, "nonsense", "from")
        assert caught.value.field == ("from",)


async def test_who_is_too_slow_for_the_retention_is_told(database: Database, settings: Settings) -> None:
    """When what it has not seen yet is pruned, it ends with an error rather than with a gap."""
    async with process(settings, in_memory=1) as own, following(own.feed) as quick:
        async with aclosing(own.feed.follow(ALERTS, 0)) as slow:
            await own.note(1)
            await anext(slow)
            await own.note(2, 3)
            await quick.has(3)
            await pruned(own)
            with pytest.raises(CursorExpired, match="read again"):
                await anext(slow)
        await own.note(4)
        assert await quick.has(4) == [1, 2, 3, 4]
