"""Searching services, on both databases alike."""

import pytest

from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.model import ServiceFilter, ServiceInput
from opsgraph.domains.catalog.queries import services
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.database import Database
from tests.support.clock import TestClock


@pytest.mark.parametrize("text", ["Ödeme", "ödeme", "ÖDEME", "PAY", "iade%", "\u0430"])
async def test_case_does_not_matter_in_any_script(database: Database, clock: TestClock, text: str) -> None:
    """Names, titles and descriptions are found in whatever case, and wildcards mean themselves."""
    wanted = ServiceInput("payments", title="Ödeme", description="100 iade% \u0410\u0411")
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await commands.save_service(tx, wanted)
        await commands.save_service(tx, ServiceInput("other", description="100 iadeX"))
    async with database.reading() as session:
        assert await services.count_services(session, ServiceFilter(search=text)) == 1
