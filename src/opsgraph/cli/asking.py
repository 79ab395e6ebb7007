"""Asking the API: a running server's by address, else the one on the database at hand."""

from typing import Annotated, Any

import httpx
import typer

from opsgraph.cli.failures import CommandError
from opsgraph.cli.opened import configured, opened
from opsgraph.graphql.context import Context
from opsgraph.graphql.schema import build_schema
from opsgraph.kernel.actor import LOCAL

Url = Annotated[
    str | None, typer.Option(envvar="OPSGRAPH_URL", help="Ask this running server instead of the database.")
]
Key = Annotated[str | None, typer.Option(envvar="OPSGRAPH_KEY", help="The key to ask it with.", show_envvar=True)]
_WITHIN_SECONDS = 30.0


async def ask(document: str, url: str | None, key: str | None) -> dict[str, Any]:
    """The data that an operation gives.

    Raises:
        CommandError: the server cannot be reached, or answers with an error.
    """
    return await _ask_server(document, url, key) if url else await _ask_database(document)


async def _ask_server(document: str, url: str, key: str | None) -> dict[str, Any]:
    headers = {"accept": "application/graphql-response+json", **({"authorization": f"Bearer {key}"} if key else {})}
    try:
        async with httpx.AsyncClient(timeout=_WITHIN_SECONDS) as client:
            response = await client.post(f"{url.rstrip('/')}/graphql", json={"query": document}, headers=headers)
            answer = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _stranger(url, str(error) or type(error).__name__) from error
    match answer:
        case {"errors": [{"message": str(message)}, *_]}:
            raise CommandError(message)
        case {"data": dict(data)}:
            return data
    raise _stranger(url, f"status {response.status_code}")


def _stranger(url: str, reason: str) -> CommandError:
    return CommandError(f"{url} did not answer as a server of opsgraph: {reason}")


async def _ask_database(document: str) -> dict[str, Any]:
    settings = configured()
    async with opened(settings) as core:
        context = Context(core.database, LOCAL, core.clock, settings)
        result = await build_schema(settings).execute(document, context_value=context)
        await context.close()
    if result.errors:
        raise result.errors[0].original_error or CommandError(result.errors[0].message)
    return result.data or {}
