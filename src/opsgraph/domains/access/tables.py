"""Tables of the access domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from opsgraph.storage.columns import Instant, KeyText, table_of


class UserAccount(SQLModel, table=True):
    """A person who is a member of teams, is on call, or acts."""

    __tablename__ = "user_account"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),)

    id: UUID = Field(primary_key=True)
    name: str
    name_key: str = Field(sa_type=KeyText, unique=True)
    email: str | None = None
    time_zone: str | None = None
    active: bool = True
    origin: str | None = Field(default=None, unique=True)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


users = table_of(UserAccount)
