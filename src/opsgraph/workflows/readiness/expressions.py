"""What stands in for an evaluator of expressions where none was started."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.domains.readiness.model.manifests import FieldType
from opsgraph.kernel.refusals import Invalid

_WHY = "expressions are not evaluated here"


class NoExpressions:
    """Accepts no expression; one that was accepted elsewhere is an error."""

    async def check(self, expression: str, fields: Mapping[str, FieldType]) -> None:  # noqa: ARG002 - the protocol's
        """Refuse it.

        Raises:
            Invalid: always.
        """
        raise Invalid(_WHY, "expression")

    async def evaluate(
        self,
        expressions: Sequence[str],
        fields: Mapping[str, FieldType],  # noqa: ARG002 - the protocol's
        bindings: Sequence[Mapping[str, Any]],
    ) -> list[list[Evaluated]]:
        """An error for each."""
        return [[Evaluated(error=_WHY)] * len(expressions) for _ in bindings]
