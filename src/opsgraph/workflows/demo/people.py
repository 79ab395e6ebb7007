"""Who declares and decides what in the demonstration, each in their own name."""

from dataclasses import replace
from datetime import timedelta

from opsgraph.domains.readiness.commands import declaring, exempting, overriding, policies
from opsgraph.kernel.actor import Actor, Role
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.demo import readiness
from opsgraph.workflows.demo.readiness import Permit

_THOUGHT_OVER = timedelta(hours=3)


async def declare(tx: Tx) -> None:
    """Let teams declare what they have, the company ask for more, and one service be exempt from something."""
    for said in readiness.STATEMENTS:
        then = replace(tx, actor=Actor(said.by, frozenset({Role.EDITOR})), now=tx.now - said.ago)
        await declaring.declare(then, said.service, said.values)
    admin = Actor(readiness.POLICY_BY, frozenset({Role.ADMIN}))
    await policies.save_check(replace(tx, actor=admin), readiness.TWO_REGIONS)
    permit = readiness.EXEMPTION
    what = (permit.service, readiness.EXEMPT_CHECK, permit.reason, tx.now + permit.lasts)
    asked = replace(tx, now=tx.now - readiness.EXEMPTION_AGO)
    await exempting.exempt(_asking(asked, permit), *what, approving=False)
    await exempting.exempt(_agreeing(replace(asked, now=asked.now + _THOUGHT_OVER), permit), *what, approving=True)


async def override(tx: Tx) -> None:
    """Let another decision stand in for a verdict, which there is by now."""
    permit = readiness.OVERRIDE
    until = tx.now + permit.lasts
    await overriding.request(_asking(tx, permit), permit.service, readiness.OVERRIDE_TO, permit.reason, until)
    await overriding.approve(_agreeing(tx, permit), permit.service, permit.note)


def _asking(tx: Tx, permit: Permit) -> Tx:
    return replace(tx, actor=Actor(permit.requested_by, frozenset({Role.EDITOR})))


def _agreeing(tx: Tx, permit: Permit) -> Tx:
    return replace(tx, actor=Actor(permit.approved_by, frozenset({Role.APPROVER})))
