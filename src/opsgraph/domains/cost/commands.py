"""Writes of the cost domain: entries recorded by hand, budgets, and whole origins replaced by an import."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, select

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.cost import queries, rules
from opsgraph.domains.cost.model import Contribution, CostChanged, CostInput, Replaced
from opsgraph.domains.cost.tables import budgets, contributions, origins, unallocated
from opsgraph.kernel.changes import given
from opsgraph.storage.rows import AnyRow
from opsgraph.storage.saving import Outcome, Saved, save_row
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks, lock_sorted, upsert

_ALLOCATED_KEY = ("service_id", "month", "currency", "origin_id")
_UNALLOCATED_KEY = _ALLOCATED_KEY[1:]
_AMOUNTS = ("billed", "effective")
_MOST_IDS = 10_000  # in one statement


async def record_cost(tx: Tx, wanted: CostInput, default_currency: str) -> Saved[Service]:
    """Record what a service cost in a month; the same origin, month and currency again is replaced.

    Raises:
        NotFound: there is no such service.
        Invalid: the month, an amount, the currency or the origin is not one.
    """
    service = await catalog_services.require_service(tx.connection, wanted.service)
    currency = default_currency if wanted.currency is None else wanted.currency
    checked = rules.contribution(
        Contribution(service.id, wanted.month, currency, wanted.origin, wanted.amount, wanted.effective_amount)
    )
    row = _row(checked, await _origin_ids(tx, [checked.origin]))
    found_by = select(contributions).where(*(contributions.c[name] == row[name] for name in _ALLOCATED_KEY))
    saved = await save_row(tx, contributions, found_by, row)
    return _recorded(tx, service, saved.outcome)


async def set_budget(
    tx: Tx, service_name: str, amount: Decimal | None, currency: str | None, default_currency: str
) -> Saved[Service]:
    """Set what a service may cost a month; None takes the budget away.

    Without a currency it keeps that of the budget it replaces, else it is in the default one.

    Raises:
        NotFound: there is no such service.
        Invalid: the amount is negative or not one, or the currency is not one.
    """
    service = await catalog_services.require_service(tx.connection, service_name)
    if amount is None:
        removed = await tx.connection.execute(delete(budgets).where(budgets.c.service_id == service.id))
        return _recorded(tx, service, Outcome.CHANGED if removed.rowcount else Outcome.UNCHANGED)
    wanted_currency = await _usual_currency(tx, service, default_currency) if currency is None else currency
    budget = rules.budget(amount, wanted_currency)
    row = {"service_id": service.id, **given(budget)}
    saved = await save_row(tx, budgets, select(budgets).where(budgets.c.service_id == service.id), row)
    return _recorded(tx, service, saved.outcome)


async def replace_origins(tx: Tx, names: Collection[str], sums: Sequence[Contribution]) -> Replaced:
    """Make the contributions of these origins exactly those given, unallocated ones included.

    What is as it was is not touched, so that a repeated import changes nothing. The number of statements does not grow
    with the services, only with every few thousand contributions. Two imports of one origin wait for each other.

    Args:
        tx: the transaction.
        names: every origin that the import contains, also one whose last contribution is gone.
        sums: of these origins; the same service, month, currency and origin twice is added up.

    Raises:
        Invalid: a month, amount, currency or origin is not one, or a contribution is of another origin.
    """
    checked_names = {rules.origin(name) for name in names}
    wanted = rules.replacement(checked_names, sums)
    ids = await _locked_origins(tx, checked_names)
    allocated = [_row(part, ids) for part in wanted if part.service_id is not None]
    rest = [_without_service(_row(part, ids)) for part in wanted if part.service_id is None]
    with_service = await _replace(tx, contributions, _ALLOCATED_KEY, ids.values(), allocated)
    for service_id in sorted(with_service.services()):
        tx.record(CostChanged(service_id))
    return _counted(with_service, await _replace(tx, unallocated, _UNALLOCATED_KEY, ids.values(), rest))


@dataclass(frozen=True, slots=True)
class _Difference:
    """Contributions as wanted against those that are there."""

    created: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    unchanged: int
    gone: list[AnyRow]

    def services(self) -> set[UUID]:
        """Whose cost is another afterwards."""
        written = {row["service_id"] for row in (*self.created, *self.changed)}
        return written | {row.service_id for row in self.gone}


async def _replace(
    tx: Tx, table: Table, key: Sequence[str], origin_ids: Collection[UUID], wanted: Sequence[dict[str, Any]]
) -> _Difference:
    difference = _difference(key, wanted, await _of_origins(tx, table, origin_ids))
    stamps = {"created_at": tx.now, "updated_at": tx.now}
    rows = [{"id": tx.new_id(), **row, **stamps} for row in (*difference.created, *difference.changed)]
    await upsert(tx, table, rows, key, update=(*_AMOUNTS, "updated_at"))
    for chunk in in_chunks([row.id for row in difference.gone], _MOST_IDS):
        await tx.connection.execute(delete(table).where(table.c.id.in_(chunk)))
    return difference


def _difference(key: Sequence[str], wanted: Sequence[dict[str, Any]], rows: Sequence[AnyRow]) -> _Difference:
    there = {tuple(getattr(row, name) for name in key): row for row in rows}
    created, changed, unchanged = [], [], 0
    for row in wanted:
        old = there.pop(tuple(row[name] for name in key), None)
        if old is None:
            created.append(row)
        elif (old.billed, old.effective) != (row["billed"], row["effective"]):
            changed.append(row)
        else:
            unchanged += 1
    return _Difference(created, changed, unchanged, list(there.values()))


async def _of_origins(tx: Tx, table: Table, origin_ids: Collection[UUID]) -> list[AnyRow]:
    found: list[AnyRow] = []
    for chunk in in_chunks(list(origin_ids), _MOST_IDS):
        found += (await tx.connection.execute(select(table).where(table.c.origin_id.in_(chunk)))).all()
    return found


async def _locked_origins(tx: Tx, names: Collection[str]) -> dict[str, UUID]:
    """The ids of origins, locked: a concurrent import of one of them, or a record of it, waits until we are done."""
    ids = await _origin_ids(tx, names)
    await lock_sorted(tx, origins.c.id, ids.values())
    return ids


async def _origin_ids(tx: Tx, names: Collection[str]) -> dict[str, UUID]:
    """The ids of origins, which are made where they are new: in the order of their names, so that nobody deadlocks."""
    rows = [{"id": tx.new_id(), "name": name, "created_at": tx.now} for name in sorted(names)]
    await upsert(tx, origins, rows, key=("name",), update=())
    found: dict[str, UUID] = {}
    for chunk in in_chunks(sorted(names), _MOST_IDS):
        query = select(origins.c.name, origins.c.id).where(origins.c.name.in_(chunk))
        found.update({row.name: row.id for row in await tx.connection.execute(query)})
    return found


async def _usual_currency(tx: Tx, service: Service, default_currency: str) -> str:
    budget = (await queries.budgets_by_service(tx.connection, [service.id])).get(service.id)
    return budget.currency if budget else default_currency


def _row(part: Contribution, origin_ids: Mapping[str, UUID]) -> dict[str, Any]:
    return {
        "service_id": part.service_id,
        "month": part.month,
        "currency": part.currency,
        "origin_id": origin_ids[part.origin],
        "billed": part.billed,
        "effective": part.effective,
    }


def _without_service(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "service_id"}


def _counted(*differences: _Difference) -> Replaced:
    return Replaced(
        created=sum(len(part.created) for part in differences),
        changed=sum(len(part.changed) for part in differences),
        unchanged=sum(part.unchanged for part in differences),
        removed=sum(len(part.gone) for part in differences),
    )


def _recorded(tx: Tx, service: Service, outcome: Outcome) -> Saved[Service]:
    if outcome is not Outcome.UNCHANGED:
        tx.record(CostChanged(service.id))
    return Saved(service, outcome)
