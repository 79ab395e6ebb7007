"""Reads of the policy."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.readiness.model.policies import Policy
from opsgraph.domains.readiness.queries.texts import read
from opsgraph.domains.readiness.rules import policies as rules
from opsgraph.domains.readiness.tables import policies


async def policy_now(session: AsyncConnection) -> Policy:
    """The newest version; the built-in one while none is stored."""
    row = (await session.execute(select(policies).order_by(policies.c.id.desc()).limit(1))).one_or_none()
    return rules.read(read(row.document), row.id) if row else rules.DEFAULT


async def policies_of_versions(session: AsyncConnection, versions: Collection[int]) -> dict[int, Policy]:
    """Versions of the policy by their numbers; those that never were are absent."""
    rows = await session.execute(select(policies).where(policies.c.id.in_(versions)))
    found = {row.id: rules.read(read(row.document), row.id) for row in rows}
    if rules.DEFAULT.version in versions:
        found.setdefault(rules.DEFAULT.version, rules.DEFAULT)
    return found
