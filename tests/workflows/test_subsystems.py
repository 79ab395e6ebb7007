"""Health subsystems that others install: found by entry point, shown to everyone, and unable to do harm."""

import importlib
import re
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from opsgraph.domains.health.model import PLUGIN_GROUP
from opsgraph.domains.health.rules import BUILT_IN
from opsgraph.settings import Settings
from opsgraph.workflows.subsystems import installed_subsystems
from tests.support import databases
from tests.support.api import Api, running
from tests.support.clock import TestClock

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
HEALTH = """query ($name: String!) {
  service(name: $name) { health { status points signals { subsystem points message } } }
}"""

Install = Callable[[Mapping[str, str], str], None]
"""Installs a package: its entry points by name, and the source of its module `acme_health`."""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A way to install a package, which is gone after the test."""

    def written(entry_points: Mapping[str, str], source: str) -> None:
        site = tmp_path / "site-packages"
        information = site / "acme-1.0.dist-info"
        information.mkdir(parents=True)
        lines = [f"[{PLUGIN_GROUP}]", *(f"{name} = {value}" for name, value in entry_points.items())]
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text("\n".join(lines))
        (site / "acme_health.py").write_text(source, encoding="utf-8")
        (site / "acme_fine.py").write_text(a_subsystem("return ()", name="fine"), encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()

    yield written
    for module in ("acme_health", "acme_fine"):
        sys.modules.pop(module, None)


@pytest.fixture
async def emptied(settings: Settings, database_kind: str) -> AsyncIterator[None]:
    """Leaves nothing in the database."""
    yield
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


def a_subsystem(evaluate: str, name: str = "acme") -> str:
    """The source of a subsystem whose method has this body."""
    return f"""
from opsgraph.domains.health.model import Signal

class Acme:
    name = {name!r}

    def evaluate(self, facts):
        {evaluate}

class Careful:
    name = "careful"

    def evaluate(self, facts):
        return [Signal("whatever", 1, facts.service.name + " has " + str(len(facts.slos)) + " SLOs")]

def made():
    return Acme()

instance = Acme()
"""


ALWAYS_TWO = a_subsystem('return [Signal("whatever", 2, facts.service.name + " is tier " + str(facts.service.tier))]')
BOTH = {"acme": "acme_health:Acme", "careful": "acme_health:Careful"}


async def health_of(api: Api, name: str = "api") -> dict[str, Any]:
    """A service's health as the API shows it."""
    found: dict[str, Any] = (await api.data(HEALTH, name=name))["service"]["health"]
    return found


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("reference", ["acme_health:Acme", "acme_health:made", "acme_health:instance"])
async def test_its_points_and_messages_are_shown(
    settings: Settings, clock: TestClock, install: Install, reference: str
) -> None:
    """Of a class, of a function that makes one, and of an object; they add to those of the usual subsystems."""
    install({"acme": reference}, ALWAYS_TWO)
    async with running(settings, clock) as api:
        await api.do("saveService", name="api", tier=1)
        signal = {"subsystem": "acme", "points": 2, "message": "api is tier 1"}
        assert await health_of(api) == {"status": "DEGRADED", "points": 2, "signals": [signal]}
        await api.do("setGovernanceCheck", service="api", check="runbook", passed=True)
        health = await health_of(api)
    assert (health["status"], health["points"]) == ("CRITICAL", 4)
    assert [each["subsystem"] for each in health["signals"]] == ["governance", "acme"]


@pytest.mark.usefixtures("emptied")
async def test_the_example_of_the_documentation_works(settings: Settings, clock: TestClock, install: Install) -> None:
    """As printed: a tier 1 service whose runbook check fails gets two points, any other none."""
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    assert blocks["python"].startswith("# acme_health.py\n")
    install(tomllib.loads(blocks["toml"])["project"]["entry-points"][PLUGIN_GROUP], blocks["python"])
    async with running(settings, clock) as api:
        for name, tier in (("api", 1), ("web", 2)):
            await api.do("saveService", name=name, tier=tier)
            await api.do("setGovernanceCheck", service=name, check="runbook", passed=False)
        critical, usual = await health_of(api), await health_of(api, "web")
    assert (critical["status"], critical["points"]) == ("CRITICAL", 4)
    assert critical["signals"][-1] == {
        "subsystem": "runbooks",
        "points": 2,
        "message": "api is tier 1 and has no runbook",
    }
    assert (usual["status"], [each["subsystem"] for each in usual["signals"]]) == ("DEGRADED", ["governance"])


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize(
    ("evaluate", "why"),
    [
        ("raise LookupError('no such thing')", "LookupError: no such thing"),
        ("raise ValueError('\\udcff')", "ValueError: ?"),
        ("return None", "TypeError: 'NoneType' object is not iterable"),
        ("return 'text'", "AttributeError: 'str' object has no attribute 'points'"),
        ("return [Signal('acme', '2', 'points as text')]", "TypeError: 'str' object cannot be interpreted"),
        ("return [Signal('acme', 1.5, 'half a point')]", "TypeError: 'float' object cannot be interpreted"),
        ("return [Signal('acme', -1, 'takes points away')]", "ValueError: it gives -1 points"),
        ("return [Signal('acme', 101, 'too many')]", "ValueError: it gives 101 points"),
        ("return [Signal('acme', 10**30, 'far too many')]", "ValueError: it gives 1000000"),
        ("return (Signal('acme', 2 // (1 - n), 'n') for n in (0, 1))", "ZeroDivisionError: "),
        ("facts.slos.clear(); return ()", "AttributeError: 'tuple' object has no attribute 'clear'"),
        ("facts.now = None; return ()", "FrozenInstanceError: cannot assign to field 'now'"),
    ],
)
async def test_one_that_fails_is_shown_and_stops_nobody(
    settings: Settings, clock: TestClock, install: Install, evaluate: str, why: str
) -> None:
    """It adds no points and says what happened; the write succeeds, and the others are asked as usual."""
    install(BOTH, a_subsystem(evaluate))
    async with running(settings, clock) as api:
        await api.do("saveService", name="api")
        assert (await api.do("saveSlo", service="api", name="uptime", target=99, current=98))["__typename"] == "Slo"
        health = await health_of(api)
    slo, acme, careful = health["signals"]
    assert (acme["subsystem"], acme["points"]) == ("acme", 0)
    assert acme["message"].startswith(f"could not be evaluated: {why}")
    assert (slo["points"], careful["message"], health["points"]) == (2, "api has 1 SLOs", 3)


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("'\\udcff'", "?"),
        ("'nul \\x00'", "nul \x00"),
        ("None", "None"),
        ("'é' * 1_000_000", "é" * 10_000),
    ],
)
async def test_any_message_is_shown(
    settings: Settings, clock: TestClock, install: Install, message: str, shown: str
) -> None:
    """Whatever characters it has; a very long one is cut."""
    install({"acme": "acme_health:Acme"}, a_subsystem(f"return [Signal('acme', 0, {message})]"))
    async with running(settings, clock) as api:
        await api.do("saveService", name="api")
        assert [each["message"] for each in (await health_of(api))["signals"]] == [shown]


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("no_such_module:Acme", ""),
        ("not a reference", ""),
        ("acme_health:Missing", ALWAYS_TWO),
        ("acme_health:Acme", "this is not Python"),
        ("acme_health:Acme", "raise RuntimeError"),
        ("acme_health:Acme", "import sys; sys.exit(0)"),
        ("acme_health:Acme", "class Acme:\n  def __init__(self, needed): pass"),
        ("acme_health:Acme", "class Acme:\n  name = 'has no method'"),
        ("acme_health:Acme", "class Acme:\n  evaluate = lambda self, facts: ()"),
        ("acme_health:Acme", a_subsystem("return ()").replace("name = 'acme'", "name = 5")),
        ("acme_health:Acme", a_subsystem("return ()", name="")),
        ("acme_health:Acme", a_subsystem("return ()", name="\udcff")),
        ("acme_health:ACME", "ACME = 5"),
    ],
)
def test_one_that_cannot_be_loaded_is_left_out_and_logged(install: Install, reference: str, source: str) -> None:
    """The log names its entry point; opsgraph starts without it, with all the others."""
    install({"broken": reference, "fine": "acme_fine:Acme"}, source)
    with capture_logs() as logs:
        found = installed_subsystems()
    assert [subsystem.name for subsystem in found] == [*(usual.name for usual in BUILT_IN), "fine"]
    assert [(line["event"], line["entry_point"], line["log_level"]) for line in logs] == [
        ("plugin_not_loaded", reference, "error")
    ]


def test_they_are_asked_by_the_names_of_their_entry_points(install: Install) -> None:
    """After the usual ones, in an order that does not change from start to start."""
    install({"z": "acme_health:Acme", "a": "acme_health:Careful"}, ALWAYS_TWO)
    assert [each.name for each in installed_subsystems()] == [*(each.name for each in BUILT_IN), "careful", "acme"]
