"""What follows a new incident: who is on call, escalation, notifications. None of it can undo the incident."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from opsgraph.domains.incidents.commands import timeline
from opsgraph.domains.incidents.model import Incident, NewEntry, TimelineEntryType
from opsgraph.kernel.text import TEXT_LENGTH, printable
from opsgraph.storage.transactions import Tx

_log = structlog.get_logger("opsgraph.followers")


class Follower(Protocol):
    """A part that has something to do when incidents are opened, in the same transaction.

    It writes what is to be done; nothing leaves the process before the commit.
    """

    name: str

    async def follow(self, tx: Tx, opened: Sequence[Incident]) -> None:
        """Do it for all incidents of a transaction at once; whatever is raised takes back this part alone."""
        ...


async def follow(tx: Tx, followers: Sequence[Follower], opened: Sequence[Incident]) -> None:
    """Let each part follow, in a savepoint for the whole group; a part that fails is told in the timelines."""
    if not opened:
        return
    for follower in followers:
        try:
            async with tx.savepoint():
                await follower.follow(tx, opened)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, the incidents are kept
            _log.exception("follower_failed", follower=follower.name)
            reason = printable(f"{type(error).__name__}: {error}")[:TEXT_LENGTH]
            detail = {"part": follower.name, "reason": reason}
            entries = [NewEntry(incident.id, TimelineEntryType.FAILED, "system", detail) for incident in opened]
            await timeline.append(tx, entries)
