"""`opsgraph gate`: whether a service may go to production, as an exit code."""

import asyncio
import os
import sys
import time
import traceback
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException

from opsgraph.cli.asking import Key, Url, asking, unless_refused
from opsgraph.cli.failures import CommandError, fail, warn
from opsgraph.cli.gate_lines import document_of, print_verdict
from opsgraph.cli.printing import print_json
from opsgraph.cli.servers import Ask, NoAnswerError

UNDECIDED = 3
"""The exit code of whatever is no verdict: a refusal, bad usage, a server that does not answer, a crash."""

_PAUSE_SECONDS = 5.0

DOCUMENT = """mutation Gate($service: String!) {
  evaluateReadiness(service: $service) {
    __typename
    ... on Problem { code message }
    ... on ReadinessVerdict {
      decision effectiveDecision passRateShown policyVersion evaluatedAt conditions
      service { name }
      results { outcome message check { name category hardBlocker howToFix } }
      blockers { check { name } }
      toGo { check { name } }
      override {
        decision state active reason requestedBy approvedBy decidedBy expiresAt note endedAt endedReason
      }
      exemptions { check reason requestedBy approvedBy endsAt active }
    }
  }
}"""


class Decision(StrEnum):
    """What counts for a service."""

    GO = "GO"
    CONDITIONAL_GO = "CONDITIONAL_GO"
    NO_GO = "NO_GO"


EXIT_CODES = {Decision.GO: 0, Decision.CONDITIONAL_GO: 1, Decision.NO_GO: 2}


class Gate(TyperCommand):
    """A command that ends with `UNDECIDED` whenever it has no verdict, so that no mishap reads as one."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Read the arguments; bad usage is no verdict."""
        try:
            return super().make_context(*arguments, **more)
        except TyperException as error:
            error.exit_code = UNDECIDED
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run it; whatever keeps it from a verdict is said, a bug with its traceback."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except CommandError as error:
            fail(str(error), UNDECIDED)
        except Exception as error:  # noqa: BLE001 - a traceback's usual exit code, 1, means CONDITIONAL_GO here
            _fail_of(error)


def gate(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service's name.")],
    *,
    allow_conditional: Annotated[
        bool, typer.Option("--allow-conditional", help="Exit with 0 for CONDITIONAL_GO as well.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Ask again, some seconds apart, until the service may go or time runs out.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, max=86_400, metavar="SECONDS", help="How long --wait asks again.")
    ] = 600.0,
    url: Url = None,
    key: Key = None,
) -> None:
    """Judge a service now, say why, and let the exit code tell a pipeline.

    It exits with 0 for GO, 1 for CONDITIONAL_GO (0 with --allow-conditional),
    2 for NO_GO, and 3 for whatever is no verdict. An override in force counts.

    \b
    opsgraph gate checkout
    opsgraph gate checkout --allow-conditional --url https://ops.example.com
    opsgraph gate checkout --json | jq .blockers
    """
    deadline = time.monotonic() + timeout if wait else None
    verdict = asyncio.run(_verdict(service, url, key, deadline, allow_conditional=allow_conditional))
    _show(verdict, as_json=as_json)
    raise typer.Exit(_exit_code(verdict, allow_conditional=allow_conditional))


async def _verdict(
    service: str, url: str | None, key: str | None, deadline: float | None, *, allow_conditional: bool
) -> dict[str, Any]:
    """The verdict; with a deadline, the first that lets the service go, or the last one before it."""
    async with asking(url, key) as asked:
        while True:
            is_last = deadline is None or time.monotonic() + _PAUSE_SECONDS > deadline
            try:
                result = await _judged(asked, service)
                if is_last or _exit_code(result, allow_conditional=allow_conditional) == 0:
                    return result
                said = f"{service} is {result['effectiveDecision']}"
            except NoAnswerError as error:
                if is_last:
                    raise
                said = str(error)
            warn(f"{said}; asking again in {_PAUSE_SECONDS:g} s")
            await asyncio.sleep(_PAUSE_SECONDS)


async def _judged(asked: Ask, service: str) -> dict[str, Any]:
    result: dict[str, Any] = (await asked(DOCUMENT, service=service))["evaluateReadiness"]
    return unless_refused(result)


def _show(verdict: dict[str, Any], *, as_json: bool) -> None:
    try:
        if as_json:
            print_json(document_of(verdict))
        else:
            print_verdict(verdict)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads no further, such as head, has the exit code all the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_code(verdict: dict[str, Any], *, allow_conditional: bool) -> int:
    decision = Decision(verdict["effectiveDecision"])
    return 0 if allow_conditional and decision is Decision.CONDITIONAL_GO else EXIT_CODES[decision]


def _fail_of(error: Exception) -> NoReturn:
    from opsgraph.cli.explanations import explained  # noqa: PLC0415 - spares all that goes well SQLAlchemy's import

    message = explained(error)
    if message is None:
        traceback.print_exception(error)
    fail(message or f"no verdict: {type(error).__name__}", UNDECIDED)


_app = typer.Typer(add_completion=False)
_app.command("gate", cls=Gate)(gate)
command = typer.main.get_command(_app)
"""The command, ready to be run."""
