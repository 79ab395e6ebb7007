"""Duties as data: added, described otherwise and disabled, on both databases."""

from typing import Any

import pytest
from sqlalchemy import select

from opsgraph.domains.governance import commands, queries
from opsgraph.domains.governance.model import DutiesChanged, Duty, DutyInput, GovernanceChanged, GovernanceStatus
from opsgraph.domains.governance.rules import CHECKS, KEYS, MOST_ADDED
from opsgraph.domains.governance.tables import governance_duties, governance_implied
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome
from opsgraph.storage.writing import insert_all
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.statements import statements

RESTORE = DutyInput("restore_test", "A restore was tried this quarter.", "a restore test")


async def saved(database: Database, clock: TestClock, *wanted: DutyInput) -> list[Outcome]:
    """Save duties, each in a transaction of its own; gives what each came to."""
    outcomes = []
    for each in wanted:
        async with database.transaction(SYSTEM, clock.now()) as tx:
            outcomes.append((await commands.save_duty(tx, each)).outcome)
            assert tx.recorded == ([] if outcomes[-1] is Outcome.UNCHANGED else [DutiesChanged()])
    return outcomes


async def duties(database: Database) -> dict[str, Duty]:
    """All duties, by key."""
    async with database.reading() as session:
        return {duty.key: duty for duty in await queries.duties(session)}


async def test_an_added_duty_is_asked_of_every_service(database: Database, clock: TestClock) -> None:
    """It fails until it is recorded, and is recorded like the others; nothing recorded is still no check."""
    assert await saved(database, clock, RESTORE) == [Outcome.CREATED]
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids = [(await make_service(tx, name)).id for name in ("api", "silent")]
        for key in KEYS:
            await commands.set_check(tx, "api", key, passed=True)
        before = await queries.by_service(tx.connection, ids)
        await commands.set_check(tx, "api", "restore_test", passed=True)
        after = await queries.by_service(tx.connection, ids)
    assert before[ids[0]].status is GovernanceStatus.NEEDS_REVIEW
    assert before[ids[0]].checks[-1].message == "api has no record of a restore test"
    assert (after[ids[0]].status, len(after[ids[0]].checks)) == (GovernanceStatus.COMPLIANT, 6)
    assert after[ids[1]].checks == ()


async def test_what_was_left_out_stays(database: Database, clock: TestClock) -> None:
    """Each save changes what it names, and saying the same again changes nothing."""
    disabled = DutyInput("restore_test", enabled=False)
    reworded = DutyInput("restore_test", evidence="  a restore, tried ")
    outcomes = await saved(database, clock, RESTORE, disabled, disabled, reworded, reworded, DutyInput("restore_test"))
    assert outcomes == [Outcome.CREATED, *[Outcome.CHANGED, Outcome.UNCHANGED] * 2, Outcome.UNCHANGED]
    found = (await duties(database))["restore_test"]
    assert found == Duty("restore_test", str(RESTORE.description), "a restore, tried", enabled=False)


async def test_a_built_in_duty_is_described_otherwise_and_taken_back(database: Database, clock: TestClock) -> None:
    """Null is what is built in; saying what is built in anyway writes nothing."""
    async with unchanged(database):
        assert await saved(database, clock, DutyInput("ownership", evidence="an owner", enabled=True)) == ["UNCHANGED"]
    await saved(database, clock, DutyInput("ownership", "Somebody answers.", enabled=False))
    changed = await duties(database)
    assert changed["ownership"] == Duty("ownership", "Somebody answers.", "an owner", enabled=False)
    assert tuple(changed) == KEYS
    await saved(database, clock, DutyInput("ownership", description=None, enabled=None))
    assert tuple((await duties(database)).values()) == CHECKS


async def test_a_disabled_duty_is_no_check(database: Database, clock: TestClock) -> None:
    """Its answers are kept, count for nothing, and cannot be recorded until it is enabled again."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        await commands.set_check(tx, "api", "runbook", passed=True)
    await saved(database, clock, DutyInput("runbook", enabled=False))
    async with database.transaction(SYSTEM, clock.now()) as tx:
        with pytest.raises(Invalid, match="there are monitoring, ownership, documentation, incident_response"):
            await commands.set_check(tx, "api", "runbook", passed=False)
        assert (await queries.by_service(tx.connection, [service.id]))[service.id].checks == ()
        assert await queries.recorded_by_service(tx.connection, [service.id]) == {}
    await saved(database, clock, DutyInput("runbook", enabled=True))
    async with database.reading() as session:
        assert await queries.recorded_by_service(session, [service.id]) == {service.id: {"runbook": True}}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (DutyInput("Restore", "It is.", "it"), "key"),
        (DutyInput("restore_test", evidence="a restore test"), "description"),
        (DutyInput("restore_test", "It was tried."), "evidence"),
        (DutyInput("restore_test", None, "a restore test"), "description"),
        (DutyInput("restore_test", " \n", "a restore test"), "description"),
        (DutyInput("restore_test", "x" * 1_001, "a restore test"), "description"),
        (DutyInput("restore_test", "It was tried.", " "), "evidence"),
        (DutyInput("restore_test", "It was tried.", "a\nb"), "evidence"),
        (DutyInput("runbook", evidence="x" * 201), "evidence"),
        (DutyInput("runbook", description="\a"), "description"),
    ],
)
async def test_what_is_no_duty_is_refused(database: Database, clock: TestClock, wanted: DutyInput, field: str) -> None:
    """The refusal names the field and nothing is written."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        with pytest.raises(Invalid) as caught:
            await commands.save_duty(tx, wanted)
    assert caught.value.field == (field,)
    assert tuple(await duties(database)) == KEYS


async def test_there_is_an_end_to_duties(database: Database, clock: TestClock) -> None:
    """A hundred may be added; those that are there, and the built-in ones, may still be changed."""
    rows: list[dict[str, Any]] = [
        {"key": f"duty_{number}", "description": "It is.", "evidence": "it", "enabled": True}
        for number in range(MOST_ADDED)
    ]
    async with database.transaction(SYSTEM, clock.now()) as tx:
        stamps = {"created_at": tx.now, "updated_at": tx.now}
        await insert_all(tx, governance_duties, [{"id": tx.new_id(), **row, **stamps} for row in rows])
        with pytest.raises(Conflict, match="there are 100 duties"):
            await commands.save_duty(tx, RESTORE)
    known = [DutyInput("duty_7", enabled=False), DutyInput("runbook", enabled=False)]
    assert await saved(database, clock, *known) == [Outcome.CHANGED, Outcome.CREATED]


async def test_what_is_implied_is_all_that_is_implied(database: Database, clock: TestClock) -> None:
    """What a service no longer declares no longer counts; only services with another answer are told of."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api, web = [(await make_service(tx, name)).id for name in ("api", "web")]
        tx.recorded.clear()
        await commands.imply(tx, {api: {"runbook", "monitoring"}, web: {"runbook"}})
        await commands.imply(tx, {api: {"monitoring"}, web: {"runbook"}})
        assert tx.recorded == [GovernanceChanged(api), GovernanceChanged(web), GovernanceChanged(api)]
        with statements(database) as seen:
            await commands.imply(tx, {api: {"monitoring"}, web: {"runbook"}})
        assert len(seen) == 1
    async with database.reading() as session:
        assert await queries.implied_by_service(session, [api, web]) == {api: {"monitoring"}, web: {"runbook"}}


async def test_implied_answers_count_beside_recorded_ones_alone(database: Database, clock: TestClock) -> None:
    """A service without any recorded answer has no checks; with one, what it declares passes."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        await commands.imply(tx, {service.id: {"runbook"}})
        assert (await queries.by_service(tx.connection, [service.id]))[service.id].checks == ()
        assert await queries.recorded_by_service(tx.connection, [service.id]) == {}
        await commands.set_check(tx, "api", "ownership", passed=False)
        found = (await queries.by_service(tx.connection, [service.id]))[service.id]
        assert [check.name for check in found.checks if check.passed] == ["runbook"]
        await commands.set_check(tx, "api", "runbook", passed=False)
        explicit = (await queries.by_service(tx.connection, [service.id]))[service.id]
        assert explicit.checks[0].message == "api lacks a runbook"
        assert len((await tx.connection.execute(select(governance_implied))).all()) == 1
