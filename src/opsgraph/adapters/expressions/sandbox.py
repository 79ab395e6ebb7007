"""The evaluator that the rest of opsgraph uses."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from opsgraph.adapters.expressions import messages
from opsgraph.adapters.expressions.process import Child, Death
from opsgraph.adapters.expressions.rounds import Rounds
from opsgraph.domains.readiness.model.expressions import Evaluated, Expressions
from opsgraph.domains.readiness.model.manifests import FieldType
from opsgraph.kernel.refusals import Conflict

_TRIES = 2
_log = structlog.get_logger("opsgraph.expressions")


class Sandbox(Expressions):
    """Compiles and evaluates in a child process, which is there from the first time that it is needed.

    One request at a time; those of a long call let others pass in between. A child that was killed, or that somebody
    stopped waiting for, is replaced by the next request.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._gone: list[Child] = []

    async def check(self, expression: str, fields: Mapping[str, FieldType]) -> None:
        """Accept an expression over these fields that is true or false; refuse it with the place, or the limit.

        Raises:
            Invalid: it does not compile, names something unknown, is of another type or breaks a limit.
            Conflict: no process starts here.
        """
        request = json.dumps({"fields": fields, "check": messages.accepted(expression)}).encode() + b"\n"
        for _ in range(_TRIES):
            answers, death = await self._ask(request, 1, 1)
            if answers:
                return _accept(json.loads(answers[0]), fields)
            if death is not None and death.begun:
                raise messages.broken(death.cause)
        raise Conflict(messages.unavailable(death), messages.FIELD)

    async def evaluate(
        self, expressions: Sequence[str], fields: Mapping[str, FieldType], bindings: Sequence[Mapping[str, Any]]
    ) -> list[list[Evaluated]]:
        """The value of each expression under each binding: one list a binding, in the order of the expressions.

        An expression that kills its process is an error in that place. What it comes to elsewhere is evaluated last;
        what would cost too many processes is left undecided, but for the first binding that it would be of. Where no
        process starts, everything is an error that says why.
        """
        rounds = Rounds(expressions, fields, bindings)
        tries = _TRIES
        while (request := rounds.take())[0]:
            items, line = request
            answers, death = await self._ask(line, len(items), sum(len(item.places) for item in items))
            rounds.note(items, answers, death)
            tries = _TRIES if death is None or death.begun else tries - 1
            if not tries:
                reason = messages.unavailable(death)
                _log.error("expressions_not_evaluated", reason=reason)
                rounds.give_up(reason)
                break
        if rounds.deaths:
            _log.warning("expression_processes_died", processes=rounds.deaths)
        return rounds.outcomes()

    async def close(self) -> None:
        """End the child, if there is one."""
        async with self._turn:
            self._dismiss()
            await self._bury()

    async def _ask(self, request: bytes, lines: int, evaluations: int) -> tuple[list[bytes], Death | None]:
        async with self._turn:
            await self._bury()
            try:
                self._child = self._child or await Child.start()
            except (OSError, ImportError) as error:
                return [], Death(0, "", str(error))
            try:
                answers, death = await self._child.ask(request, lines, evaluations)
            except BaseException:
                self._dismiss()  # nobody reads the answers that are still to come
                raise
            if death is not None:
                self._dismiss()
            return answers, death

    def _dismiss(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._gone.append(self._child)
            self._child = None

    async def _bury(self) -> None:
        while self._gone:
            await self._gone[-1].end()
            self._gone.pop()


def _accept(answer: Mapping[str, str], fields: Mapping[str, FieldType]) -> None:
    if "error" in answer:
        raise messages.not_compiled(answer["error"], fields)
    if "type" in answer:
        raise messages.not_bool(answer["type"])
