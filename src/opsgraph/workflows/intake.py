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
from itertools import chain

import structlog

from opsgraph.domains.alerts.commands.repeating import repeat_all
from opsgraph.domains.alerts.model import Action, AlertReport, Refused, Taken
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


@dataclass(slots=True)
class _Group:
    """The requests that share a commit; their reports are counted from the first one of the first request.

    Attributes:
        requests: the requests.
        taken: what became of the reports, by place.
        failures: what those that could not be stored failed with.
    """

    requests: Sequence[_Request]
    taken: dict[int, Taken] = field(default_factory=dict)
    failures: dict[int, Exception] = field(default_factory=dict)

    def reports(self) -> list[AlertReport]:
        return list(chain.from_iterable(request.reports for request in self.requests))

    def answer(self) -> None:
        """Answer each request for itself."""
        start = 0
        for request in self.requests:
            places = range(start, start := start + len(request.reports))
            if not request.answered.done():
                self._answer(request, places)

    def _answer(self, request: _Request, places: range) -> None:
        """What no database takes is refused; what is a mistake of ours fails the request, so that it is sent again."""
        failures = {place: self.failures[place] for place in places if place in self.failures} if self.failures else {}
        mistake = next((error for error in failures.values() if not _is_to_blame(error)), None)
        if mistake is not None:
            request.answered.set_exception(mistake)
            return
        refused = {place: Refused(place - places.start, "this alert cannot be stored") for place in failures}
        request.answered.set_result([refused.get(place) or self.taken[place] for place in places])

    def fail(self, error: Exception) -> None:
        if not isinstance(error, Unavailable):
            _log.error("intake_failed", exc_info=error)
        for request in self.requests:
            if not request.answered.done():
                request.answered.set_exception(error)


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
        if 0 < len(reports) <= MOST_AT_ONCE:
            return await self._submit(reports)
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
            group = _Group(self._next_requests())
            try:
                for batch in rounds(group.reports()):
                    await self._take_round(group, batch)
            except Exception as error:  # noqa: BLE001 - whatever happens to this group, the next one is served
                group.fail(error)
            else:
                group.answer()

    def _next_requests(self) -> list[_Request]:
        group: list[_Request] = []
        size = 0
        while self._queue and size + len(self._queue[0].reports) <= MOST_AT_ONCE:
            group.append(self._queue.popleft())
            size += len(group[-1].reports)
        self._queued -= size
        return group

    async def _take_round(self, group: _Group, batch: Sequence[Folded]) -> None:
        """Take in reports of which no two are of one alert."""
        try:
            left = await self._repeat(group, batch)
            missed = await self._commit(group, left) if left else []
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whichever report it is and whatever is wrong, the others are stored
            await self._halve(group, batch, error)
            return
        if missed:
            await self._take_round(group, missed)

    async def _halve(self, group: _Group, batch: Sequence[Folded], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._take_round(group, batch[:middle])
            await self._take_round(group, batch[middle:])
            return
        for place in batch[0].places:
            group.failures[place] = error
        fingerprint = ascii(batch[0].report.fingerprint)
        if _is_to_blame(error):
            _log.warning("alert_refused", fingerprint=fingerprint, reason=ascii(str(error))[:_LONGEST_REASON])
        else:
            _log.error("alert_failed", fingerprint=fingerprint, exc_info=error)

    async def _repeat(self, group: _Group, batch: Sequence[Folded]) -> Sequence[Folded]:
        """Count the reports at once if that is all there is to do; gives those that are left to be taken in."""
        if any(folded.report.action is not Action.FIRE for folded in batch):
            return batch
        try:
            counted = await repeat_all(self._database, batch, self._clock.now())
        except Exception:  # noqa: BLE001 - whatever is wrong, taking them in will find out whose fault it is
            return batch
        if not counted:
            return batch
        for folded in batch:
            if (taken := counted.get(folded.report.fingerprint)) is not None:
                group.taken |= dict.fromkeys(folded.places, taken)
        return [folded for folded in batch if folded.report.fingerprint not in counted]

    async def _commit(self, group: _Group, batch: Sequence[Folded]) -> list[Folded]:
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
                group.taken |= current.taken
                return current.missed
        _log.warning("database_away", error=str(failure))
        raise Unavailable("the database is away") from failure


def _moved(answer: Answer, by: int) -> Answer:
    """An answer within a part of a request, as one within the whole."""
    return replace(answer, index=answer.index + by) if isinstance(answer, Refused) else answer


def _is_to_blame(error: Exception) -> bool:
    """Whether a report, alone in its transaction, is what cannot be stored; anything else is a mistake of ours."""
    return isinstance(error, Refusal) or is_of_the_data(error)
