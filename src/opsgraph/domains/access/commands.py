"""Writes of the access domain."""

from typing import Any

from sqlalchemy import select

from opsgraph.domains.access import rules
from opsgraph.domains.access.model import User, UserInput
from opsgraph.domains.access.queries import user_of
from opsgraph.domains.access.tables import users
from opsgraph.kernel.changes import given
from opsgraph.kernel.text import free_name, name_key
from opsgraph.storage.saving import Saved, save_row
from opsgraph.storage.transactions import Tx


async def save_user(tx: Tx, wanted: UserInput) -> Saved[User]:
    """Create or update a user by name (or, for an imported one, by origin).

    Raises:
        Invalid: the name, mail address or time zone is not one.
    """
    name = free_name(wanted.name)
    named = {"name": name, "name_key": name_key(name)}
    values: dict[str, Any] = given(wanted, "email", "time_zone", "origin")
    if values.get("email") is not None:
        values["email"] = rules.email(values["email"])
    if values.get("time_zone") is not None:
        values["time_zone"] = rules.time_zone(values["time_zone"])
    query = select(users).where(users.c.name_key == named["name_key"])
    saved = await save_row(tx, users, query, values, created_with=named)
    return Saved(user_of(saved.value), saved.outcome)
