"""Costs of a whole export, taken back origin by origin.

What was recorded by hand is taken one by one. Every other origin becomes exactly what the export says, so that what
it once could not give to a service does not count beside what it has given since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.cost import commands, rules
from opsgraph.domains.cost.model import MANUAL, Contribution, CostInput
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.refusals import Invalid, NotFound, Refusal
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.saving import Outcome
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks
from opsgraph.workflows.importing import export_records as records
from opsgraph.workflows.importing.export_folder import ExportFolder
from opsgraph.workflows.importing.export_records import CostRecord
from opsgraph.workflows.importing.storing import attempt

_NAMES_AT_ONCE = 5_000

_Line = tuple[Finding, CostRecord]


@dataclass(slots=True)
class CostLoading:
    """Loads the file of costs, whose lines stand together by origin."""

    tx: Tx
    folder: ExportFolder
    _done: set[str] = field(default_factory=set)

    async def load(self) -> None:
        """Save every cost."""
        for origin, lines in groupby(self.folder.records("costs", records.cost), key=lambda line: line[1].origin):
            if origin == MANUAL:
                for place, record in lines:
                    await self._record(place, record)
            else:
                await self._replace(origin, list(lines))

    async def _record(self, place: Finding, record: CostRecord) -> None:
        outcome = await attempt(self.tx, self.folder.report, place, partial(self._save, record))
        if outcome is not None:
            self.folder.report.kinds["costs"].count(outcome)

    async def _save(self, record: CostRecord) -> Outcome:
        if record.service is None:
            raise Invalid("service is missing; what is recorded by hand has one", "service")
        wanted = CostInput(
            record.service, record.month, record.billed, record.currency, record.effective, record.origin
        )
        return (await commands.record_cost(self.tx, wanted, record.currency)).outcome

    async def _replace(self, origin: str, lines: Sequence[_Line]) -> None:
        if origin in self._done:
            reason = f"the lines of {shown(origin)} do not stand together; these would replace those above"
            self.folder.report.refuse(*(replace(place, reason=reason) for place, _ in lines))
            return
        self._done.add(origin)
        services = await self._services(lines)
        parts = [part for place, record in lines if (part := self._part(place, record, services)) is not None]
        step = partial(commands.replace_origins, self.tx, {origin}, parts)
        replaced = await attempt(self.tx, self.folder.report, lines[0][0], step)
        if replaced is not None:
            tally = self.folder.report.kinds["costs"]
            tally.created += replaced.created
            tally.changed += replaced.changed
            tally.unchanged += replaced.unchanged
            tally.removed += replaced.removed

    async def _services(self, lines: Sequence[_Line]) -> Mapping[str, Service]:
        names = sorted({record.service for _, record in lines if record.service is not None})
        found: dict[str, Service] = {}
        for chunk in in_chunks(names, _NAMES_AT_ONCE):
            found |= await catalog_services.services_by_name(self.tx.connection, chunk)
        return found

    def _part(self, place: Finding, record: CostRecord, services: Mapping[str, Service]) -> Contribution | None:
        try:
            return _contribution(record, services)
        except Refusal as refusal:
            self.folder.report.refuse(replace(place, reason=refusal.message))
            return None


def _contribution(record: CostRecord, services: Mapping[str, Service]) -> Contribution:
    service_id = None
    if record.service is not None:
        if name_key(record.service) not in services:
            raise NotFound(f"there is no service called {shown(record.service)}", "service")
        service_id = services[name_key(record.service)].id
    wanted = Contribution(service_id, record.month, record.currency, record.origin, record.billed, record.effective)
    return rules.contribution(wanted)
