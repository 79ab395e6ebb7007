"""Silences as Alertmanager's clients handle them: posting one makes it or changes it."""

from datetime import datetime
from uuid import UUID

from opsgraph.domains.alerts.commands import silences as commands
from opsgraph.domains.alerts.model import Silence, SilenceInput
from opsgraph.kernel.actor import Actor
from opsgraph.storage.database import Database


async def post_silence(
    database: Database, actor: Actor, now: datetime, wanted: SilenceInput, id_: UUID | None, created_by: str | None
) -> Silence:
    """Make a silence, or change the one with the id, which may give it another id.

    Raises:
        NotFound: there is none with the id.
        Invalid: a value breaks a rule.
    """
    async with database.transaction(actor, now) as tx:
        if id_ is None:
            return await commands.create_silence(tx, wanted, created_by)
        return await commands.replace_silence(tx, id_, wanted, created_by)


async def expire_silence(database: Database, actor: Actor, now: datetime, id_: UUID) -> Silence:
    """End a silence now.

    Raises:
        NotFound: there is none with the id.
    """
    async with database.transaction(actor, now) as tx:
        return await commands.expire_silence(tx, id_)
