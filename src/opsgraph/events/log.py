"""The log itself: entries are appended just before a commit, in the order of commits, and read back by place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, func, insert, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.events.tables import event_logs, events
from opsgraph.kernel.events import Entry, Topic
from opsgraph.storage.columns import Instant
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.rows import AnyRow, AnySelect
from opsgraph.storage.transactions import Tx

LOG = "event"
"""The name of the log in the table of logs."""

_LAST_LOCK = 0x6F707365  # "opse"
_ALL = frozenset(Topic)
_COLUMNS = (events.c.id, events.c.topic, events.c.kind, events.c.subject_id, events.c.facts, events.c.recorded_at)
_LOCK = Prepared(lambda _: select(func.pg_advisory_xact_lock(_LAST_LOCK)))
_APPEND = Prepared(
    lambda _: text("""
INSERT INTO event (topic, kind, subject_id, facts, recorded_at)
SELECT topic, kind, subject_id, facts, :now
FROM unnest(CAST(:topics AS text[]), CAST(:kinds AS text[]), CAST(:subjects AS uuid[]), CAST(:facts AS text[]))
  WITH ORDINALITY AS entry(topic, kind, subject_id, facts, place)
ORDER BY place
""").bindparams(bindparam("now", type_=Instant))
)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An entry of the log.

    Attributes:
        position: its place; a later commit has a greater one.
        topic: the feed it belongs to.
        kind: what happened, within the topic.
        subject_id: what it happened to.
        facts: JSON-compatible values as of the event.
        recorded_at: the instant of the transaction that made it true.
    """

    position: int
    topic: Topic
    kind: str
    subject_id: UUID
    facts: Mapping[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LogState:
    """A log as a whole: which one it is, through which place it was pruned, and its last place."""

    log_id: UUID
    pruned_through: int
    head: int

    def reaches(self, position: int) -> bool:
        """Whether everything that came after a place is still there."""
        return self.pruned_through <= position <= self.head


class EventLog:
    """Keeps what transactions record, so that places are in the order of commits."""

    async def append(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Append entries in their order: one statement, and on PostgreSQL one lock before it.

        The lock is held until the commit: whoever commits later also takes its places later. It is the last lock that a
        transaction takes, so that nobody deadlocks. SQLite has one writer at a time anyway.
        """
        if tx.connection.dialect.name == "postgresql":
            await _LOCK.run(tx.connection)
            await _APPEND.run(tx.connection, **_arrays(tx, entries))
        else:
            await tx.connection.execute(insert(events), [_row(tx, entry) for entry in entries])


async def read(session: AsyncConnection, topics: Collection[Topic], after: int, limit: int) -> list[LoggedEvent]:
    """The first events of these topics after a place, in order."""
    if not topics:
        return []
    parts = [_of_topic(topic, after, limit) for topic in sorted(topics)]
    query = _after(after, limit) if _ALL.issubset(topics) else union_all(*parts).order_by("id").limit(limit)
    return [_event(row) for row in await session.execute(query)]


async def state(session: AsyncConnection) -> LogState:
    """The log as a whole, in one statement."""
    last = select(func.max(events.c.id)).scalar_subquery()
    query = select(event_logs.c.log_id, event_logs.c.pruned_through, last).where(event_logs.c.name == LOG)
    log_id, pruned_through, newest = (await session.execute(query)).one()
    return LogState(log_id, pruned_through, max(newest or 0, pruned_through))


def _after(after: int, limit: int) -> AnySelect:
    return select(*_COLUMNS).where(events.c.id > after).order_by(events.c.id).limit(limit)


def _of_topic(topic: Topic, after: int, limit: int) -> AnySelect:
    # Each topic by itself is a range of its index, whatever the database thinks of several at once.
    return select(_after(after, limit).where(events.c.topic == topic.value).subquery())


def _event(row: AnyRow) -> LoggedEvent:
    facts = orjson.loads(row.facts)
    return LoggedEvent(row.id, Topic(row.topic), row.kind, row.subject_id, facts, row.recorded_at)


def _row(tx: Tx, entry: Entry) -> dict[str, Any]:
    return {
        "topic": entry.topic.value,
        "kind": entry.kind,
        "subject_id": entry.subject_id,
        "facts": _written(entry),
        "recorded_at": tx.now,
    }


def _arrays(tx: Tx, entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "topics": [entry.topic.value for entry in entries],
        "kinds": [entry.kind for entry in entries],
        "subjects": [entry.subject_id for entry in entries],
        "facts": [_written(entry) for entry in entries],
        "now": tx.now,
    }


def _written(entry: Entry) -> str:
    # The default is for UUIDs as a driver makes them, of a class of its own.
    return orjson.dumps(entry.facts, default=str, option=orjson.OPT_UTC_Z).decode()
