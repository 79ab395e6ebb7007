"""Subscriptions that run: each event is executed and serialised once, for however many follow the same.

One task a stream iterates the field's events; followers have none. Who begins now joins the stream that runs already;
who replays has a stream of their own until it has caught up, and then joins the common one, or becomes it.

A follower's `seen` is its place in the order of events: nothing up to there is delivered to it. So one that moves from
its own stream to the common one gets each event from exactly one of them.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Coroutine, Hashable
from contextlib import aclosing
from typing import Any, Protocol, cast

import structlog
from graphql import GraphQLError

from opsgraph.domains.access.rules import held, require
from opsgraph.graphql.context import Context
from opsgraph.graphql.errors import presented, raise_passing
from opsgraph.graphql.marks import BEFORE_EVERYTHING, Mark, Placed
from opsgraph.graphql.responses import body_of, encoded
from opsgraph.graphql.subscriptions import Subscription, Unacceptable
from opsgraph.kernel.actor import Actor
from opsgraph.kernel.refusals import Forbidden

_AT_ONCE = 200
"""How many followers are served before others get a turn."""

_BURST = 16
"""How many events that are there already are executed before they are handed out, so that they are sent at once."""

_BURST_SECONDS = 0.005
"""For how long at most."""


class Delivery:
    """One result, serialised once. What a transport makes of it is kept for the next one that makes the same.

    Attributes:
        body: the result as JSON.
        cursor: of the event, if it has one.
    """

    __slots__ = ("_frame", "_made_for", "body", "cursor")

    def __init__(self, body: str, cursor: str | None) -> None:
        self.body = body
        self.cursor = cursor
        self._made_for: str | None = None
        self._frame = ""

    def framed(self, before: str, after: str) -> str:
        """The body between two texts."""
        if before != self._made_for:
            self._frame = f"{before}{self.body}{after}"
            self._made_for = before
        return self._frame


class Subscriber(Protocol):
    """Where a stream's results go. Nothing here but `room` may wait."""

    def deliver(self, delivery: Delivery) -> None:
        """Take a result."""
        ...

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        """The stream is over: as errors say, or because nothing else comes."""
        ...

    async def room(self) -> None:
        """Wait until there is room for more; a replay goes no faster than its client reads."""
        ...


class Follower:
    """A subscriber's place in a stream.

    Attributes:
        subscriber: where results go.
        seen: the place up to which nothing is delivered.
        stream: the one that serves it now; another one after it has caught up.
    """

    def __init__(self, subscriber: Subscriber, stream: "Stream") -> None:
        self.subscriber = subscriber
        self.seen = BEFORE_EVERYTHING
        self.stream = stream

    async def started(self) -> None:
        """Return once everything that is committed from now on will be delivered, or the stream is over."""
        await self.stream.started.wait()

    def leave(self) -> None:
        """Want no more."""
        self.stream.remove(self)


class Streams:
    """Every stream of a process; those that are common to many, by key."""

    def __init__(self) -> None:
        self._common: dict[Hashable, Stream] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._recording: set[asyncio.Task[None]] = set()

    def follow(self, wanted: Subscription, context: Context, subscriber: Subscriber) -> Follower:
        """Serve a subscriber from now on, in the background.

        Raises:
            Unacceptable: the actor lacks the role.
        """
        try:
            require(context.actor, wanted.roles, wanted.name)
        except Forbidden as refusal:
            _begin(context.refused(wanted.name, {}, refusal), f"denial of {wanted.name}", self._recording)
            raise Unacceptable(wanted.failed(refusal)) from refusal
        shareable = wanted.shared and not wanted.replays
        stream = self.common(_key(wanted, context)) if shareable else None
        if stream is None:
            stream = Stream(self, wanted, context)
            if shareable:
                self.make_common(stream)
            stream.task = _begin(stream.run(), f"stream {stream.id}", self._running)
        follower = Follower(subscriber, stream)
        stream.followers[follower] = None
        return follower

    def common(self, key: Hashable) -> "Stream | None":
        """The stream that serves everyone who wants this."""
        return self._common.get(key)

    def make_common(self, stream: "Stream") -> None:
        """Have a stream serve everyone who wants the same."""
        self._common[stream.key] = stream
        stream.common = True

    def forget(self, stream: "Stream") -> None:
        """A stream serves nobody any more."""
        if self._common.get(stream.key) is stream:
            del self._common[stream.key]

    async def close(self) -> None:
        """End every stream, and finish what is to be on record."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._recording, return_exceptions=True)


class Stream:
    """One run of a subscription.

    Attributes:
        id: names the run in the log, and in the errors of its clients.
        key: equal for streams that give the same from now on.
        followers: whom it serves, in the order in which they came.
        position: how far it has come.
        common: whether whoever wants the same may join.
        started: set once its place is known, or it is over.
        task: what runs it.
    """

    task: asyncio.Task[None]

    def __init__(self, streams: Streams, wanted: Subscription, context: Context) -> None:
        self.id = secrets.token_hex(16)
        self.key = _key(wanted, context)
        self.followers: dict[Follower, None] = {}
        self.position = BEFORE_EVERYTHING
        self.common = False
        self.started = asyncio.Event()
        self._burst: list[tuple[int, Delivery]] = []
        self._burst_begun = 0.0
        self._streams = streams
        self._wanted = wanted
        self._context = context.renewed(_anyone_like(context.actor) if wanted.shared else context.actor)
        self._context.resume_after = wanted.resume_after

    async def run(self) -> None:
        """Serve the followers until the events end or nobody follows."""
        structlog.contextvars.clear_contextvars()  # they tell of whoever happened to be the first
        structlog.contextvars.bind_contextvars(request_id=self.id, subscription=self._wanted.name)
        errors: list[GraphQLError] = []
        try:
            await self._follow_events()
        except Exception as error:  # noqa: BLE001 - whatever it is, the followers are told that it is over
            errors = self._wanted.failed(error)
        finally:
            self._streams.forget(self)
            self.started.set()
            await self._context.close()
        await self._hand_out()
        shown = presented(errors, self.id) if errors else None
        for follower in tuple(self.followers):
            follower.subscriber.finish(shown)
        self.followers.clear()

    def remove(self, follower: Follower) -> None:
        """Serve a follower no more; without any, the stream ends."""
        if self.followers.pop(follower, self) is None and not self.followers:
            self._streams.forget(self)
            self.task.cancel()

    async def _follow_events(self) -> None:
        events = cast("AsyncGenerator[Any, None]", await self._wanted.events(self._context))
        if not self._wanted.shared:  # it tells nothing of its place
            self.started.set()
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Mark):
                    await self._hand_out()
                    self._reach(event)
                    if not self.followers:
                        return
                else:
                    await self._take(event)
                await asyncio.sleep(0)  # events that are always there already would leave no turn to anyone

    def _reach(self, mark: Mark) -> None:
        self.position = max(self.position, mark.position)
        self.started.set()
        if mark.caught_up and self._wanted.shared and not self.common:
            self._join_or_become_common()

    def _join_or_become_common(self) -> None:
        other = self._streams.common(self.key)
        if other is None:
            self._streams.make_common(self)
        elif other.started.is_set() and other.position <= self.position:
            for follower in self.followers:
                follower.seen, follower.stream = self.position, other
                other.followers[follower] = None
            self.followers.clear()
        # Else the other one is ahead: what it has already sent is still to come here, and the next mark is behind it.

    async def _take(self, event: Any) -> None:
        now = asyncio.get_running_loop().time
        begun = self._burst_begun if self._burst else now()
        delivery = await self._executed(event)
        if self.common:
            self._burst_begun = begun
            self._burst.append((cast("Placed", event).position, delivery))
            if len(self._burst) == _BURST or now() - begun > _BURST_SECONDS:
                await self._hand_out()
            return
        if self._wanted.shared:
            self.position = cast("Placed", event).position
        for follower in tuple(self.followers):
            follower.subscriber.deliver(delivery)
            await follower.subscriber.room()

    async def _executed(self, event: Any) -> Delivery:
        """What is sent of an event.

        Raises:
            Exception: the database is away. The stream ends, and clients resume behind the event before: one that was
                sent with an error in its place would be lost to them.
        """
        context = self._context.renewed()
        try:
            result = await self._wanted.execute(event, context)
        finally:
            await context.close()
        raise_passing(result.errors)
        return Delivery(encoded(body_of(result, self.id)).decode(), getattr(event, "cursor", None))

    async def _hand_out(self) -> None:
        burst, followers = self._burst, tuple(self.followers)
        if not burst:
            return
        self._burst, self.position = [], burst[-1][0]
        for start in range(0, len(followers), _AT_ONCE):
            for follower in followers[start : start + _AT_ONCE]:
                for position, delivery in burst:
                    if follower.seen < position and follower in self.followers:
                        follower.subscriber.deliver(delivery)
            await asyncio.sleep(0)


def _begin(work: Coroutine[Any, Any, None], name: str, tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """Do something in the background; it is among the tasks until it is done."""
    task = asyncio.create_task(work, name=name)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _key(wanted: Subscription, context: Context) -> Hashable:
    return wanted.key, held(context.actor)


def _anyone_like(actor: Actor) -> Actor:
    """Whoever has the same rights: what is shared must not depend on who came first."""
    return Actor("subscribers", held(actor))
