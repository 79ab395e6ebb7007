"""Files to import, and what is read back afterwards."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.findings import Finding
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.pruning import pruning
from opsgraph.workflows.exporting import records
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import Options
from tests.support.clock import START

SAMPLES = Path(__file__).parents[1] / "data"
REAL_FILES = Path(__file__).parents[3] / "shared" / "data"

DRY = Options(dry_run=True)
STRICT = Options(strict=True)

needs_real_files = pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the files that others published are not here")


def written(folder: Path, name: str, *documents: object) -> Path:
    """A YAML file of documents (JSON is YAML), or of the one text given."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [each if isinstance(each, str) else json.dumps(each) + "\n" for each in documents]
    path.write_text("---\n".join(texts), encoding="utf-8")
    return path


def entity(kind: str, name: str, namespace: str | None = None, **spec: Any) -> dict[str, Any]:
    """A Backstage entity; title and description go into its metadata."""
    given = {key: spec.pop(key) for key in ("title", "description", "tags", "links") if key in spec}
    place = {} if namespace is None else {"namespace": namespace}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, **place, **given},
        "spec": spec,
    }


def component(name: str, namespace: str | None = None, **spec: Any) -> dict[str, Any]:
    """A component of the group shop, in production."""
    return entity("Component", name, namespace, **{"lifecycle": "production", "owner": "group:default/shop"} | spec)


def slo(name: str = "availability", service: str = "web", **spec: Any) -> dict[str, Any]:
    """An OpenSLO document of one objective of 99 %."""
    query = {"metricSource": {"type": "Prometheus", "spec": {"query": "up"}}}
    ratio = {"counter": True, "good": query, "total": query}
    defaults = {
        "service": service,
        "indicator": {"metadata": {"name": "up"}, "spec": {"ratioMetric": ratio}},
        "timeWindow": [{"duration": "28d", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": 0.99}],
    }
    return {"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": name}, "spec": {**defaults, **spec}}


def reasons(findings: list[Finding]) -> list[str]:
    """Findings without their folder: file name, name and reason."""
    return [f"{Path(each.file).name}: {each.name}: {each.reason}" for each in findings]


def counts(report: ImportReport) -> dict[str, tuple[int, int, int]]:
    """How many of each kind were created, changed and unchanged."""
    return {kind: (tally.created, tally.changed, tally.unchanged) for kind, tally in report.kinds.items()}


async def exported(database: Database, kind: str) -> dict[str, dict[str, Any]]:
    """What an export says of teams, users or services, by name."""
    reader: dict[str, Any] = {"teams": records.teams, "users": records.users, "services": records.services}
    async with database.reading() as session:
        return {record["name"]: record async for record in _read(reader[kind], session)}


async def emptied(database: Database) -> None:
    """Remove every row, so that something can be imported anew."""
    async with database.transaction(SYSTEM, START) as tx, pruning(tx):
        for table in reversed(metadata.sorted_tables):
            if table.name not in {"event_log", "pruning"}:
                await tx.connection.execute(delete(table))


async def _read(reader: Any, session: AsyncConnection) -> AsyncIterator[dict[str, Any]]:
    async for record in reader(session):
        yield record
