"""Whose cost a charge is, as far as the catalog knows: a map names services, and some names are of none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.cost.formats.focus import ChargeRow
from opsgraph.domains.cost.formats.mapping import ServiceMap
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.text import shown

MOST_UNKNOWN = 1_000


@dataclass(slots=True)
class _Unknown:
    """A name that charges give and no service can take, where it comes first, and how often it comes."""

    file: str
    line: int
    rows: int = 1


@dataclass(slots=True)
class Allocation:
    """Gives charges to services that are in the catalog and not archived; counts the names of others.

    Attributes:
        mapping: names a charge's service.
        services: the catalog's services by `name_key`, archived ones included.
        file: the file whose charges are at hand, as its user named it.
    """

    mapping: ServiceMap
    services: Mapping[str, Service]
    file: str = ""
    _unknown: dict[str, _Unknown] = field(default_factory=dict)
    _further: int = 0

    def service_of(self, row: ChargeRow) -> str | None:
        """The `name_key` of the service whose cost a charge is, or None."""
        key = self.mapping.service_of(row)
        if key is None:
            return None
        service = self.services.get(key)
        if service is not None and service.archived_at is None:
            return key
        self._miss(key, row.line)
        return None

    def id_of(self, key: str | None) -> UUID | None:
        """The id of a service that `service_of` gave."""
        return None if key is None else self.services[key].id

    def warnings(self) -> list[Finding]:
        """One warning a name whose charges went to no service; names beyond the first 1,000 share one."""
        found = [self._warning(key, unknown) for key, unknown in self._unknown.items()]
        if self._further:
            found.append(Finding(self.file, None, f"{_rows(self._further)} unallocated that name further services"))
        return found

    def _miss(self, key: str, line: int) -> None:
        unknown = self._unknown.get(key)
        if unknown is not None:
            unknown.rows += 1
        elif len(self._unknown) < MOST_UNKNOWN:
            self._unknown[key] = _Unknown(self.file, line)
        else:
            self._further += 1

    def _warning(self, key: str, unknown: _Unknown) -> Finding:
        problem = "is archived" if key in self.services else "is not in the catalog"
        reason = f"service {shown(key)} {problem}; {_rows(unknown.rows)} unallocated"
        return Finding(unknown.file, unknown.line, reason)


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"
