"""Everything as a folder of files that `opsgraph import all` takes back; see `opsgraph.workflows.export_format`.

It holds what people and importers entered: teams, users, the catalog, SLOs, costs, budgets, governance, declared
reliability, manifests and deployments. Not in it: what was measured (events of SLOs, stored health), what was decided
(verdicts on readiness, by which policy, and what people decided beside them) and what grants access.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.refusals import Conflict
from opsgraph.storage.database import Database
from opsgraph.storage.snapshots import snapshot
from opsgraph.workflows.export_format import FILES, FORMAT, MANIFEST, VERSION
from opsgraph.workflows.exporting import records
from opsgraph.workflows.exporting.openslo import BETWEEN, openslo_texts

_RECORDS: dict[str, Callable[[AsyncConnection], AsyncIterator[records.Record]]] = {
    "teams": records.teams,
    "users": records.users,
    "services": records.services,
    "budgets": records.budgets,
    "costs": records.costs,
    "duties": records.duties,
    "governance": records.governance_checks,
    "reliability": records.declarations,
    "manifests": records.manifests,
    "deployments": records.deployments,
}


async def export_everything(database: Database, now: datetime, folder: Path) -> dict[str, int]:
    """Write everything, as of one moment, into a new or empty folder; gives how much of each kind there is.

    Raises:
        Conflict: the folder holds something already, or is a file.
        OSError: it cannot be written to.
    """
    _make(folder)
    async with snapshot(database) as session:
        counts = {kind: await _write(session, kind, folder / name) for kind, name in FILES.items()}
    manifest = {"format": FORMAT, "version": VERSION, "exportedAt": rfc3339(now), "counts": counts}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return counts


def _make(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        problem = "is not empty" if folder.is_dir() else "is not a folder"
        raise Conflict(f"{folder} {problem}; an export goes into a folder of its own", "path")
    folder.mkdir(parents=True, exist_ok=True)


async def _write(session: AsyncConnection, kind: str, path: Path) -> int:
    count = 0
    with _writing(path) as write:
        async for text, number in _slos(session) if kind == "slos" else _lines(session, kind):
            write(text)
            count += number
    return count


@contextmanager
def _writing(path: Path) -> Iterator[Callable[[str], object]]:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream.write


async def _lines(session: AsyncConnection, kind: str) -> AsyncIterator[tuple[str, int]]:
    async for record in _RECORDS[kind](session):
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n", 1


async def _slos(session: AsyncConnection) -> AsyncIterator[tuple[str, int]]:
    between = ""
    async for services in records.every_service(session):
        for text, number in await openslo_texts(session, services):
            yield between + text, number
            between = BETWEEN
