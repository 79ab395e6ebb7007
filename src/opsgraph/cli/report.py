"""`opsgraph report`."""

import asyncio
import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from opsgraph.cli.asking import Key, Url, ask

DOCUMENT = """{
  platformReport {
    generatedAt totalServices healthy degraded critical down unknown overallHealth sloBreaches overBudget
    governanceCompliant avgReliabilityScore
    totalMonthlyCost { amount currency }
    unallocatedCost { amount currency }
    alertCount
    alerts { id serviceName severity status message source occurrences startsAt firstSeenAt resolvedAt silenced }
    services {
      name team health reliabilityScore governance monthlyCost monthlyCostCurrency slosMet slosTotal
    }
  }
}"""

_NEVER_WRAPPED = 1_000
_COLOURS = {"HEALTHY": "green", "DEGRADED": "yellow", "CRITICAL": "red", "DOWN": "magenta", "UNKNOWN": "dim"}


def report(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON in the shape of the API's PlatformReport.")
    ] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Print the platform report: the state of all services, worst first."""
    data = asyncio.run(ask(DOCUMENT, url, key))["platformReport"]
    if as_json:
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    for line in summary(data):
        typer.echo(line)
    if data["services"]:
        _console().print(_table(data["services"]))


def summary(data: dict[str, Any]) -> list[str]:
    """The report's counts, as lines that scripts can read: a name, then its value."""
    by_status = ", ".join(f"{data[name]} {name}" for name in ("healthy", "degraded", "critical", "down", "unknown"))
    return [
        f"overall {data['overallHealth']}",
        f"services {data['totalServices']} ({by_status})",
        f"slo breaches {data['sloBreaches']}",
        f"over budget {data['overBudget']}",
        f"governance compliant {data['governanceCompliant']}",
        f"monthly cost {_money(data['totalMonthlyCost'])}",
        f"unallocated cost {_money(data['unallocatedCost'])}",
        f"alerts {data['alertCount']}",
        f"mean reliability score {data['avgReliabilityScore']:.1f}",
    ]


def _console() -> Console:
    """A terminal as wide and as colourful as it is; anything else gets plain lines that are never cut."""
    return Console() if sys.stdout.isatty() else Console(width=_NEVER_WRAPPED, force_terminal=False)


def _table(services: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("SERVICE", "TEAM", "HEALTH"):
        table.add_column(title, no_wrap=True)
    table.add_column("SCORE", justify="right", no_wrap=True)
    table.add_column("GOVERNANCE", no_wrap=True)
    table.add_column("MONTHLY COST", justify="right", no_wrap=True)
    table.add_column("SLOS MET", justify="right", no_wrap=True)
    for line in services:
        table.add_row(*_cells(line))
    return table


def _cells(line: dict[str, Any]) -> list[Text]:
    score = line["reliabilityScore"]
    figures = (
        "-" if score is None else f"{score:g}",
        line["governance"],
        f"{line['monthlyCost']} {line['monthlyCostCurrency'] or ''}".strip(),
        f"{line['slosMet']}/{line['slosTotal']}",
    )
    # Texts, because in plain strings [brackets] and :colons: would be markup.
    health = Text(line["health"], _COLOURS.get(line["health"], ""))
    return [Text(line["name"]), Text(line["team"] or "-"), health, *map(Text, figures)]


def _money(amounts: list[dict[str, str]]) -> str:
    return ", ".join(f"{money['amount']} {money['currency']}" for money in amounts) or "0"
