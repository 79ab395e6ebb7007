"""Tables of the event log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Text
from sqlmodel import Field, SQLModel

from opsgraph.kernel.events import Topic
from opsgraph.storage.columns import Instant, Position, one_of, table_of


class EventRow(SQLModel, table=True):
    """One entry of the event log; append-only. Its id is its place, and ids are in the order of commits."""

    __tablename__ = "event"
    __table_args__ = (
        one_of("topic", Topic),
        Index("ix_event_topic", "topic", "id"),
        {"sqlite_autoincrement": True},  # or ids of pruned events would be given again
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Position)
    topic: str
    kind: str
    subject_id: UUID
    facts: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=Instant)


class EventLogRow(SQLModel, table=True):
    """A log as a whole: which one it is, and through which event it was pruned."""

    __tablename__ = "event_log"
    __table_args__ = (CheckConstraint("pruned_through >= 0", name="pruned_through"),)

    name: str = Field(primary_key=True)
    log_id: UUID
    pruned_through: int = Field(default=0, sa_type=BigInteger)


events = table_of(EventRow)
event_logs = table_of(EventLogRow)
