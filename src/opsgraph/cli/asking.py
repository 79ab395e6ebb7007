"""Asking the API: a running server's by address, else the one on the database at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer

from opsgraph.cli.failures import CommandError
from opsgraph.cli.servers import Ask, Server

Url = Annotated[
    str | None, typer.Option(envvar="OPSGRAPH_URL", help="Ask this running server instead of the database.")
]
Key = Annotated[str | None, typer.Option(envvar="OPSGRAPH_KEY", help="The key to ask it with.", show_envvar=True)]


async def ask(document: str, url: str | None, key: str | None, **variables: Any) -> dict[str, Any]:
    """The data that an operation gives.

    Raises:
        CommandError: the server cannot be reached, or answers with an error.
    """
    async with asking(url, key) as asked:
        return await asked(document, **variables)


@asynccontextmanager
async def asking(url: str | None, key: str | None) -> AsyncIterator[Ask]:
    """What runs operations: on the server at this address, else on the database that the settings name.

    Raises:
        CommandError: the database is not ready.
    """
    if url:
        yield Server(url, key).graphql
        return
    from opsgraph.cli.asking_database import database_asked  # noqa: PLC0415 - who asks a server need not wait for it

    async with database_asked() as asked:
        yield asked


def unless_refused(result: dict[str, Any]) -> dict[str, Any]:
    """A mutation's result that has its type's name, if it is what was wished for.

    Raises:
        CommandError: it is a `Problem`; says what the problem is.
    """
    if result["__typename"] == "Problem":
        raise CommandError(result["message"])
    return result
