"""What follows an incident cannot undo it: each part may fail, in turn, and the timeline says so."""

from collections.abc import Sequence
from uuid import UUID

import orjson
import pytest
from sqlalchemy import insert, select, text

from opsgraph.domains.incidents.model import Incident
from opsgraph.domains.incidents.tables import notes, timeline
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.clock import TestClock
from tests.support.intake import Desk, opened, report

PARTS = ("oncall", "escalation", "notifications")


class Part:
    """A follower that writes a note on each incident, and then fails if it is told to."""

    def __init__(self, name: str, failure: str | None = None) -> None:
        self.name = name
        self._failure = failure

    async def follow(self, tx: Tx, opened: Sequence[Incident]) -> None:
        """Write, and fail or not."""
        for incident in opened:
            row = {"id": tx.new_id(), "incident_id": incident.id, "author": self.name, "content": "followed"}
            await tx.connection.execute(insert(notes).values(**row, created_at=tx.now))
        if self._failure == "raise":
            raise RuntimeError("it is broken")
        if self._failure == "sql":
            await tx.connection.execute(text("SELECT * FROM no_such_table"))


class Watch(Part):
    """A follower that remembers how many alerts the incidents had that it was told of."""

    def __init__(self) -> None:
        super().__init__("watch")
        self.seen: list[list[int]] = []

    async def follow(self, tx: Tx, opened: Sequence[Incident]) -> None:
        """Remember, and write."""
        self.seen.append([incident.alert_count for incident in opened])
        await super().follow(tx, opened)


async def written(desk: Desk) -> set[str]:
    """The parts whose writes were kept."""
    async with desk.core.database.reading() as session:
        return set((await session.execute(select(notes.c.author))).scalars())


async def failures(desk: Desk) -> dict[UUID, list[str]]:
    """The parts that each incident's timeline says have failed."""
    query = select(timeline.c.incident_id, timeline.c.detail).where(timeline.c.type == "FAILED")
    found: dict[UUID, list[str]] = {}
    async with desk.core.database.reading() as session:
        for row in await session.execute(query.order_by(timeline.c.id)):
            found.setdefault(row.incident_id, []).append(orjson.loads(row.detail)["part"])
    return found


@pytest.mark.parametrize("failure", ["raise", "sql"])
@pytest.mark.parametrize("failing", PARTS)
async def test_a_part_that_fails_takes_back_itself_alone(
    settings: Settings, clock: TestClock, database: Database, failing: str, failure: str
) -> None:
    """Alerts and incidents are committed, the other parts' writes too; each incident says what failed."""
    parts = [Part(name, failure if name == failing else None) for name in PARTS]
    async with opened(settings, clock, followers=parts) as desk:
        assert await desk.take(report(1), report(2, service="web")) == ["NEW_INCIDENT", "NEW_INCIDENT"]
        incidents = await desk.incidents()
        assert [incident.alert_count for incident in incidents] == [1, 1]
        assert await written(desk) == set(PARTS) - {failing}
        assert await failures(desk) == {incident.id: [failing] for incident in incidents}


async def test_parts_follow_new_incidents_alone(settings: Settings, clock: TestClock, database: Database) -> None:
    """An alert that joins is nobody's page; all that a transaction opens come at once."""

    watch = Watch()
    async with opened(settings, clock, followers=[watch]) as desk:
        await desk.take(report(1), report(2), report(3, service="web"))
        await desk.take(report(4))
    assert watch.seen == [[2, 1]]
