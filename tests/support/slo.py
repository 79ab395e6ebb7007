"""SLOs for tests, and what their events add up to, computed in the most simple-minded way."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from opsgraph.domains.slo import commands, queries
from opsgraph.domains.slo.model import IndicatorKind, MinuteSums, Slo, SloEventsInput, SloInput, Totals
from opsgraph.domains.slo.tables import slo_hours, slo_minutes, slo_states, slo_targets, slos
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx

NOBODY = UUID(int=0)


def defined(**values: Any) -> Slo:
    """An EXTERNAL SLO of 99.9 % over 28 days that no database knows; `values` as in `Slo`."""
    window = {} if values.get("calendar") else {"window_days": 28}
    kind = {"indicator": IndicatorKind.EXTERNAL, "name": "availability", "target": 99.9}
    return Slo(id=NOBODY, service_id=NOBODY, **{**kind, **window, **values})


async def make_slo(tx: Tx, name: str = "availability", service: str = "api", **values: Any) -> Slo:
    """A saved SLO of a service that exists, with a target of 99.9 %; `values` as in `SloInput`."""
    return (await commands.save_slo(tx, SloInput(service, name, **{"target": 99.9, **values}))).value


async def record(tx: Tx, good: float, total: float, name: str = "availability", **values: Any) -> Slo:
    """Report events to an SLO of the service api, or of `service`."""
    return await commands.record_slo_events(
        tx, SloEventsInput(values.pop("service", "api"), name, good, total, **values)
    )


async def stored(database: Database, slo: Slo) -> Slo:
    """The SLO as stored."""
    async with database.reading() as session:
        return (await queries.slos_by_id(session, [slo.id]))[slo.id]


async def row_counts(database: Database) -> dict[str, int]:
    """How many rows each table of SLOs has."""
    async with database.reading() as session:
        tables = (slos, slo_states, slo_targets, slo_minutes, slo_hours)
        return {t.name: (await session.execute(select(func.count()).select_from(t))).scalar_one() for t in tables}


def added_up(slo: Slo, events: Iterable[MinuteSums], minutes: range) -> Totals:
    """The totals of whole-numbered events in a stretch of minutes, slice by slice, with exact fractions."""
    slices: dict[int, list[MinuteSums]] = defaultdict(list)
    for event in events:
        if event.minute in minutes and event.total > 0:
            slices[event.minute * 60 // (slo.slice_seconds or 60)].append(event)
    ratios = [Fraction(sum(int(e.good) for e in part), sum(int(e.total) for e in part)) for part in slices.values()]
    members = [event for part in slices.values() for event in part]
    wanted = Fraction(str(slo.slice_target)) / 100 if slo.slice_target else Fraction(2)
    return Totals(
        good=sum(event.good for event in members),
        total=sum(event.total for event in members),
        minutes=len({event.minute for event in members}),
        good_slices=sum(ratio >= wanted for ratio in ratios),
        slices=len(ratios),
        ratio_sum=float(sum(ratios)),
    )
