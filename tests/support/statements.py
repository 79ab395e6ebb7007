"""A counter of SQL statements."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from opsgraph.storage import prepared
from opsgraph.storage.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL statements that a database runs within the block, as they come."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    async def at_once(statement: str, *arguments: Any) -> list[Any]:
        seen.append(statement)
        return await by_the_driver(statement, *arguments)

    async def fetch(driver: Any, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        seen.append(statement)
        return await past_the_layers(driver, statement, values)

    by_the_driver, past_the_layers = database.at_once, prepared.fetch
    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        with patch.object(database, "at_once", at_once), patch.object(prepared, "fetch", fetch):
            yield seen
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
