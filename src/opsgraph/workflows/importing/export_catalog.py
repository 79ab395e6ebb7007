"""Teams, users and services of a whole export, taken back.

Names are what they are known by. A service that is archived here and in the export is left as it is; one that is
archived only in the export is archived last, when everything that hangs on it is stored.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access import commands as access
from opsgraph.domains.access import queries as users
from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.model import ServiceInput, TeamInput
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.kernel.changes import Maybe
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.refusals import Conflict
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.saving import Outcome
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.importing import export_records as records
from opsgraph.workflows.importing.claims import Claims
from opsgraph.workflows.importing.export_folder import ExportFolder, in_batches
from opsgraph.workflows.importing.export_records import Reader, ServiceRecord, UserRecord
from opsgraph.workflows.importing.storing import attempt

AT_ONCE = 500

_Origins = Callable[[AsyncConnection, Collection[str], Collection[str]], Awaitable[dict[str, str | None]]]


class _Identified(Protocol):
    """What every record of the catalog has."""

    @property
    def name(self) -> str: ...

    @property
    def origin(self) -> Maybe[str | None]: ...


RecordT = TypeVar("RecordT", bound=_Identified)


@dataclass(slots=True)
class CatalogLoading:
    """Loads the catalog's files in their order.

    Attributes:
        tx: the transaction.
        folder: where they are, and the report.
        left: services by `name_key` that are archived here and in the export.
        archived: services by name that are to be archived in the end, and since when they are.
    """

    tx: Tx
    folder: ExportFolder
    left: set[str] = field(default_factory=set)
    archived: dict[str, datetime] = field(default_factory=dict)
    _outcomes: dict[str, Outcome] = field(default_factory=dict)
    _depends_on: dict[str, tuple[Finding, list[str]]] = field(default_factory=dict)

    async def load_teams(self) -> None:
        """Save every team."""
        async for place, wanted, claims in self._identified("teams", records.team, catalog_teams.team_origins):
            outcome = await attempt(self.tx, self.folder.report, place, partial(self._save_team, wanted, claims))
            self._count("teams", wanted.name, outcome)

    async def load_users(self) -> None:
        """Save every user, as a member of exactly the teams that are given."""
        async for place, wanted, claims in self._identified("users", records.user, users.user_origins):
            outcome = await attempt(self.tx, self.folder.report, place, partial(self._save_user, wanted, claims))
            self._count("users", wanted.name, outcome)

    async def load_services(self) -> None:
        """Save every service, then what depends on what."""
        async for place, record, claims in self._identified(
            "services", records.service, catalog_services.service_origins
        ):
            outcome = await attempt(self.tx, self.folder.report, place, partial(self._save_service, record, claims))
            if outcome is not None:
                self._outcomes[record.name] = outcome
                self._depends_on[record.name] = (place, record.depends_on)
        for name, (place, depends_on) in self._depends_on.items():
            if name_key(name) not in self.left:
                await self._link(name, place, depends_on)

    async def finish_services(self) -> None:
        """Archive what the export has archived, and count the services."""
        for name, since in self.archived.items():
            await commands.archive_service(self.tx, name, since)
            self._outcomes[name] = _changed(self._outcomes[name])
        for name, outcome in self._outcomes.items():
            self._count("services", name, outcome)

    async def _identified(
        self, kind: str, read: Reader[RecordT], origins: _Origins
    ) -> AsyncIterator[tuple[Finding, RecordT, Claims]]:
        """The records of a file, each with who has its name and its origin."""
        for batch in in_batches(self.folder.records(kind, read), AT_ONCE):
            names = [record.name for _, record in batch]
            wanted = [record.origin for _, record in batch if isinstance(record.origin, str)]
            claims = Claims.of(await origins(self.tx.connection, names, wanted))
            for place, record in batch:
                yield place, record, claims

    async def _save_team(self, wanted: TeamInput, claims: Claims) -> Outcome:
        _claim(claims, wanted)
        return (await commands.save_team(self.tx, wanted)).outcome

    async def _save_user(self, record: UserRecord, claims: Claims) -> Outcome:
        _claim(claims, record)
        saved = await access.save_user(self.tx, record.wanted)
        current = await catalog_teams.teams_by_user(self.tx.connection, [saved.value.id])
        before = {name_key(team.name) for team in current.get(saved.value.id, [])}
        if before == {name_key(team) for team in record.teams}:
            return saved.outcome
        await commands.set_teams(self.tx, saved.value, record.teams)
        return _changed(saved.outcome)

    async def _save_service(self, record: ServiceRecord, claims: Claims) -> Outcome:
        there = await catalog_services.service_by_name(self.tx.connection, record.name)
        if there is not None and there.archived_at is not None and record.archived_at is not None:
            self.left.add(name_key(record.name))
            return Outcome.UNCHANGED
        _claim(claims, record)
        saved = await commands.save_service(self.tx, record.wanted)
        if record.archived_at is not None:
            self.archived[record.name] = record.archived_at
        return saved.outcome

    async def _link(self, name: str, place: Finding, depends_on: list[str]) -> None:
        step = partial(commands.save_service, self.tx, ServiceInput(name, depends_on=depends_on))
        linked = await attempt(self.tx, self.folder.report, place, step)
        if linked is not None and linked.outcome is Outcome.CHANGED:
            self._outcomes[name] = _changed(self._outcomes[name])

    def _count(self, kind: str, name: str, outcome: Outcome | None) -> None:
        if outcome is not None:
            self.folder.report.kinds[kind].count(outcome, name)


def _claim(claims: Claims, record: _Identified) -> None:
    """Let a record have its origin, unless something of another name has it.

    Raises:
        Conflict: it has.
    """
    if not isinstance(record.origin, str):
        return
    known = claims.known(record.origin)
    if known is not None and name_key(known) != name_key(record.name):
        raise Conflict(f"what came from {shown(record.origin)} is called {shown(known)} here", "origin")
    claims.claim(record.name, record.origin)


def _changed(outcome: Outcome) -> Outcome:
    return Outcome.CREATED if outcome is Outcome.CREATED else Outcome.CHANGED
