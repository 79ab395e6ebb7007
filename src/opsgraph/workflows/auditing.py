"""What is on record: acts that need a right, with the change that they make or, where there is none, by themselves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opsgraph.domains.access.commands import record_act
from opsgraph.kernel.actor import Actor
from opsgraph.kernel.refusals import RefusalCode
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx

LARGEST_DETAIL = 16_384
"""How many characters of JSON an entry keeps of what was asked for; whoever may do nothing could fill the log else."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody does, or tries to.

    Attributes:
        action: what, as the API calls it.
        asked: what was asked for; JSON-compatible.
        address: the network address that it came from, if it came from one.
    """

    action: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    address: str | None = None


async def record_done(tx: Tx, act: Act) -> None:
    """Have it on record, by the transaction that does it, that something was done."""
    await record_act(tx, act.action, allowed=True, detail=_bounded(act.asked), address=act.address)


async def record_refused(
    database: Database, actor: Actor, now: datetime, act: Act, code: RefusalCode, message: str
) -> None:
    """Have it on record that something was not done, and why, in a transaction of its own: the act's has ended."""
    why = {"code": code.value, "message": message}
    async with database.transaction(actor, now) as tx:
        await record_act(tx, act.action, allowed=False, detail={**_bounded(act.asked), **why}, address=act.address)


def _bounded(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    size = len(json.dumps(asked))
    return asked if size <= LARGEST_DETAIL else {"leftOut": f"{size:,} characters of JSON"}
