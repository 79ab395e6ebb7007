"""Deployments and declarations for tests."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from opsgraph.domains.catalog.model import Deployment, DeploymentOutcome
from opsgraph.domains.reliability.model import Declared

WORKED_GATEWAY = Declared(uptime_pct=99.95, mttr_minutes=8, incidents_30d=1, change_failure_rate_pct=5)
WORKED_PAYMENTS = Declared(uptime_pct=99.8, mttr_minutes=25, incidents_30d=3, change_failure_rate_pct=12)


def deployed(
    at: datetime,
    *,
    failed: bool = False,
    rework: bool = False,
    lead: timedelta | None = None,
    environment: str = "production",
) -> Deployment:
    """A deployment of some service; `lead` is the time since its commit."""
    committed_at = None if lead is None else at - lead
    outcome = DeploymentOutcome.FAILED if failed else DeploymentOutcome.SUCCEEDED
    return Deployment(uuid4(), UUID(int=1), "v1", environment, committed_at, at, outcome, rework)
