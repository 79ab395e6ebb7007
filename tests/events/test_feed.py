"""Feeds: what was committed comes in order, once, first as it was written down and then live."""

import asyncio
from contextlib import aclosing, suppress

import pytest

from opsgraph.events import feed as feeds
from opsgraph.events.feed import Feed
from opsgraph.events.log import state
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.events import Topic
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.clock import START
from tests.support.events import ALERTS, Follower, Noted, followed, following, process, small
from tests.support.statements import statements
from tests.support.waiting import LONG_ENOUGH_SECONDS, until

INCIDENTS = frozenset({Topic.INCIDENTS})


async def test_what_was_is_replayed_and_what_comes_is_live(database: Database, settings: Settings) -> None:
    """Without a seam between the two, and right after the commit: nobody has to wait for a look at the log."""
    async with process(settings) as own:
        await own.note(1, 2)
        async with following(own.feed) as follower:
            assert await follower.has(2) == [1, 2]
            await own.note(3)
            await own.note(4, 5)
            assert await follower.has(5) == [1, 2, 3, 4, 5]


async def test_without_a_place_it_begins_now(database: Database, settings: Settings) -> None:
    """What was before is not told."""
    async with process(settings) as own:
        await own.note(1)
        async with aclosing(own.feed.follow(ALERTS)) as batches:
            waiting = asyncio.ensure_future(anext(batches))
            await followed(own.feed)
            await own.note(2)
            assert [event.facts["number"] for event in await waiting] == [2]


async def test_topics_are_told_apart(database: Database, settings: Settings) -> None:
    """Each follower gets its own, replayed and live; one of both gets them in the order of the log."""
    async with process(settings) as own:
        await own.note(1)
        await own.note(2, topic=Topic.INCIDENTS)
        async with (
            following(own.feed) as alerts,
            following(own.feed, INCIDENTS) as incidents,
            following(own.feed, ALERTS | INCIDENTS) as both,
        ):
            await both.has(2)
            await own.note(3, topic=Topic.INCIDENTS)
            await own.note(4)
            assert await both.has(4) == [1, 2, 3, 4]
            assert (await alerts.has(2), await incidents.has(2)) == ([1, 4], [2, 3])


async def test_what_is_undone_is_never_told(database: Database, settings: Settings) -> None:
    """Of a transaction, of a part of one, and of a dry run."""
    async with process(settings) as own, following(own.feed) as follower:
        with suppress(ZeroDivisionError):
            async with own.database.transaction(SYSTEM, START) as tx:
                tx.record(Noted(1))
                raise ZeroDivisionError
        async with own.database.transaction(SYSTEM, START, dry_run=True) as tx:
            tx.record(Noted(2))
        async with own.database.transaction(SYSTEM, START) as tx:
            tx.record(Noted(3))
            with suppress(ZeroDivisionError):
                async with tx.savepoint():
                    tx.record(Noted(4))
                    raise ZeroDivisionError
        await own.note(5)
        assert await follower.has(2) == [3, 5]


async def test_who_falls_behind_what_is_kept_in_memory_catches_up(database: Database, settings: Settings) -> None:
    """From the database, in pages, while others who keep up are not held back."""
    async with (
        process(settings, in_memory=3) as own,
        following(own.feed) as quick,
        aclosing(own.feed.follow(ALERTS, 0)) as slow,
    ):
        await own.note(0)
        seen = [event.facts["number"] for event in await anext(slow)]
        for number in range(1, 20):
            await own.note(number)
            await quick.has(number + 1)
        while len(seen) < 20:
            seen += [event.facts["number"] for event in await anext(slow)]
    assert seen == quick.numbers == list(range(20))


async def test_a_long_past_comes_in_bounded_batches(database: Database, settings: Settings) -> None:
    """However much there is, no more than a batch is read at a time."""
    async with process(settings) as own:
        await own.note(*range(1_200))
        sizes: list[int] = []
        async with aclosing(own.feed.follow(ALERTS, 0)) as batches:
            while sum(sizes) < 1_200:
                sizes.append(len(await anext(batches)))
    assert sizes == [500, 500, 200]


async def test_a_feed_that_never_has_to_wait_leaves_others_their_turn(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch costs a turn of the loop, also where all of it is in memory."""
    monkeypatch.setattr(feeds, "_BATCH", 1)
    async with process(settings) as own, following(own.feed) as follower:
        await own.note(0)
        await follower.has(1)
        await own.note(*range(1, 50))
        await follower.has(50)
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        async with aclosing(own.feed.follow(ALERTS, follower.events[0].position)) as batches:
            await anext(batches)
            turns = 0
            for _ in range(48):
                await anext(batches)
        counting.cancel()
        assert turns >= 48


async def test_who_waits_holds_no_connection(database: Database, settings: Settings) -> None:
    """With a pool of a single one, ten followers wait, and others read and write."""
    async with process(small(settings)) as own:
        followers = [Follower(own.feed) for _ in range(10)]
        for number in range(3):
            await own.note(number)
            for follower in followers:
                await follower.has(number + 1)
            async with own.database.reading() as session:
                assert (await state(session)).head == followers[0].events[-1].position
        for follower in followers:
            await follower.leave()


async def test_who_works_on_a_batch_holds_no_connection(database: Database, settings: Settings) -> None:
    """Replayed or live, the database is left before the batch is given."""
    async with process(small(settings)) as own:
        await own.note(1)
        async with aclosing(own.feed.follow(ALERTS, 0)) as batches:
            async with asyncio.timeout(LONG_ENOUGH_SECONDS):
                await anext(batches)
                await own.note(2)
                await anext(batches)
                await own.note(3)


async def test_the_log_is_read_once_for_all_and_only_while_someone_follows(
    database: Database, settings: Settings
) -> None:
    """A commit costs as many reads with twenty followers as with one, and none without."""
    async with process(settings) as own:
        await own.note(0)
        costs = []
        for known, count in ((1, 1), (2, 20)):
            followers = [Follower(own.feed) for _ in range(count)]
            for follower in followers:
                await follower.has(known)
            with statements(own.database) as seen:
                await own.note(known)
                for follower in followers:
                    await follower.has(known + 1)
            costs.append(sum("FROM event" in statement for statement in seen))
            for follower in followers:
                await follower.leave()
        with statements(own.database) as seen:
            for number in range(50):
                await own.note(number)
        assert sum("FROM event" in statement for statement in seen) <= 2
        assert costs[1] <= costs[0] + 2


async def test_who_leaves_leaves_nothing_behind(database: Database, settings: Settings) -> None:
    """Closed while it waits, closed in the midst of a batch, cancelled, or never begun."""
    async with process(settings) as own:
        await own.note(1)
        before = asyncio.all_tasks()
        waiting = Follower(own.feed)
        await waiting.has(1)
        await waiting.leave()
        midst = own.feed.follow(ALERTS, 0)
        await anext(midst)
        await midst.aclose()
        await own.feed.follow(ALERTS).aclose()
        await until(lambda: asyncio.all_tasks() <= before)  # a connection in use is closed by a task
        assert own.feed._tail._followers == 0


async def test_feeds_end_with_the_process(database: Database, settings: Settings) -> None:
    """Whoever follows then comes to an end, whoever comes later as well; without a running feed there is none."""
    async with process(settings) as own:
        follower = Follower(own.feed)
        await own.note(1)
        await follower.has(1)
    await follower.ended()
    assert follower.numbers == [1]
    unbegun = Feed(database)
    with pytest.raises(RuntimeError, match="while it is running"):
        await anext(unbegun.follow(ALERTS))
    async with unbegun.running():
        pass
    assert [batch async for batch in unbegun.follow(ALERTS)] == []
