"""SLOs as OpenSLO documents: importing them gives the same SLOs, exporting those gives the same bytes."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.slo import queries
from opsgraph.domains.slo.formats.openslo_values import SloDocument
from opsgraph.domains.slo.formats.openslo_writer import write
from opsgraph.domains.slo.model import SloExport
from opsgraph.storage.database import Database
from opsgraph.storage.snapshots import snapshot
from opsgraph.workflows.batches import service_batches

BETWEEN = "---\n"
"""What stands between two texts of documents in one file."""


async def export_openslo(database: Database, service: str | None = None) -> AsyncGenerator[str, None]:
    """The SLOs of all services that are not archived, or of one service, as YAML: a text for each that has any.

    By service and name. Joined, the texts are one file.

    Raises:
        NotFound: there is no service of that name.
    """
    async with snapshot(database) as session:
        between = ""
        async for services in _wanted(session, service):
            for text, _ in await openslo_texts(session, services):
                yield between + text
                between = BETWEEN


async def openslo_texts(session: AsyncConnection, services: Sequence[Service]) -> list[tuple[str, int]]:
    """The documents of each of the services that has an SLO, in the order given, and how many they are."""
    found = await queries.exportable_by_service(session, [service.id for service in services])
    slos = [found[service.id] for service in services if service.id in found]
    return [(write([document_of(exported) for exported in own]), len(own)) for own in slos]


def document_of(exported: SloExport) -> SloDocument:
    """What a document says about an SLO; its numbers are those that were once written, not their binary neighbours."""
    slo = exported.slo
    return SloDocument(
        service=exported.service.name,
        name=slo.name,
        target=Decimal(str(slo.target)),
        indicator=slo.indicator,
        window_days=slo.window_days,
        calendar=slo.calendar,
        time_zone=slo.time_zone,
        budgeting_method=slo.budgeting_method,
        slice_target=_decimal(slo.slice_target),
        slice_seconds=slo.slice_seconds,
        good_query=slo.good_query,
        total_query=slo.total_query,
        description=slo.description,
        current=_decimal(slo.declared),
        latency_threshold_ms=_decimal(slo.latency_threshold_ms),
        source=exported.source or {},
    )


async def _wanted(session: AsyncConnection, service: str | None) -> AsyncIterator[list[Service]]:
    if service is not None:
        yield [await catalog_services.require_service(session, service)]
        return
    async for services in service_batches(session, archived=False):
        yield services


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
