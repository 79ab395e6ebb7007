"""Writes of the reliability domain."""

from sqlalchemy import select

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.reliability import rules
from opsgraph.domains.reliability.model import ReliabilityDeclared, ReliabilityInput
from opsgraph.domains.reliability.tables import declarations
from opsgraph.kernel.changes import given
from opsgraph.storage.saving import Outcome, Saved, save_row
from opsgraph.storage.transactions import Tx


async def declare(tx: Tx, wanted: ReliabilityInput) -> Saved[Service]:
    """Declare what is not measured; what was left out stays as it is, None clears.

    Raises:
        NotFound: there is no such service.
        Invalid: a value is out of its range.
    """
    service = await catalog_services.require_service(tx.connection, wanted.service)
    values = rules.declaration({name: value for name, value in given(wanted).items() if name != "service"})
    found_by = select(declarations).where(declarations.c.service_id == service.id)
    saved = await save_row(tx, declarations, found_by, {"service_id": service.id, **values})
    if saved.outcome is not Outcome.UNCHANGED:
        tx.record(ReliabilityDeclared(service.id))
    return Saved(service, saved.outcome)
