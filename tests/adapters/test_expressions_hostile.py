"""Expressions that mean no good: each is refused, or an error, within 50 ms of the CPU of its process."""

import os
import resource
import sys
from typing import Any

import pytest
from structlog.testing import capture_logs

from opsgraph.adapters.expressions import rounds
from opsgraph.adapters.expressions.rounds import MOST_DEATHS
from opsgraph.adapters.expressions.sandbox import Sandbox
from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.kernel.refusals import Invalid
from tests.support.expressions import (
    DOUBLING,
    FIELDS,
    HOSTILE,
    KILLING,
    MILLION_STEPS,
    ODD,
    bytes_of,
    cpu_of_the_dead,
    cpu_seconds,
    environment_of,
    opened_by,
    process_id,
    values,
)

GOOD = "manifest.structured_logs"
CUSTOM: dict[str, Any] = {"text": "a" * 60_000, "pattern": "(x+x+)+y" + "x{900}" * 20}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of CPU: the wall clock ends it")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the CPU that another process took")


@on_linux
async def test_a_processor_clock_is_one(sandbox: Sandbox) -> None:
    """What the tests below measure with measures something."""
    assert await sandbox.evaluate([GOOD], FIELDS, [values()]) == [[Evaluated(value=True)]]
    before = cpu_seconds(process_id(sandbox))
    await sandbox.evaluate([MILLION_STEPS], FIELDS, [values()])
    assert 0.001 < cpu_seconds(process_id(sandbox)) - before < 0.05


@on_linux
@pytest.mark.parametrize("name", [*HOSTILE, *ODD])
async def test_within_50_ms_of_cpu(sandbox: Sandbox, name: str) -> None:
    """Whether the process outlives it or not, its death included; what comes after it has its value."""
    dead = cpu_of_the_dead()
    await sandbox.evaluate([GOOD], FIELDS, [values()])
    process, before = process_id(sandbox), cpu_seconds(process_id(sandbox))
    ((found,),) = await sandbox.evaluate([{**HOSTILE, **ODD}[name]], FIELDS, [values(**CUSTOM)])
    if sandbox._child is None:
        taken = cpu_of_the_dead() - dead - before
    else:
        assert process_id(sandbox) == process
        taken = cpu_seconds(process) - before
    assert taken < 0.05
    assert found.value is not True
    assert await sandbox.evaluate([GOOD], FIELDS, [values()]) == [[Evaluated(value=True)]]


@pytest.mark.parametrize("name", HOSTILE)
async def test_refused_when_it_is_saved(sandbox: Sandbox, name: str) -> None:
    """What needs no manifest to do harm is tried then; another one is accepted after it."""
    with pytest.raises(Invalid, match=r"expression (takes too much CPU|takes more than 10,000|is nested)"):
        await sandbox.check(HOSTILE[name], FIELDS)
    await sandbox.check(GOOD, FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        "manifest.runbook_url.__class__ == ''",
        "manifest.structured_logs.__class__.__bases__[0].__subclasses__().size() > 0",
        "manifest.custom.__class__ == {}",
        "manifest.custom['__init__']['__globals__']['os'].environ.size() > 0",
        "__import__('os').system('true') == 0",
        "eval('1') == 1",
        "open('/etc/passwd').size() > 0",
        "env('PATH') != ''",
        "os.environ['PATH'] != ''",
        "getattr(manifest.custom, 'x') == 1",
        "'{0.__class__}'.format([manifest.custom]) != ''",
        "google.protobuf.Any{type_url: 'x'} == google.protobuf.Any{}",
        "type(manifest.custom).name == ''",
    ],
)
async def test_nothing_but_the_manifest_can_be_read(sandbox: Sandbox, text: str) -> None:
    """Attributes of the language beneath, its environment, its files: there is no such name, or no such key."""
    ((found,),) = await sandbox.evaluate([text], FIELDS, [values(x=1)])
    assert found.value is not True


@on_linux
async def test_the_process_has_nothing_to_be_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment, no file that this process has open, and none to be opened."""
    monkeypatch.setenv("OPSGRAPH_TEST_MADE_UP", "secret")
    await sandbox.check(GOOD, FIELDS)
    pid = process_id(sandbox)
    assert "OPSGRAPH" not in environment_of(pid)
    opened = opened_by(pid)
    assert opened[2] == os.devnull
    assert {name.partition(":")[0] for number, name in opened.items() if number != 2} <= {"pipe", "socket"}, opened
    assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (max(opened) + 1,) * 2


async def test_an_expression_that_kills_is_an_error_for_that_service_alone(sandbox: Sandbox) -> None:
    """However many hostile manifests there are: none spoils a check for others, nor other checks for that service."""
    text = "manifest.custom.texts.map(text, text.matches(manifest.custom.pattern)).size() > 0"
    good, bad = values(texts=["a"], pattern="a"), values(texts=["aaaa"] * 500, pattern="x{500}" * 20)
    bindings = [bad if number % 50 in {1, 7} else good for number in range(500)]
    found = await sandbox.evaluate([GOOD, text, GOOD], FIELDS, bindings)
    assert [row[0] for row in found] == [row[2] for row in found] == [Evaluated(value=True)] * 500
    killed = Evaluated(error="takes too much CPU")
    assert [row[1] for row in found] == [killed if bound is bad else Evaluated(value=True) for bound in bindings]


async def test_an_expression_that_kills_everywhere_is_left_undecided_in_the_end(sandbox: Sandbox) -> None:
    """A thousand services do not cost a thousand processes; all other expressions have their values."""
    before = cpu_of_the_dead()
    with capture_logs() as logs:
        found = await sandbox.evaluate([DOUBLING, GOOD], FIELDS, [values()] * 1_000)
    assert [row[1] for row in found] == [Evaluated(value=True)] * 1_000
    deaths = MOST_DEATHS + 1
    assert all(str(row[0].error).startswith("takes too much") for row in found[:deaths])
    assert [row[0] for row in found[deaths:]] == [Evaluated(undecided=True)] * (1_000 - deaths)
    assert cpu_of_the_dead() - before < 0.1 * deaths
    assert [(line["event"], line["processes"]) for line in logs] == [("expression_processes_died", deaths)]


async def test_the_first_that_is_put_last_is_decided_whatever_it_takes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more expressions that kill than processes may be spent: else it would be left each time anew."""
    monkeypatch.setattr(rounds, "MOST_DEATHS", 3)
    texts = [DOUBLING.replace("y", letter) for letter in "abcde"]
    found = await sandbox.evaluate(texts, FIELDS, [values()] * 4)
    assert [{outcome.undecided for outcome in row} for row in found] == [{False}, {False}, {True}, {True}]


async def test_what_is_put_last_is_decided_also_where_nothing_else_can_be_read(sandbox: Sandbox) -> None:
    """Two that kill, and beside them one that contains itself."""
    endless: dict[str, Any] = {}
    endless["self"] = endless
    found = await sandbox.evaluate([DOUBLING], FIELDS, [values(), values(), values(x=endless)])
    assert [row[0].error is not None for row in found] == [True] * 3
    assert found[2] == [Evaluated(error="the manifest cannot be read")]


@pytest.mark.parametrize("name", KILLING)
async def test_several_that_kill_do_not_hide_one_another(sandbox: Sandbox, name: str) -> None:
    """Whatever stands in which order."""
    texts = [KILLING[name], GOOD, *KILLING.values(), GOOD]
    found = await sandbox.evaluate(texts, FIELDS, [values()] * 2)
    for row in found:
        assert [outcome.value for outcome in row] == [None, True, None, None, True]


@on_linux
async def test_too_much_memory_is_an_error(sandbox: Sandbox) -> None:
    """Even where there is time enough for it: it may have so much and no more."""
    await sandbox.check(GOOD, FIELDS)
    pid = process_id(sandbox)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_AS)
    assert bytes_of(pid) < soft == hard <= bytes_of(pid) + 256 * 1024 * 1024
    little = bytes_of(pid) + 1_000_000
    resource.prlimit(pid, resource.RLIMIT_AS, (little, little))
    ((found, good),) = await sandbox.evaluate([DOUBLING, GOOD], FIELDS, [values()])
    assert found == Evaluated(error="takes too much memory")
    assert good == Evaluated(value=True)
