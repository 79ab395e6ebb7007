"""Facts: what a transaction says happened, for whoever reacts to it or follows it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class Topic(StrEnum):
    """What a feed is about; each entry of the event log belongs to one."""

    ALERTS = "alerts"
    INCIDENTS = "incidents"
    SERVICE_HEALTH = "service_health"
    READINESS = "readiness"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the event log keeps of a fact.

    Attributes:
        topic: the feed it belongs to.
        kind: what happened, within the topic.
        subject_id: what it happened to.
        facts: what the feed shows of the subject, as of the event: a mapping, or a dataclass, of values that JSON knows
            and of instants, ids and enums, which are written as texts.
    """

    topic: Topic
    kind: str
    subject_id: UUID
    facts: Any


@dataclass(frozen=True, slots=True)
class Event:
    """Base of every recorded fact; domains declare theirs in `model.py`.

    An event is recorded in the transaction that made it true and dies with its rollback.
    """

    def entry(self) -> Entry | None:
        """What the event log keeps of it; None if no feed shows it."""
        return None
