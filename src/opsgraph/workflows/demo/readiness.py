"""What the teams of Larkspur Goods declare, and what people decided about it.

Never of `api-gateway` and `payments`, which have the facts of the worked example and nothing else, nor of `storefront`,
whose probe comes and goes: its verdict would be another one every few seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opsgraph.domains.readiness.model.manifests import FieldType
from opsgraph.domains.readiness.model.policies import CheckInput, ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.rules.manifests import DECLARED
from opsgraph.workflows.demo.model import runbook


@dataclass(frozen=True, slots=True)
class Statement:
    """What a service declared, so long ago, and who did."""

    service: str
    ago: timedelta
    by: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What one person asks for and another one agrees to.

    Attributes:
        lasts: from the instant of loading.
        note: what the other one wrote.
    """

    service: str
    reason: str
    requested_by: str
    approved_by: str
    lasts: timedelta
    note: str = ""


_EVERYTHING = {name: True for name, kind in DECLARED.items() if kind is FieldType.BOOL}


def _all_but(service: str, *lacking: str, regions: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a service declares that lacks some of what is asked."""
    values: dict[str, Any] = {**_EVERYTHING, "runbook_url": runbook(service), **dict.fromkeys(lacking, False)}
    if "runbook_url" in lacking:
        del values["runbook_url"]
    return {**values, "custom": {"regions": list(regions)}} if regions else values


STATEMENTS = (
    Statement(
        "ledger",
        timedelta(days=48),
        "Marit Solheim",
        _all_but("ledger", "backups_tested", "load_tested", regions=("eu-west",)),
    ),
    Statement("ledger", timedelta(days=9), "Devika Rao", _all_but("ledger", regions=("eu-west", "eu-north"))),
    Statement(
        "orders",
        timedelta(days=20),
        "Mateus Pires",
        _all_but("orders", "load_tested", "sla_documented", "rollback_plan", regions=("eu-west", "eu-north")),
    ),
    Statement(
        "checkout",
        timedelta(days=12),
        "Lucía Herrera",
        _all_but("checkout", "load_tested", "sla_documented", regions=("eu-west",)),
    ),
    Statement(
        "notifications",
        timedelta(days=30),
        "Tomasz Wrona",
        _all_but("notifications", "runbook_url", "load_tested", "graceful_degradation"),
    ),
    Statement(
        "shipping",
        timedelta(days=15),
        "Siobhán Daly",
        _all_but("shipping", "encryption", "load_tested", "backups_tested", "runbook_url"),
    ),
)
"""Oldest first for each service."""

TWO_REGIONS = CheckInput(
    "Two regions",
    category=ReadinessCategory.RELIABILITY,
    expression="has(manifest.custom.regions) && size(manifest.custom.regions) >= 2",
    description="A tier 1 service runs in two regions.",
    why="eu-west was away for five hours in spring.",
    fix="Deploy to a second region, and declare both under custom.regions.",
    tiers=(1,),
)
"""What the company asks beside what is built in."""

POLICY_BY = "Ines Carvalho"

EXEMPT_CHECK = "load_tested"
EXEMPTION_AGO = timedelta(days=8)
EXEMPTION = Permit(
    service="checkout",
    reason="The load test needs the new cluster, which is delivered next quarter.",
    requested_by="Lucía Herrera",
    approved_by="Ines Carvalho",
    lasts=timedelta(days=90),
)

OVERRIDE_TO = ReadinessDecision.CONDITIONAL_GO
OVERRIDE = Permit(
    service="shipping",
    reason="Labels have to be printed through the season; its disks are encrypted in the window on Sunday.",
    requested_by="Siobhán Daly",
    approved_by="Ines Carvalho",
    lasts=timedelta(days=14),
    note="Two weeks, and no new data stores meanwhile.",
)
