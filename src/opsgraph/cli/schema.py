"""`opsgraph schema`."""

import typer

from opsgraph.graphql.schema import printed_schema


def schema() -> None:
    """Print the GraphQL schema, as schema.graphql has it."""
    typer.echo(printed_schema(), nl=False)
