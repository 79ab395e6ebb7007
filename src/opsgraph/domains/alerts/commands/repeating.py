"""Counting repeats where there is nothing else to do: one statement that is a transaction of its own.

Most of what is reported fires already and says what it said a minute ago. That needs no slot, no incident and no event,
so nothing has to be locked before the alerts.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import orjson

from opsgraph.domains.alerts import sql_postgresql, sql_sqlite
from opsgraph.domains.alerts.model import AlertOutcome, Taken
from opsgraph.domains.alerts.rules.absorbing import Folded
from opsgraph.storage.database import Database


async def repeat_all(database: Database, batch: Sequence[Folded], now: datetime) -> dict[str, Taken]:
    """Count reports of alerts that all fire already, as severe as they are reported, by fingerprint.

    Returns:
        nothing if one of them does not, and nothing was counted then; else those that were, which are all unless some
        have ended this very moment.
    """
    if database.is_sqlite:
        values = orjson.dumps([_plain(folded) for folded in batch]).decode()
        rows = await database.at_once(sql_sqlite.REPEAT_ALL, values, _text(now), len(batch))
        return {row[0]: _counted(_uuid(row[1]), row[2] and _uuid(row[2])) for row in rows}
    rows = await database.at_once(
        sql_postgresql.REPEAT_ALL,
        [folded.report.fingerprint for folded in batch],
        [len(folded.places) for folded in batch],
        [folded.report.severity.value for folded in batch],
        [folded.report.ends_at for folded in batch],
        now,
    )
    return {row[0]: _counted(row[1], row[2]) for row in rows}


def _counted(id_: UUID, incident_id: UUID | None) -> Taken:
    return Taken(AlertOutcome.DEDUPLICATED, id_, incident_id)


def _plain(folded: Folded) -> tuple[str, int, str, str | None]:
    """A report as SQLite reads it."""
    report = folded.report
    ends = _text(report.ends_at) if report.ends_at else None
    return report.fingerprint, len(folded.places), report.severity.value, ends


# The alerts of a batch end at the same time.
@lru_cache(maxsize=1_024)
def _text(instant: datetime) -> str:
    """An instant as the columns of SQLite hold it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


# What fires is reported again and again, and many alerts have one incident.
_uuid = lru_cache(maxsize=16_384)(UUID)
