"""Fields that expressions can use, values for them, expressions that mean no good, and the process that evaluates."""

import resource
import time
from pathlib import Path
from typing import Any

from opsgraph.adapters.expressions.sandbox import Sandbox
from opsgraph.domains.readiness.model.manifests import FieldType

FIELDS = {
    "manifest.structured_logs": FieldType.BOOL,
    "manifest.metrics": FieldType.BOOL,
    "manifest.runbook_url": FieldType.LINK,
    "manifest.custom": FieldType.MAP,
    "manifest.service.team": FieldType.STRING,
    "manifest.service.tags": FieldType.STRINGS,
    "manifest.slo.count": FieldType.INT,
    "manifest.cost.monthly": FieldType.DOUBLE,
}

_ONES = f"[{','.join('1' * 200)}]"
_TEXTS = ["'aaaa'"] * 250

MILLION_STEPS = f"{_ONES}.all(a, {_ONES}.all(b, {_ONES}.all(c, a + b + c > 0)))"
DOUBLING = f"['{'x' * 1_000}']{'.map(s, s + s)' * 28}[0].contains('y')"
REGULAR_EXPRESSION = f"[{','.join(_TEXTS)}].map(a, a.matches('{'x{500}' * 5}')) == []"
LONG_SUM = "'a' + " * 320 + "'a' == 'b'"

KILLING = {"doubling": DOUBLING, "regular expression": REGULAR_EXPRESSION}
"""What no limit of CEL itself ends in time."""

HOSTILE = {
    **KILLING,
    "a million steps": MILLION_STEPS,
    "nested parentheses": f"{'(' * 500}true{')' * 500}",
    "nested lists": f"{'[' * 500}{']' * 500} == []",
    "a long sum": LONG_SUM,
    "doubled strings": f"'{'x' * 1_500}'.size() > 0 && ['{'x' * 100}']{'.map(s, s + s + s)' * 20}[0].size() > 1",
    "crossed lists": f"{_ONES}.map(a, {_ONES}.map(b, {_ONES})).size() > 0",
}
"""What must be refused, or be an error."""

DEEP = f"{'!' * 1_900}true == false"
PATTERN = "manifest.custom.text.matches(manifest.custom.pattern)"
QUANTIFIERS = f"'{'a' * 900}'.matches('{'(a*)*' * 100}b')"
ODD = {"negations": DEEP, "a pattern of the manifest": PATTERN, "quantifiers": QUANTIFIERS}
"""What may well be evaluated, if it is done in time."""


def values(**custom: Any) -> dict[str, Any]:
    """Values of every field."""
    return {
        "manifest.structured_logs": True,
        "manifest.metrics": False,
        "manifest.runbook_url": "https://runbooks.example/api",
        "manifest.custom": custom,
        "manifest.service.team": "platform",
        "manifest.service.tags": ["eu", "pci"],
        "manifest.slo.count": 3,
        "manifest.cost.monthly": 12.5,
    }


def process_id(sandbox: Sandbox) -> int:
    """The id of the process that evaluates."""
    child = sandbox._child
    assert child is not None
    return child._process.pid


def cpu_seconds(pid: int) -> float:
    """The CPU that a live process took until now, on Linux."""
    return time.clock_gettime((~pid << 3) | 2)  # the clock that clock_getcpuclockid gives


def cpu_of_the_dead() -> float:
    """The CPU that all processes took which this one started and which came to an end."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bytes_of(pid: int) -> int:
    """How much memory a process has addresses for, on Linux."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def environment_of(pid: int) -> str:
    """The environment of a process, on Linux."""
    return Path(f"/proc/{pid}/environ").read_text()


def opened_by(pid: int) -> dict[int, str]:
    """What a process has open, by number, on Linux."""
    return {int(entry.name): str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
