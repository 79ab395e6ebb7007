"""The policy: each change is a version of its own."""

from sqlalchemy import insert, select

from opsgraph.domains.readiness.commands.marking import mark_all
from opsgraph.domains.readiness.model.policies import CheckInput, Policy, PolicyInput
from opsgraph.domains.readiness.queries.policies import policy_now
from opsgraph.domains.readiness.queries.texts import written
from opsgraph.domains.readiness.rules import policies as rules
from opsgraph.domains.readiness.tables import policies
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_new


async def save_policy(tx: Tx, wanted: PolicyInput) -> Policy:
    """Change thresholds and weights; what was left out stays as it is. Every service is judged again by the result.

    Raises:
        Invalid: a value breaks a rule.
    """
    kept = await _hold(tx)
    return await _save(tx, kept, rules.changed(kept, wanted))


async def save_check(tx: Tx, wanted: CheckInput) -> Policy:
    """Create or change a check by name; what was left out stays as it is. Its expression was compiled already.

    Raises:
        Invalid: a value breaks a rule, or one is missing.
        NotFound: there is no such check.
    """
    kept = await _hold(tx)
    return await _save(tx, kept, rules.with_check(kept, wanted))


async def store_default(tx: Tx) -> None:
    """Store the version that is built in, unless it is there: what others refer to."""
    first = select(policies.c.id).where(policies.c.id == rules.DEFAULT.version)
    if (await tx.connection.execute(first)).one_or_none() is not None:
        return
    document = written(rules.document(rules.DEFAULT))
    row = {"id": rules.DEFAULT.version, "document": document, "changed_by": SYSTEM.name, "created_at": tx.now}
    await insert_new(tx, policies, row, key=("id",))


async def _hold(tx: Tx) -> Policy:
    """The newest version, to which nobody else adds one until the transaction ends."""
    await store_default(tx)
    first = select(policies.c.id).where(policies.c.id == rules.DEFAULT.version)
    await tx.connection.execute(first.with_for_update(key_share=True))  # verdicts may go on to refer to it
    return await policy_now(tx.connection)


async def _save(tx: Tx, kept: Policy, changed: Policy) -> Policy:
    if changed.version == kept.version:
        return kept
    row = {"id": changed.version, "document": written(rules.document(changed)), "changed_by": tx.actor.name}
    await tx.connection.execute(insert(policies).values(**row, created_at=tx.now))
    await mark_all(tx)
    return changed
