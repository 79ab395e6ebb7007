"""Writes of the access domain."""

from dataclasses import replace
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
    checked = replace(wanted, name=free_name(wanted.name))
    values: dict[str, Any] = {**given(checked), "name_key": name_key(checked.name)}
    if values.get("email") is not None:
        values["email"] = rules.email(values["email"])
    if values.get("time_zone") is not None:
        values["time_zone"] = rules.time_zone(values["time_zone"])
    query = select(users).where(users.c.name_key == values["name_key"])
    saved = await save_row(tx, users, query, values)
    return Saved(user_of(saved.value), saved.outcome)
