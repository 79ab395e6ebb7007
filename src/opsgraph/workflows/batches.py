"""Walking through whole lists a batch at a time, in memory that does not grow with them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import Service, ServiceFilter
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.kernel.pages import Key, Page, PageRequest
from opsgraph.storage.rows import AnyRow

AT_ONCE = 500


async def batches(
    page: Callable[[PageRequest], Awaitable[Page[AnyRow]]], size: int = AT_ONCE, after: Key | None = None
) -> AsyncIterator[Sequence[AnyRow]]:
    """All rows of a list in its order, page by page, from behind a key on; no page is empty."""
    while True:
        found = await page(PageRequest(size, after=after))
        if found.rows:
            yield found.rows
        if not found.has_next:
            return
        after = found.keys[-1]


async def service_batches(session: AsyncConnection, *, archived: bool) -> AsyncIterator[list[Service]]:
    """All services that are archived, or all that are not, by name."""
    async for rows in batches(partial(catalog_services.services_page, session, ServiceFilter(archived=archived))):
        yield [catalog_services.service_of(row) for row in rows]
