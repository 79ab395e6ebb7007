"""What an import prints: lines that scripts can read, or JSON, and the exit code that says the same in a number."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from opsgraph.kernel.findings import Finding
from opsgraph.kernel.money import to_cents
from opsgraph.workflows.importing.report import CostFigures, ImportReport, Tally

ALL_IMPORTED, SOME_REFUSED, NOTHING_READ = 0, 1, 2
"""The exit codes of `opsgraph import`."""


def exit_code(report: ImportReport) -> int:
    """The exit code that goes with a report."""
    if not report.read or not (report.refused or report.brought):
        return NOTHING_READ
    return SOME_REFUSED if report.refused else ALL_IMPORTED


def lines(report: ImportReport, default_currency: str) -> Iterator[str]:
    """The report line by line: whether it was stored, counts by kind, figures, refusals, warnings.

    Args:
        report: the report.
        default_currency: what sums of no charge at all are shown in.
    """
    yield from _headline(report)
    if report.read:
        yield from (_count_line(kind, tally) for kind, tally in report.kinds.items())
        if report.costs:
            yield from _cost_lines(report.costs, default_currency)
    yield from _findings(report.refusals, report.refused, "", "refused")
    yield from _findings(report.warnings, report.warned, "warning: ", "warnings")


def as_json(report: ImportReport) -> str:
    """The whole report as JSON; amounts are exact, and texts."""
    content = {
        "dryRun": report.dry_run,
        "stored": report.stored,
        "read": report.read,
        "files": report.files,
        "kinds": {kind: _counts(tally) for kind, tally in report.kinds.items()},
        "refused": report.refused,
        "refusals": [_finding(finding) for finding in report.refusals],
        "warned": report.warned,
        "warnings": [_finding(finding) for finding in report.warnings],
        **({"costs": _costs(report.costs)} if report.costs else {}),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _headline(report: ImportReport) -> Iterator[str]:
    if not report.read:
        yield "nothing could be read"
    elif not (report.refused or report.brought):
        yield "nothing in these files is of this format"
    elif report.dry_run:
        yield "dry run: nothing is stored"
    elif not report.stored:
        yield f"nothing was stored: {report.refused} refused, and the import is strict"


def _count_line(kind: str, tally: Tally) -> str:
    removed = f", {tally.removed} removed" if tally.removed else ""
    return f"{kind}: {tally.created} created, {tally.changed} changed, {tally.unchanged} unchanged{removed}"


def _cost_lines(costs: CostFigures, default_currency: str) -> Iterator[str]:
    billed = costs.billed or {default_currency: Decimal(0)}
    effective = costs.effective if costs.billed else billed
    yield from (_money_line("billed", amount, currency) for currency, amount in billed.items())
    yield from (_money_line("effective", amount, currency) for currency, amount in effective.items())
    yield f"untagged rows {costs.untagged}"
    yield from (
        _money_line("unallocated", costs.unallocated.get(currency, Decimal(0)), currency) for currency in billed
    )


def _money_line(name: str, amount: Decimal, currency: str) -> str:
    cents = to_cents(amount)
    return f"{name} {cents or cents.copy_abs()} {currency}"


def _findings(findings: Sequence[Finding], count: int, prefix: str, what: str) -> Iterator[str]:
    yield from (f"{prefix}{one_line(str(finding))}" for finding in findings)
    if count > len(findings):
        yield f"{prefix}and {count - len(findings)} more {what}"


def one_line(text: str) -> str:
    """A text as a single line that cannot steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "created": tally.created,
        "changed": tally.changed,
        "unchanged": tally.unchanged,
        "removed": tally.removed,
        "createdNames": tally.created_names,
        "changedNames": tally.changed_names,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"file": finding.file, "line": finding.line, "name": finding.name, "reason": finding.reason}


def _costs(costs: CostFigures) -> dict[str, Any]:
    return {
        "rows": costs.rows,
        "untaggedRows": costs.untagged,
        "billed": _amounts(costs.billed),
        "effective": _amounts(costs.effective),
        "unallocated": _amounts(costs.unallocated),
    }


def _amounts(amounts: dict[str, Decimal]) -> list[dict[str, str]]:
    return [{"amount": format(amount, "f"), "currency": currency} for currency, amount in amounts.items()]
