"""The arguments of a field as JSON, by the names that clients know, for the audit log."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from opsgraph.graphql.problems import camel_case
from opsgraph.graphql.scalars import write_decimal
from opsgraph.kernel.clock import rfc3339


def asked_by(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that were given, JSON-compatible; no input has a secret in it."""
    return {camel_case(name): _shown(value) for name, value in arguments.items() if value is not strawberry.UNSET}


def _shown(value: Any) -> Any:
    match value:
        case Enum():
            return value.name
        case datetime():
            return rfc3339(value)
        case Decimal():
            return write_decimal(value)
        case list():
            return [_shown(member) for member in value]
        case _ if is_dataclass(value):
            return asked_by({each.name: getattr(value, each.name) for each in fields(value)})
    return value
