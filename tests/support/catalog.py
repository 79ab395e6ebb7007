"""Things of the catalog for tests."""

from typing import Any

from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.model import Service, ServiceInput
from opsgraph.storage.transactions import Tx


async def make_service(tx: Tx, name: str = "api", **values: Any) -> Service:
    """A service of that name; `values` as in `ServiceInput`."""
    return (await commands.save_service(tx, ServiceInput(name, **values))).value
