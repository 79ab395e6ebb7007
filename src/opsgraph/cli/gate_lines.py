"""A verdict as `opsgraph gate` shows it: for people and the logs of pipelines, and as JSON."""

from typing import Any

import typer

from opsgraph.cli.printing import Cell, instant, print_table, styled
from opsgraph.kernel.text import printable

_OUTCOMES = ("FAILED", "ERROR", "SKIPPED", "PASSED")
"""What a reader looks for comes first."""

_STYLES = {
    "GO": "bold green",
    "CONDITIONAL_GO": "bold yellow",
    "NO_GO": "bold red",
    "PASSED": "green",
    "FAILED": "red",
    "ERROR": "magenta",
    "SKIPPED": "dim",
}


def document_of(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict as scripts read it; `decision` is what counts, `verdict` what the checks say."""
    return {
        "service": verdict["service"]["name"],
        "decision": verdict["effectiveDecision"].lower(),
        "verdict": verdict["decision"].lower(),
        "pass_rate": verdict["passRateShown"],
        "policy_version": verdict["policyVersion"],
        "evaluated_at": verdict["evaluatedAt"],
        "blockers": _names(verdict["blockers"]),
        "conditions": verdict["conditions"],
        "to_go": _names(verdict["toGo"]),
        "override": _override(verdict["override"]),
        "exemptions": [_exemption(each) for each in verdict["exemptions"] if each["active"]],
        "results": [_result(each) for each in verdict["results"]],
    }


def print_verdict(verdict: dict[str, Any]) -> None:
    """Print the decision, every check with its reason, and what would make it GO."""
    print_table(("SERVICE", "DECISION", "PASSED", "POLICY", "EVALUATED"), [_head(verdict)])
    for line in _beside(verdict):
        typer.echo(printable(line))
    typer.echo()
    rows = sorted(verdict["results"], key=lambda result: _OUTCOMES.index(result["outcome"]))
    print_table(("OUTCOME", "CATEGORY", "CHECK", "REASON"), [_row(result) for result in rows])
    if fixes := _fixes(verdict):
        typer.echo()
        typer.echo("The least that has to pass for a GO:")
        for line in fixes:
            typer.echo(printable(line))


def _head(verdict: dict[str, Any]) -> list[Cell | str]:
    return [
        verdict["service"]["name"],
        styled(verdict["effectiveDecision"], _STYLES),
        verdict["passRateShown"],
        f"version {verdict['policyVersion']}",
        instant(verdict["evaluatedAt"]),
    ]


def _beside(verdict: dict[str, Any]) -> list[str]:
    """What people decided beside the verdict, a line each."""
    lines = []
    override = verdict["override"]
    if override and override["active"]:
        lines.append(
            f"overridden: the verdict is {verdict['decision']}, {override['decision']} counts until"
            f" {instant(override['expiresAt'])}; asked for by {override['requestedBy']}, approved by"
            f" {override['approvedBy']}: {override['reason']}"
        )
    elif override and override["state"] == "PENDING":
        lines.append(f"override to {override['decision']} asked for by {override['requestedBy']}, not approved yet")
    elif override:
        lines.append(_over(override))
    return lines + [_exempt(each) for each in verdict["exemptions"] if each["active"]]


def _over(override: dict[str, Any]) -> str:
    """How an override came to its end; people look for it when it counts no more."""
    to = f"override to {override['decision']}"
    if override["state"] == "REJECTED":
        note = f": {override['note']}" if override["note"] else ""
        return f"{to} asked for by {override['requestedBy']} rejected by {override['decidedBy']}{note}"
    by = f"by {override['approvedBy']}" if override["approvedBy"] else f"asked for by {override['requestedBy']}"
    return f"{to} {by} ended {instant(override['endedAt'])}: {override['endedReason']}"


def _exempt(each: dict[str, Any]) -> str:
    until = instant(each["endsAt"])
    return f"exempt from {each['check']} until {until}, granted by {each['approvedBy']}: {each['reason']}"


def _row(result: dict[str, Any]) -> list[Cell | str]:
    check = result["check"]
    blocks = check["hardBlocker"] and result["outcome"] in {"FAILED", "ERROR"}
    reason = f"BLOCKS: {result['message']}" if blocks else result["message"]
    return [styled(result["outcome"], _STYLES), check["category"], check["name"], reason]


def _fixes(verdict: dict[str, Any]) -> list[str]:
    """The checks that are missing to a GO, each with how to pass it."""
    fixes = {result["check"]["name"]: result["check"]["howToFix"] for result in verdict["results"]}
    return [f"  {name}: {fixes[name] or 'see its reason'}" for name in _names(verdict["toGo"])]


def _names(results: list[dict[str, Any]]) -> list[str]:
    return [result["check"]["name"] for result in results]


def _override(override: dict[str, Any] | None) -> dict[str, Any] | None:
    if override is None:
        return None
    return {
        "decision": override["decision"].lower(),
        "active": override["active"],
        "state": override["state"].lower(),
        "reason": override["reason"],
        "requested_by": override["requestedBy"],
        "approved_by": override["approvedBy"],
        "expires_at": override["expiresAt"],
        "ended_at": override["endedAt"],
        "ended_reason": override["endedReason"],
    }


def _exemption(exemption: dict[str, Any]) -> dict[str, Any]:
    return {
        "check": exemption["check"],
        "reason": exemption["reason"],
        "requested_by": exemption["requestedBy"],
        "approved_by": exemption["approvedBy"],
        "ends_at": exemption["endsAt"],
    }


def _result(result: dict[str, Any]) -> dict[str, Any]:
    check = result["check"]
    return {
        "check": check["name"],
        "category": check["category"].lower(),
        "outcome": result["outcome"].lower(),
        "hard_blocker": check["hardBlocker"],
        "message": result["message"],
    }
