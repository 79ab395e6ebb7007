"""Writes of the governance domain."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from uuid import UUID

from sqlalchemy import delete, select

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance import queries, rules
from opsgraph.domains.governance.model import DutiesChanged, Duty, DutyInput, GovernanceChanged
from opsgraph.domains.governance.tables import governance_checks, governance_duties, governance_implied
from opsgraph.kernel.refusals import Conflict
from opsgraph.storage.many import among
from opsgraph.storage.saving import Outcome, Saved, save_row
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_all


async def set_check(tx: Tx, service_name: str, check: str, passed: bool) -> Saved[Service]:
    """Record whether a service passes a check; recording the same again changes nothing.

    Raises:
        NotFound: there is no such service.
        Invalid: there is no such check.
    """
    key = rules.check_key(check, await queries.duties_in_force(tx.connection))
    service = await catalog_services.require_service(tx.connection, service_name)
    found_by = select(governance_checks).where(
        governance_checks.c.service_id == service.id, governance_checks.c.check_key == key
    )
    row = {"service_id": service.id, "check_key": key, "passed": passed}
    saved = await save_row(tx, governance_checks, found_by, row)
    if saved.outcome is not Outcome.UNCHANGED:
        tx.record(GovernanceChanged(service.id))
    return Saved(service, saved.outcome)


async def save_duty(tx: Tx, wanted: DutyInput) -> Saved[Duty]:
    """Add a duty, or change one, by its key; what was left out stays as it is.

    Raises:
        Invalid: the key is not one, or a text is missing or not accepted.
        Conflict: there are as many as there may be.
    """
    wanted = replace(wanted, key=rules.duty_key(wanted.key))
    values = rules.duty_changes(wanted)
    saved = {duty.key: duty for duty in await queries.saved_duties(tx.connection)}
    known = saved.get(wanted.key) or rules.BUILT_IN.get(wanted.key)
    if known is None:
        _make_room(saved)
    elif replace(known, **values) == known:
        return Saved(known, Outcome.UNCHANGED)
    new = asdict(known or rules.new_duty(wanted.key, values))
    created_with = {name: value for name, value in new.items() if name not in values}
    found_by = select(governance_duties).where(governance_duties.c.key == wanted.key)
    row = await save_row(tx, governance_duties, found_by, values, created_with)
    if row.outcome is not Outcome.UNCHANGED:
        tx.record(DutiesChanged())
    return Saved(queries.duty_of(row.value), row.outcome)


async def imply(tx: Tx, implied: Mapping[UUID, Collection[str]]) -> None:
    """Keep which checks services pass by what they declare. Three statements at most.

    Args:
        tx: the transaction, in which nobody else changes what these services declare.
        implied: all such keys of each service; what was implied before and is not among them no longer is.
    """
    before = await queries.implied_by_service(tx.connection, implied)
    changed = [id_ for id_ in sorted(implied) if set(implied[id_]) != before.get(id_, set())]
    if not changed:
        return
    column = governance_implied.c.service_id
    await tx.connection.execute(delete(governance_implied).where(among(tx.connection, column, changed)))
    rows = [{"service_id": id_, "check_key": key} for id_ in changed for key in sorted(implied[id_])]
    await insert_all(tx, governance_implied, rows)
    for id_ in changed:
        tx.record(GovernanceChanged(id_))


def _make_room(saved: Mapping[str, Duty]) -> None:
    if len(saved.keys() - rules.BUILT_IN.keys()) >= rules.MOST_ADDED:
        raise Conflict(f"there are {rules.MOST_ADDED} duties beside the built-in ones already; no more are kept", "key")
