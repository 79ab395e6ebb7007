"""The intake: requests share commits, a bad alert fails alone, and nothing is answered that is not stored."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError, ProgrammingError

from opsgraph.domains.alerts.model import AlertOutcome, Refused, Taken
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workflows import alerting, intake
from opsgraph.workflows.correlating import Alerting
from opsgraph.workflows.intake import Intake, Unavailable
from tests.support.clock import TestClock
from tests.support.intake import Desk, opened, report, reports
from tests.support.waiting import until

UNSTORABLE = "\ud800"


@pytest.fixture
async def desk(settings: Settings, clock: TestClock, database: Database) -> AsyncIterator[Desk]:
    """One process that takes in alerts."""
    async with opened(settings, clock) as started:
        yield started


class Commits:
    """Counts the commits of a database."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.engine.sync_engine, "commit", self._note)

    def _note(self, _connection: Any) -> None:
        self.count += 1


def outcomes(answers: list[intake.Answer]) -> list[AlertOutcome | str]:
    """What became of each report, or why it could not be stored."""
    return [answer.outcome if isinstance(answer, Taken) else answer.reason for answer in answers]


async def test_requests_that_come_together_share_a_commit(desk: Desk) -> None:
    """A hundred of them; each is answered for itself."""
    commits = Commits(desk.core.database)
    answers = await asyncio.gather(*(desk.intake.submit([report(number)]) for number in range(100)))
    assert commits.count == 1
    assert [outcomes(answer) for answer in answers] == [["NEW_INCIDENT"], *[["ATTACHED"]] * 99]


async def test_requests_that_come_while_one_commits_wait_for_the_next(desk: Desk) -> None:
    """And share that: there is no timer."""
    commits = Commits(desk.core.database)
    first = asyncio.create_task(desk.intake.submit([report(0)]))
    await asyncio.sleep(0)  # the first is submitted
    await until(lambda: not desk.intake._queued)  # and its transaction is begun
    others = [asyncio.create_task(desk.intake.submit([report(number)])) for number in range(1, 20)]
    await asyncio.gather(first, *others)
    assert commits.count == 2
    assert await desk.counts_agree()


async def test_the_answer_comes_after_the_commit(desk: Desk) -> None:
    """What is answered is there for every other connection."""
    for number in range(5):
        await desk.take(report(number))
        assert len(await desk.alerts()) == number + 1


async def test_nothing_submitted_is_nothing_done(desk: Desk) -> None:
    """An empty batch is a fine batch."""
    commits = Commits(desk.core.database)
    assert await desk.intake.submit([]) == []
    assert commits.count == 0


async def test_a_poisoned_alert_fails_alone(desk: Desk) -> None:
    """With its place; the rest of its batch, and the requests that shared its commit, are stored."""
    bad = report(message=UNSTORABLE, fingerprint="bad")
    batch = [*reports(20), bad, *reports(20, first=21)]
    mixed, alone, other = await asyncio.gather(
        desk.intake.submit(batch), desk.intake.submit([bad]), desk.intake.submit([report(99, service="web")])
    )
    assert mixed[20] == Refused(20, "this alert cannot be stored")
    assert alone == [Refused(0, "this alert cannot be stored")]
    assert all(isinstance(answer, Taken) for answer in [*mixed[:20], *mixed[21:], *other])
    assert len(await desk.alerts()) == 41
    assert await desk.counts_agree()


async def test_a_mistake_of_ours_fails_its_request_and_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no refusal: the sender is to send it again."""
    take = alerting.take

    async def mistaken(tx: Any, batch: Any, alerting: Any) -> Any:
        if any(folded.report.message == "cursed" for folded in batch):
            raise RuntimeError("a mistake")
        return await take(tx, batch, alerting)

    monkeypatch.setattr(intake, "take", mistaken)
    cursed = asyncio.create_task(desk.intake.submit([report(1, message="cursed"), report(2)]))
    fine = asyncio.create_task(desk.intake.submit([report(3)]))
    with pytest.raises(RuntimeError, match="a mistake"):
        await cursed
    assert outcomes(await fine) in (["NEW_INCIDENT"], ["ATTACHED"])
    assert sorted(alert.fingerprint for alert in await desk.alerts()) == ["api:2", "api:3"]


async def test_a_database_that_is_away_refuses_everything_as_unavailable(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again first; when it is back, the same succeeds."""
    tries = 0
    take = alerting.take

    async def away(tx: Any, batch: Any, alerting: Any) -> Any:
        nonlocal tries
        tries += 1
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(intake, "take", away)
    with pytest.raises(Unavailable):
        await desk.intake.submit(reports(3))
    assert tries == 3
    monkeypatch.setattr(intake, "take", take)
    assert outcomes(await desk.intake.submit(reports(1))) == ["NEW_INCIDENT"]


async def test_a_schema_that_is_not_as_expected_refuses_nobody(desk: Desk) -> None:
    """As during an upgrade: it is no fault of the alert, and whoever sends it is to send it again."""
    async with desk.core.database.transaction(SYSTEM, desk.core.clock.now()) as tx:
        await tx.connection.exec_driver_sql("ALTER TABLE incident_slot RENAME TO elsewhere")
        await tx.connection.exec_driver_sql("ALTER TABLE incident RENAME TO incident_elsewhere")
    try:
        with pytest.raises((Unavailable, ProgrammingError)):
            await desk.intake.submit([report()])
    finally:
        async with desk.core.database.transaction(SYSTEM, desk.core.clock.now()) as tx:
            await tx.connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO incident_slot")
            await tx.connection.exec_driver_sql("ALTER TABLE incident_elsewhere RENAME TO incident")
    assert outcomes(await desk.intake.submit([report()])) == ["NEW_INCIDENT"]


async def test_a_connection_that_is_lost_once_costs_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group is tried again on another one, not cut in pieces."""
    take, lost = alerting.take, list[int]()

    async def flaky(tx: Any, batch: Any, alerting: Any) -> Any:
        current = await take(tx, batch, alerting)
        if not lost:
            lost.append(len(batch))
            raise OperationalError("COMMIT", {}, Exception("gone"))
        return current

    monkeypatch.setattr(intake, "take", flaky)
    assert outcomes(await desk.intake.submit(reports(3))) == ["NEW_INCIDENT", "ATTACHED", "ATTACHED"]
    assert lost == [3]


async def test_too_much_to_do_is_refused_and_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that memory is bounded; senders come again."""
    monkeypatch.setattr(intake, "MOST_WAITING", 10)
    waiting = [asyncio.create_task(desk.intake.submit(reports(5, first=5 * n))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await asyncio.gather(*waiting)
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(await desk.alerts()) == 10


async def test_a_group_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit waits for the next commit; one request that is larger is taken in part by part."""
    monkeypatch.setattr(intake, "MOST_AT_ONCE", 10)
    commits = Commits(desk.core.database)
    await asyncio.gather(*(desk.intake.submit(reports(size, service=f"s{size}")) for size in (6, 4, 7)))
    assert commits.count == 2
    bad = report(message=UNSTORABLE, fingerprint="bad")
    answers = await desk.intake.submit([*reports(24, service="large"), bad])
    assert outcomes(answers)[:24] == ["NEW_INCIDENT", *["ATTACHED"] * 23]
    assert answers[24] == Refused(24, "this alert cannot be stored")
    assert len(await desk.alerts()) == 41


async def test_closing_waits_for_what_was_submitted(desk: Desk) -> None:
    """A server that stops has stored what it will answer."""
    submitted = asyncio.create_task(desk.intake.submit(reports(3)))
    await asyncio.sleep(0)
    await desk.intake.close()
    assert len(await desk.alerts()) == 3
    assert len(await submitted) == 3


async def test_a_request_that_is_given_up_holds_nobody_up(desk: Desk) -> None:
    """Its alerts are stored all the same: they were accepted before."""
    given_up = asyncio.create_task(desk.intake.submit([report(1)]))
    await asyncio.sleep(0)
    given_up.cancel()
    assert outcomes(await desk.intake.submit([report(2)])) in (["ATTACHED"], ["NEW_INCIDENT"])
    assert len(await desk.alerts()) == 2


async def test_two_intakes_take_turns_on_one_database(desk: Desk, clock: TestClock) -> None:
    """As two processes do: the alert that both report is one."""
    other = Intake(desk.core.database, clock, Alerting())
    both = await asyncio.gather(*(each.submit([report()]) for each in (desk.intake, other)))
    assert sorted(outcomes(answer)[0] for answer in both) == ["DEDUPLICATED", "NEW_INCIDENT"]
    assert [alert.occurrences for alert in await desk.alerts()] == [2]
