"""Writes of the governance domain."""

from sqlalchemy import select

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance import rules
from opsgraph.domains.governance.model import GovernanceChanged
from opsgraph.domains.governance.tables import governance_checks
from opsgraph.storage.saving import Outcome, Saved, save_row
from opsgraph.storage.transactions import Tx


async def set_check(tx: Tx, service_name: str, check: str, passed: bool) -> Saved[Service]:
    """Record whether a service passes a check; recording the same again changes nothing.

    Raises:
        NotFound: there is no such service.
        Invalid: there is no such check.
    """
    key = rules.check_key(check)
    service = await catalog_services.require_service(tx.connection, service_name)
    found_by = select(governance_checks).where(
        governance_checks.c.service_id == service.id, governance_checks.c.check_key == key
    )
    row = {"service_id": service.id, "check_key": key, "passed": passed}
    saved = await save_row(tx, governance_checks, found_by, row)
    if saved.outcome is not Outcome.UNCHANGED:
        tx.record(GovernanceChanged(service.id))
    return Saved(service, saved.outcome)
