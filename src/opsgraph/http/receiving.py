"""What the endpoints that take in alerts share: a batch is submitted, and answered once it is committed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from opsgraph.domains.access.rules import require_service
from opsgraph.domains.alerts.model import AlertReport, Refused, Reports, Taken
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.kernel.clock import Clock
from opsgraph.kernel.refusals import Forbidden

SENDERS = (Role.INGEST, Role.RESPONDER)
"""Who may send alerts: keys for nothing else, and people."""

ResultT = TypeVar("ResultT")
_LARGE = 256 * 1024
_log = structlog.get_logger("opsgraph.http")


class Submitting(Protocol):
    """The intake: takes in reports, and answers once all that can be is committed."""

    async def submit(self, reports: Sequence[AlertReport]) -> Sequence[Taken | Refused]:
        """What became of each, in their order; raises when the database is away."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a batch: of each member by its place what was stored, and what was refused."""

    taken: Sequence[tuple[int, Taken]]
    refused: Sequence[Refused]


@dataclass(frozen=True, slots=True)
class Reception:
    """Where alerts are handed in.

    Attributes:
        intake: takes them in.
        clock: where the present comes from.
    """

    intake: Submitting
    clock: Clock

    async def receive(self, reports: Reports, actor: Actor) -> Received:
        """Store what can be stored of a batch, all of it before this returns; says what could not.

        Of a sender that is bound to a service, that is what is about this service.

        Raises:
            Unavailable: the database is away.
        """
        for warning in reports.warnings:
            _log.warning("alerts_left_out", reason=warning)
        accepted, foreign = _sorted_out(reports.accepted, actor)
        answers = await self.intake.submit([report for _, report in accepted])
        taken: list[tuple[int, Taken]] = []
        refused = [*reports.refused, *foreign]
        for (index, _), answer in zip(accepted, answers, strict=True):
            if isinstance(answer, Refused):
                refused.append(Refused(index, answer.reason))
            else:
                taken.append((index, answer))
        return Received(taken, sorted(refused, key=lambda each: each.index))


async def parsed(read: Callable[..., ResultT], body: bytes, *arguments: Any) -> ResultT:
    """Read a body; a large one beside the event loop, which has others to serve meanwhile."""
    if len(body) < _LARGE:
        return read(body, *arguments)
    return await asyncio.to_thread(read, body, *arguments)


def reporter_of(actor: Actor, source: str) -> str:
    """On whose behalf a sender reports: its key's name, or the kind of source where there are no keys."""
    return f"integration:{source if actor == LOCAL else actor.name}"


def _sorted_out(
    accepted: list[tuple[int, AlertReport]], actor: Actor
) -> tuple[list[tuple[int, AlertReport]], list[Refused]]:
    """What an actor may send of a batch, and what they may not because it is about another service than theirs."""
    if actor.service is None:
        return accepted, []
    own, foreign = [], []
    for index, report in accepted:
        try:
            require_service(actor, report.service, "sending alerts")
            own.append((index, report))
        except Forbidden as refusal:
            foreign.append(Refused(index, refusal.message))
    return own, foreign
