"""The intake of a process: requests that come while one commit runs share the next one.

One task lets what has arrived be read, takes everything that waits, folds it, writes it in one transaction and then
answers; there is no timer. So a lone request does not wait for company, and under load a commit serves many.

A report that the database refuses fails alone: the group is cut in halves until it is found. A lost connection is not
the reports' fault: the group is tried again, and if the database stays away, all of it is refused as unavailable.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from opsgraph.domains.alerts.model import AlertReport, Refused, Taken
from opsgraph.domains.alerts.rules.absorbing import Folded, rounds
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.clock import Clock
from opsgraph.kernel.refusals import Refusal
from opsgraph.storage.database import Database
from opsgraph.storage.failures import is_of_the_data, is_passing, violates
from opsgraph.storage.writing import in_chunks
from opsgraph.workflows.alerting import take
from opsgraph.workflows.correlating import Alerting

MOST_AT_ONCE = 4_000
"""How many reports one transaction takes in; a request that has more is taken in part by part."""

MOST_WAITING = 100_000
"""How many reports wait at most; beyond it, senders are asked to come again."""

_TRIES = 3
_TURNS = 3
"""How often others get a turn before a group is closed: what has arrived joins it, and nothing is waited for."""

_LONGEST_REASON = 500
_log = structlog.get_logger("opsgraph.intake")


class Unavailable(Exception):  # noqa: N818 - named for the answer
    """The database is away, or there is too much to do: the same may succeed soon."""


Answer = Taken | Refused
"""What became of a report, or why it could not be stored."""


@dataclass(slots=True)
class _Request:
    reports: Sequence[AlertReport]
    answered: asyncio.Future[list[Answer]]
    answers: dict[int, Answer] = field(default_factory=dict)
    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One report of a request, by its place there."""

    request: _Request
    place: int

    def answer(self, answer: Answer) -> None:
        self.request.answers[self.place] = answer

    def fail(self, error: Exception) -> None:
        """Refuse what no database takes; what is a mistake of ours fails the request, so that it is sent again."""
        if _is_to_blame(error):
            self.answer(Refused(self.place, "this alert cannot be stored"))
        else:
            self.request.failure = error


class Intake:
    """Takes in the alerts of one process.

    Args:
        database: where to.
        clock: where the present comes from.
        alerting: how alerts are taken in; people who end or open something go by the same.
    """

    def __init__(self, database: Database, clock: Clock, alerting: Alerting) -> None:
        self._database = database
        self._clock = clock
        self.alerting = alerting
        self._queue: deque[_Request] = deque()
        self._queued = 0
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, reports: Sequence[AlertReport]) -> list[Answer]:
        """Take in reports; answers, in their order, once all that could be stored is committed.

        Raises:
            Unavailable: the database is away or there is too much to do; nothing, or only a part, was stored.
        """
        answers: list[Answer] = []
        for part in in_chunks(reports, MOST_AT_ONCE):
            answers += [_moved(answer, len(answers)) for answer in await self._submit(part)]
        return answers

    async def _submit(self, reports: Sequence[AlertReport]) -> list[Answer]:
        if self._queued and self._queued + len(reports) > MOST_WAITING:
            raise Unavailable("too many alerts wait to be stored")
        request = _Request(reports, asyncio.get_running_loop().create_future())
        self._queue.append(request)
        self._queued += len(reports)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="intake")
        return await request.answered

    async def close(self) -> None:
        """Wait until all that was submitted is answered."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        while self._queue:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            group = self._next_group()
            waiting = [_Waiting(request, place) for request in group for place in range(len(request.reports))]
            try:
                await self._take_in(waiting)
            except Exception as error:  # noqa: BLE001 - whatever happens to this group, the next one is served
                _fail(group, error)
            else:
                _answer(group)

    def _next_group(self) -> list[_Request]:
        group: list[_Request] = []
        size = 0
        while self._queue and size + len(self._queue[0].reports) <= MOST_AT_ONCE:
            group.append(self._queue.popleft())
            size += len(group[-1].reports)
        self._queued -= size
        return group

    async def _take_in(self, waiting: Sequence[_Waiting]) -> None:
        """Take in reports round by round; in each, no alert comes twice."""
        for batch in rounds([each.request.reports[each.place] for each in waiting]):
            await self._take_round(waiting, batch)

    async def _take_round(self, waiting: Sequence[_Waiting], batch: Sequence[Folded]) -> None:
        try:
            missed = await self._commit(waiting, batch)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whichever report it is and whatever is wrong, the others are stored
            await self._halve(waiting, batch, error)
            return
        if missed:
            await self._take_round(waiting, missed)

    async def _halve(self, waiting: Sequence[_Waiting], batch: Sequence[Folded], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._take_round(waiting, batch[:middle])
            await self._take_round(waiting, batch[middle:])
            return
        for place in batch[0].places:
            waiting[place].fail(error)
        fingerprint = ascii(batch[0].report.fingerprint)
        if _is_to_blame(error):
            _log.warning("alert_refused", fingerprint=fingerprint, reason=ascii(str(error))[:_LONGEST_REASON])
        else:
            _log.error("alert_failed", fingerprint=fingerprint, exc_info=error)

    async def _commit(self, waiting: Sequence[_Waiting], batch: Sequence[Folded]) -> list[Folded]:
        """Write a round in one transaction; gives the reports whose alerts ended meanwhile.

        Raises:
            Unavailable: the database is away.
            Exception: the database refuses one of the reports.
        """
        for _ in range(_TRIES):
            try:
                async with self._database.transaction(SYSTEM, self._clock.now()) as tx:
                    current = await take(tx, batch, self.alerting)
            except Exception as error:
                if not (is_passing(error) or violates(error, "uq_alert_firing", "alert.fingerprint")):
                    raise
                failure = error
            else:
                for place, taken in current.taken.items():
                    waiting[place].answer(taken)
                return current.missed
        _log.warning("database_away", error=str(failure))
        raise Unavailable("the database is away") from failure


def _moved(answer: Answer, by: int) -> Answer:
    """An answer within a part of a request, as one within the whole."""
    return replace(answer, index=answer.index + by) if isinstance(answer, Refused) else answer


def _is_to_blame(error: Exception) -> bool:
    """Whether a report, alone in its transaction, is what cannot be stored; anything else is a mistake of ours."""
    return isinstance(error, Refusal) or is_of_the_data(error)


def _answer(group: Sequence[_Request]) -> None:
    for request in group:
        if request.answered.done():
            continue
        if request.failure is not None:
            request.answered.set_exception(request.failure)
        else:
            request.answered.set_result([request.answers[place] for place in range(len(request.reports))])


def _fail(group: Sequence[_Request], error: Exception) -> None:
    if not isinstance(error, Unavailable):
        _log.error("intake_failed", exc_info=error)
    for request in group:
        if not request.answered.done():
            request.answered.set_exception(error)
