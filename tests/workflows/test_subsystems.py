"""Health subsystems that others install: found by entry point, shown to everyone, and unable to do harm."""

import importlib
import re
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
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
        (site / "acme_fine.py").write_text(subsystems(fine="return ()"), encoding="utf-8")
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


def subsystems(**evaluate: str) -> str:
    """The source of a module with a class for each of these methods; the class and the subsystem have its name."""
    return "from opsgraph.domains.health.model import Signal\n" + "".join(
        f"class {name}:\n    name = {name!r}\n    def evaluate(self, facts):\n        {body}\n"
        for name, body in evaluate.items()
    )


def references(names: Iterable[str]) -> dict[str, str]:
    """Entry points for classes of the module."""
    return {name: f"acme_health:{name}" for name in names}


TIER = subsystems(acme='return [Signal("whatever", 2, facts.service.name + " is tier " + str(facts.service.tier))]')
QUIET = subsystems(acme="return ()")


async def health_of(api: Api, name: str = "api") -> dict[str, Any]:
    """A service's health as the API shows it."""
    found: dict[str, Any] = (await api.data(HEALTH, name=name))["service"]["health"]
    return found


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("reference", ["acme_health:acme", "acme_health:made", "acme_health:instance"])
async def test_its_points_and_messages_are_shown(
    settings: Settings, clock: TestClock, install: Install, reference: str
) -> None:
    """Of a class, of a function that makes one, and of an object; they add to those of the usual subsystems."""
    install({"acme": reference}, TIER + "made = lambda: acme()\ninstance = acme()\n")
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


FAILURES = {
    "raises": ("raise LookupError('no such thing')", "LookupError: no such thing"),
    "raises_oddly": ("raise ValueError('\\udcff')", "ValueError: ?"),
    "nothing": ("return None", "TypeError: 'NoneType' object is not iterable"),
    "text": ("return 'text'", "AttributeError: 'str' object has no attribute 'points'"),
    "points_as_text": ("return [Signal('', '2', '')]", "TypeError: 'str' object cannot be interpreted as an integer"),
    "half_a_point": ("return [Signal('', 1.5, '')]", "TypeError: 'float' object cannot be interpreted as an integer"),
    "takes_away": ("return [Signal('', -1, '')]", "ValueError: it gives -1 points; a signal takes 0 to 100"),
    "too_many": ("return [Signal('', 101, '')]", "ValueError: it gives 101 points; a signal takes 0 to 100"),
    "overflowing": (
        "return [Signal('', 10**10, '')]",
        f"ValueError: it gives {10**10} points; a signal takes 0 to 100",
    ),
    "fails_late": (
        "return (Signal('', 2 // (1 - n), '') for n in (0, 1))",
        "ZeroDivisionError: integer division or modulo by zero",
    ),
    "takes_slos": ("facts.slos.clear(); return ()", "AttributeError: 'tuple' object has no attribute 'clear'"),
    "moves_time": ("facts.now = None; return ()", "FrozenInstanceError: cannot assign to field 'now'"),
}
"""What may be wrong with a method, by the name of its subsystem, and what is said of it."""

MESSAGES = {
    "surrogate": ("'\\udcff'", "?"),
    "nul": ("'nul \\x00'", "nul \x00"),
    "none": ("None", "None"),
    "very_long": ("'é' * 1_000_000", "é" * 10_000),
}
"""Messages as Python writes them, by the name of a subsystem, and as they are shown."""


@pytest.mark.usefixtures("emptied")
async def test_those_that_fail_are_shown_and_stop_nobody(
    settings: Settings, clock: TestClock, install: Install
) -> None:
    """They add no points and say what happened; the write succeeds, and the others are asked as usual."""
    careful = "return [Signal('', 1, str(len(facts.slos)) + ' SLOs')]"
    names = [*FAILURES, "zealous"]
    install(references(names), subsystems(**{name: body for name, (body, _) in FAILURES.items()}, zealous=careful))
    async with running(settings, clock) as api:
        await api.do("saveService", name="api")
        assert (await api.do("saveSlo", service="api", name="uptime", target=99, current=98))["__typename"] == "Slo"
        health = await health_of(api)
    slo, *failed, zealous = health["signals"]
    assert (slo["points"], zealous, health["points"]) == (2, said("zealous", 1, "1 SLOs"), 3)
    assert sorted(failed, key=str) == sorted(
        (said(name, 0, f"could not be evaluated: {why}") for name, (_, why) in FAILURES.items()), key=str
    )


def said(subsystem: str, points: int, message: str) -> dict[str, Any]:
    """A signal as the API shows it."""
    return {"subsystem": subsystem, "points": points, "message": message}


@pytest.mark.usefixtures("emptied")
async def test_any_message_is_shown(settings: Settings, clock: TestClock, install: Install) -> None:
    """Whatever characters it has; a very long one is cut."""
    bodies = {name: f"return [Signal('', 0, {message})]" for name, (message, _) in MESSAGES.items()}
    install(references(MESSAGES), subsystems(**bodies))
    async with running(settings, clock) as api:
        await api.do("saveService", name="api")
        found = {signal["subsystem"]: signal["message"] for signal in (await health_of(api))["signals"]}
    assert found == {name: shown for name, (_, shown) in MESSAGES.items()}


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("no_such_module:acme", ""),
        ("not a reference", ""),
        ("acme_health:missing", QUIET),
        ("acme_health:acme", "this is not Python"),
        ("acme_health:acme", "raise RuntimeError"),
        ("acme_health:acme", "import sys; sys.exit(0)"),
        ("acme_health:acme", "class acme:\n  def __init__(self, needed): pass"),
        ("acme_health:acme", "class acme:\n  name = 'has no method'"),
        ("acme_health:acme", "class acme:\n  evaluate = lambda self, facts: ()"),
        ("acme_health:acme", QUIET.replace("name = 'acme'", "name = 5")),
        ("acme_health:acme", QUIET.replace("name = 'acme'", "name = ''")),
        ("acme_health:acme", QUIET.replace("name = 'acme'", "name = '\\udcff'")),
        ("acme_health:acme", "acme = 5"),
    ],
)
def test_one_that_cannot_be_loaded_is_left_out_and_logged(install: Install, reference: str, source: str) -> None:
    """The log names its entry point; opsgraph starts without it, with all the others."""
    install({"broken": reference, "fine": "acme_fine:fine"}, source)
    with capture_logs() as logs:
        found = installed_subsystems()
    assert [subsystem.name for subsystem in found] == [*(usual.name for usual in BUILT_IN), "fine"]
    assert [(line["event"], line["entry_point"], line["log_level"]) for line in logs] == [
        ("plugin_not_loaded", reference, "error")
    ]


def test_they_are_asked_by_the_names_of_their_entry_points(install: Install) -> None:
    """After the usual ones, in an order that does not change from start to start."""
    install({"z": "acme_health:first", "a": "acme_health:second"}, subsystems(first="return ()", second="return ()"))
    assert [each.name for each in installed_subsystems()] == [*(each.name for each in BUILT_IN), "second", "first"]
