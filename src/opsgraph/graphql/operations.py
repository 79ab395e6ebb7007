"""Running a query or a mutation, whatever way it came."""

from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from opsgraph.graphql.context import Context
from opsgraph.graphql.requests import BadRequest, GraphQLRequest
from opsgraph.graphql.schema import Schema

READS = frozenset({OperationType.QUERY})
ALL = frozenset({OperationType.QUERY, OperationType.MUTATION})


async def executed(
    schema: Schema, wanted: GraphQLRequest, context: Context, allowed: frozenset[OperationType] = ALL
) -> ExecutionResult:
    """Run an operation that has one result; gives the context's connection back.

    Raises:
        BadRequest: there is no such operation in the document, or it is of a type that is not allowed here.
    """
    try:
        return await schema.execute(
            wanted.query,
            variable_values=wanted.variables,
            context_value=context,
            operation_name=wanted.operation_name,
            allowed_operation_types=allowed,
            operation_extensions=wanted.extensions,
        )
    except MissingQueryError as error:
        raise BadRequest(400, "query is a non-empty string") from error
    except CannotGetOperationTypeError as error:
        raise BadRequest(400, error.as_http_error_reason()) from error
    except InvalidOperationTypeError as error:
        if allowed is READS:
            raise BadRequest(405, "GET runs queries only; send a POST", {"Allow": "POST"}) from error
        raise BadRequest(400, "subscriptions need a stream, which this request did not ask for") from error
    finally:
        await context.close()
