"""Making, replacing and ending silences and maintenance windows, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from opsgraph.domains.alerts.commands import silences as commands
from opsgraph.domains.alerts.model import (
    AlertChanged,
    AlertEventKind,
    MaintenanceWindowInput,
    Matcher,
    Silence,
    SilenceInput,
)
from opsgraph.domains.alerts.queries import silences as queries
from opsgraph.domains.alerts.queries.alerts import alerts_by_id
from opsgraph.domains.catalog import commands as catalog
from opsgraph.kernel.actor import SYSTEM, Actor, Role
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound
from opsgraph.storage.database import Database
from tests.support.alerts import API, HOUR, ended, make_alert, make_silence, make_window
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.incidents import make_incident

ANN = Actor("ann", frozenset({Role.RESPONDER}))
NOBODY = UUID(int=0)


async def stored(database: Database, silence: Silence) -> Silence:
    """The silence as stored."""
    async with database.reading() as session:
        return (await queries.silences_by_id(session, [silence.id]))[silence.id]


async def test_a_silence_begins_now_and_says_who_made_it(database: Database, clock: TestClock) -> None:
    """What was left out is decided; a start in the past is now."""
    matchers = (*API, Matcher("severity", "high|low", regex=True), Matcher("job", "", negative=True))
    async with database.transaction(ANN, clock.now()) as tx:
        made = await make_silence(tx, matchers, reason=" known \n", starts_at=START - HOUR)
    assert (made.matchers, made.reason, made.created_by) == (matchers, "known", "ann")
    assert (made.starts_at, made.ends_at) == (START, START + HOUR)
    assert await stored(database, made) == made


async def test_a_silence_is_made_once_for_a_key(database: Database, clock: TestClock) -> None:
    """A replay returns the first; the same key for another is a conflict."""
    async with database.transaction(ANN, clock.now()) as tx:
        first = await make_silence(tx, idempotency_key="k", ends_at=START + HOUR)
    async with database.transaction(ANN, clock.move(minutes=1)) as tx:
        assert await make_silence(tx, idempotency_key="k", ends_at=START + HOUR) == first
        with pytest.raises(Conflict):
            await make_silence(tx, idempotency_key="k", ends_at=START + 2 * HOUR)


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"matchers": ()}, "matchers", "at least one"),
        ({"matchers": (Matcher("a", ".*", regex=True),)}, "matchers", "alerts without its label"),
        ({"matchers": (Matcher("a", "b", negative=True), Matcher("c", ""))}, "matchers", "alerts without its label"),
        ({"matchers": (Matcher("a", "(", regex=True),)}, "matchers", "missing )"),
        ({"reason": " \n"}, "reason", "is empty"),
        ({"reason": "x" * 10_001}, "reason", "10001 characters"),
        ({"reason": "a\0"}, "reason", "U+0000"),
        ({"ends_at": START}, "ends_at", "in the future"),
        ({"ends_at": START - HOUR}, "ends_at", "in the future"),
        ({"starts_at": START + HOUR}, "ends_at", "not after the start"),
        ({"idempotency_key": ""}, "idempotencyKey", "is empty"),
    ],
)
async def test_what_is_no_silence_is_refused(
    database: Database, clock: TestClock, values: dict[str, Any], field: str, reason: str
) -> None:
    """The refusal names the field and says what would be right; nothing is stored."""
    async with database.transaction(ANN, clock.now()) as tx:
        with pytest.raises(Invalid) as refused:
            await make_silence(tx, **values)
        assert await queries.count_silences(tx.connection, None, clock.now()) == 0
    assert (refused.value.field, reason in refused.value.message) == ((field,), True)


async def test_an_author_that_a_sender_names_is_checked(database: Database, clock: TestClock) -> None:
    """Alertmanager's API says who made a silence; it is a name like any other."""
    wanted = SilenceInput(API, "known", START + HOUR)
    async with database.transaction(ANN, clock.now()) as tx:
        assert (await commands.create_silence(tx, wanted, "bob@example.org")).created_by == "bob@example.org"
        with pytest.raises(Invalid) as refused:
            await commands.create_silence(tx, wanted, "a\nb")
    assert refused.value.field == ("created_by",)


@pytest.mark.parametrize("starts_in", [timedelta(minutes=-5), timedelta(minutes=5)])
async def test_ending_a_silence_ends_it_now_and_again_changes_nothing(
    database: Database, clock: TestClock, starts_in: timedelta
) -> None:
    """Also one that has not begun, which then never was in force."""
    async with database.transaction(ANN, clock.now() + min(starts_in, timedelta(0))) as tx:
        made = await make_silence(tx, starts_at=START + starts_in, ends_at=START + HOUR)
    async with database.transaction(SYSTEM, clock.now()) as tx:
        over = await commands.expire_silence(tx, made.id)
    async with database.transaction(SYSTEM, clock.move(minutes=1)) as tx:
        assert await commands.expire_silence(tx, made.id) == over
    assert over == replace(made, starts_at=min(made.starts_at, START), ends_at=START)
    assert await stored(database, made) == over


async def test_what_is_not_there_cannot_be_ended_or_changed(database: Database, clock: TestClock) -> None:
    """Neither silences nor windows."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        with pytest.raises(NotFound):
            await commands.expire_silence(tx, NOBODY)
        with pytest.raises(NotFound):
            await commands.replace_silence(tx, NOBODY, SilenceInput(API, "known", START + HOUR))
        with pytest.raises(NotFound):
            await commands.save_maintenance_window(tx, MaintenanceWindowInput(NOBODY))


@pytest.mark.parametrize(
    ("starts_in", "changes", "same"),
    [
        (0, {"ends_at": START + 3 * HOUR}, True),
        (0, {"reason": "still known"}, True),
        (0, {"starts_at": START + timedelta(milliseconds=700)}, True),
        (0, {"starts_at": START + timedelta(minutes=30)}, False),
        (0, {"matchers": (*API, Matcher("job", "x"))}, False),
        (45, {"starts_at": START + timedelta(minutes=40)}, True),
        (45, {"starts_at": START}, False),
        (45, {"matchers": (Matcher("job", "x"),)}, False),
    ],
)
async def test_a_silence_is_replaced_as_alertmanager_does(
    database: Database, clock: TestClock, starts_in: int, changes: dict[str, Any], same: bool
) -> None:
    """What would rewrite the past ends the silence and makes another with a new id."""
    starts_at = START + timedelta(minutes=starts_in)
    async with database.transaction(ANN, clock.now()) as tx:
        made = await make_silence(tx, starts_at=starts_at, ends_at=START + 2 * HOUR)
    async with database.transaction(SYSTEM, clock.move(minutes=10)) as tx:
        wanted = SilenceInput(API, "known", START + 2 * HOUR, starts_at)
        changed = await commands.replace_silence(tx, made.id, replace(wanted, **changes), "bob")
    assert (changed.id == made.id, changed.created_by) == (same, "bob")
    assert await stored(database, changed) == changed
    assert same or (await stored(database, made)).ends_at == clock.now()


async def test_replacing_a_silence_that_has_ended_makes_another(database: Database, clock: TestClock) -> None:
    """What has ended stays as it was."""
    async with database.transaction(ANN, clock.now()) as tx:
        made = await make_silence(tx)
    async with database.transaction(ANN, clock.move(hours=2)) as tx:
        wanted = SilenceInput(API, "again", clock.now() + HOUR, made.starts_at)
        changed = await commands.replace_silence(tx, made.id, wanted)
    assert (changed.id != made.id, changed.starts_at) == (True, clock.now())
    assert await stored(database, made) == made


async def test_a_new_silence_mutes_what_fires_without_an_incident(database: Database, clock: TestClock) -> None:
    """What has an incident keeps it, what ended or is meant by nobody stays; each muted alert is told once."""
    async with database.transaction(ANN, clock.now()) as tx:
        incident = await make_incident(tx)
        meant = await make_alert(tx)
        others = [
            await make_alert(tx, incident_id=incident.id),
            await make_alert(tx, "web"),
            await make_alert(tx, silenced=True),
            await make_alert(tx, **ended()),
        ]
        tx.recorded.clear()
        await make_silence(tx)
        muted = replace(meant, silenced=True)
        assert tx.recorded == [AlertChanged(AlertEventKind.SILENCED, muted)]
        found = await alerts_by_id(tx.connection, [meant.id, *(alert.id for alert in others)])
    assert found == {alert.id: alert for alert in (muted, *others)}


async def test_a_silence_that_begins_later_mutes_nothing_yet(database: Database, clock: TestClock) -> None:
    """Nor does a window that has ended by now."""
    async with database.transaction(ANN, clock.now()) as tx:
        await make_service(tx)
        alert = await make_alert(tx)
        await make_silence(tx, starts_at=START + HOUR, ends_at=START + 2 * HOUR)
        window = await make_window(tx, "api", starts_at=START + HOUR, ends_at=START + 2 * HOUR)
        assert await commands.mute(tx, window) == []
        assert (await alerts_by_id(tx.connection, [alert.id]))[alert.id] == alert


async def test_a_window_is_for_services_by_name_and_follows_a_rename(database: Database, clock: TestClock) -> None:
    """Services are told by the names that they have now; each counts once."""
    async with database.transaction(ANN, clock.now()) as tx:
        await make_service(tx, "Api")
        await make_service(tx, "web")
        alert = await make_alert(tx, "API")
        made = await make_window(tx, "API", "web", "api")
        assert (made.services, made.matchers, made.created_by) == (("Api", "web"), (), "ann")
        assert (await alerts_by_id(tx.connection, [alert.id]))[alert.id].silenced
        await catalog.rename_service(tx, "api", "gateway")
        assert await queries.active_windows(tx.connection, clock.now()) == [replace(made, services=("gateway", "web"))]


async def test_saving_a_window_changes_what_is_named(database: Database, clock: TestClock) -> None:
    """What is left out stays, null clears, and it may be ended now."""
    async with database.transaction(ANN, clock.now()) as tx:
        await make_service(tx)
        made = await make_window(tx, "api", matchers=API, exclude_from_slos=True)
    async with database.transaction(SYSTEM, clock.move(minutes=1)) as tx:
        wanted = MaintenanceWindowInput(made.id, services=None, exclude_from_slos=None, ends_at=clock.now())
        changed = await commands.save_maintenance_window(tx, wanted)
        assert await queries.windows_by_id(tx.connection, [made.id]) == {made.id: changed}
    assert changed == replace(made, services=(), exclude_from_slos=False, ends_at=clock.now())


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"services": ()}, "services"),
        ({"services": ["api"] * 201}, "services"),
        ({"reason": None}, "reason"),
        ({"ends_at": None}, "ends_at"),
        ({"ends_at": START}, "ends_at"),
        ({"starts_at": START + HOUR}, "ends_at"),
        ({"matchers": (Matcher("a", "b", negative=True),)}, "matchers"),
    ],
)
async def test_what_is_no_window_is_refused(
    database: Database, clock: TestClock, values: dict[str, Any], field: str
) -> None:
    """A new one needs an end, a reason, and something that it is for."""
    async with database.transaction(ANN, clock.now()) as tx:
        await make_service(tx)
        with pytest.raises(Invalid) as refused:
            await make_window(tx, **{"services": ("api",), **values})
    assert refused.value.field == (field,)


async def test_a_window_for_an_unknown_service_is_not_found(database: Database, clock: TestClock) -> None:
    """It says which one."""
    async with database.transaction(ANN, clock.now()) as tx:
        with pytest.raises(NotFound, match="nowhere"):
            await make_window(tx, "nowhere")
