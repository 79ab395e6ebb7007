"""The process that evaluates: when it starts and ends, and what its death changes, which is nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from structlog.testing import capture_logs

from opsgraph.adapters.expressions import process
from opsgraph.adapters.expressions.sandbox import Sandbox
from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.kernel.refusals import Conflict, Invalid
from tests.support.expressions import DOUBLING, FIELDS, process_id, values
from tests.support.waiting import until

GOOD = "manifest.structured_logs"
TRUE = Evaluated(value=True)
PARENT = """
import asyncio
from opsgraph.adapters.expressions.sandbox import Sandbox

async def main():
    sandbox = Sandbox()
    await sandbox.check("true", {})
    print(sandbox._child._process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

unless_windows = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def failing(error: Exception) -> Callable[..., NoReturn]:
    """What always raises this."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def gone(pid: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_it_starts_when_it_is_needed_and_stays(sandbox: Sandbox) -> None:
    """What is made and never asked costs no process."""
    assert sandbox._child is None
    await sandbox.check(GOOD, FIELDS)
    pid = process_id(sandbox)
    assert await sandbox.evaluate([GOOD], FIELDS, [values()]) == [[TRUE]]
    assert process_id(sandbox) == pid


@unless_windows
async def test_it_ends_with_the_sandbox() -> None:
    """Once or twice, and also where there was none."""
    sandbox = Sandbox()
    await sandbox.close()
    await sandbox.check(GOOD, FIELDS)
    pid = process_id(sandbox)
    await sandbox.close()
    assert gone(pid)
    await sandbox.close()


@unless_windows
async def test_it_ends_with_the_process_that_started_it() -> None:
    """Even with one that is killed."""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert not gone(pid)
    parent.kill()
    await parent.communicate()
    await until(lambda: gone(pid))


@unless_windows
async def test_whoever_kills_it_from_outside_changes_nothing(sandbox: Sandbox) -> None:
    """Between two requests: the next one has a new process, and blames no expression."""
    for _ in range(3):
        await sandbox.check(GOOD, FIELDS)
        os.kill(process_id(sandbox), signal.SIGKILL)
        assert await sandbox.evaluate([GOOD], FIELDS, [values()] * 2) == [[TRUE], [TRUE]]


@unless_windows
async def test_a_process_that_does_not_answer_is_replaced(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the wall clock, where the limit of CPU cannot help: a stopped process takes none."""
    await sandbox.check(GOOD, FIELDS)
    os.kill(process_id(sandbox), signal.SIGSTOP)
    monkeypatch.setattr(process, "PATIENCE_SECONDS", 0.5)
    assert await sandbox.evaluate([GOOD], FIELDS, [values()]) == [[TRUE]]


async def test_who_stops_waiting_leaves_nothing_behind(sandbox: Sandbox) -> None:
    """The next one gets its own answers, whenever the one before was cancelled."""
    for turns in range(40):
        task = asyncio.create_task(sandbox.evaluate(["manifest.metrics"] * 50, FIELDS, [values()] * 200))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        assert await sandbox.evaluate([GOOD], FIELDS, [values()]) == [[TRUE]]
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_many_who_ask_at_once(sandbox: Sandbox) -> None:
    """Each gets its own answers, beside some whose expression kills."""
    texts = [GOOD, DOUBLING, "manifest.metrics", "manifest.slo.count"]
    calls = (sandbox.evaluate([text, "manifest.slo.count == 3"], FIELDS, [values()]) for text in texts * 5)
    checks = (sandbox.check(text, FIELDS) for text in texts)
    found, checked = await asyncio.gather(asyncio.gather(*calls), asyncio.gather(*checks, return_exceptions=True))
    assert [row[0].value for (row,) in found] == [True, None, False, None] * 5
    assert [row[1] for (row,) in found] == [TRUE] * 20
    assert [type(refusal) for refusal in checked] == [type(None), Invalid, type(None), Invalid]


async def test_a_long_call_lets_others_pass(sandbox: Sandbox) -> None:
    """A service that is judged by hand does not wait for a thousand that are due."""
    order: list[str] = []

    async def call(name: str, bindings: int) -> None:
        await sandbox.evaluate([GOOD] * 20, FIELDS, [values()] * bindings)
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call("long", 1_000))
        tasks.create_task(call("short", 1))
    assert order == ["short", "long"]


@pytest.mark.parametrize(
    ("name", "instead", "why"),
    [
        ("_installed", lambda: "/nowhere", "ModuleNotFoundError: No module named 'cel_expr_python'"),
        ("_installed", failing(ModuleNotFoundError("cel-expr-python is not installed")), "cel-expr-python is not inst"),
        ("create_subprocess_exec", failing(OSError("no process is left")), "no process is left"),
    ],
)
async def test_where_it_cannot_start_everything_says_so(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str, instead: Any, why: str
) -> None:
    """Each evaluation is an error that says why, in one line of the log a call; saving is refused with the same."""
    monkeypatch.setattr(process if name.startswith("_") else asyncio, name, instead)
    with capture_logs() as logs:
        found = await sandbox.evaluate([GOOD, "manifest.metrics", " "], FIELDS, [values()] * 3)
    reasons = {str(outcome.error) for row in found for outcome in row[:2]}
    assert [f"expressions cannot be evaluated here: {why}" in reason for reason in reasons] == [True]
    assert "expression is empty" in str(found[2][2].error)
    assert [(line["event"], line["reason"]) for line in logs] == [("expressions_not_evaluated", *reasons)]
    with pytest.raises(Conflict, match="expressions cannot be evaluated here: ") as refused:
        await sandbox.check(GOOD, FIELDS)
    assert refused.value.field == ("expression",)
    monkeypatch.undo()
    assert await sandbox.evaluate([GOOD], FIELDS, [values()]) == [[TRUE]]


@unless_windows
async def test_how_it_ended_is_asked_by_one_only(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system tells once; were it told to whoever ends the process, asyncio would log that it does not know it."""
    asked: list[int] = []
    monkeypatch.setattr(subprocess.Popen, "poll", lambda popen: asked.append(popen.pid))
    await sandbox.check(GOOD, FIELDS)
    pid = process_id(sandbox)
    await sandbox.close()
    assert gone(pid)
    assert asked == []
