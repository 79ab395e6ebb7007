"""An override takes two people: each with a key of their own, and all of it on record."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from opsgraph.kernel.actor import Role
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.clock import TestClock
from tests.support.keys import Keyed, keyed, on_record

PROBLEM = "... on Problem { code message }"
VERDICT = "... on ReadinessVerdict { decision effectiveDecision override { state requestedBy approvedBy } }"
CALLS = {
    "declare": f'declareManifest(input: {{service: "api", values: {{metrics: true}}}}) {{ __typename {PROBLEM} }}',
    "evaluate": f'evaluateReadiness(service: "api") {{ {VERDICT} {PROBLEM} }}',
    "ask": 'requestReadinessOverride(input: {service: "api", decision: GO, reason: "the fair is on Monday", '
    f'expiresAt: "2024-03-20T00:00:00Z"}}) {{ {VERDICT} {PROBLEM} }}',
    "approve": f'approveReadinessOverride(input: {{service: "api"}}) {{ {VERDICT} {PROBLEM} }}',
}


@pytest.fixture
async def asked(settings: Settings, clock: TestClock, database: Database) -> AsyncIterator[Keyed]:
    """An application that asks for keys; the fixture of the database empties it afterwards."""
    async with keyed(settings, clock) as started:
        yield started


async def act(asked: Keyed, clock: TestClock, secret: str, call: str) -> dict[str, Any]:
    """What became of something that the holder of a secret did, a second after what was done before."""
    clock.move(seconds=1)
    (result,) = (await asked.data(secret, f"mutation {{ {CALLS[call]} }}")).values()
    found: dict[str, Any] = result
    return found


async def test_an_override_is_asked_for_by_one_key_and_approved_by_another(asked: Keyed, clock: TestClock) -> None:
    """Nobody approves their own, with all roles or not; once the approver's key is revoked it does nothing more."""
    eda = await asked.key("Eda", Role.EDITOR)
    ann = await asked.key("Ann", Role.APPROVER, Role.EDITOR)
    viewer = await asked.key("Vic", Role.VIEWER)
    await asked.data(eda, 'mutation { saveService(input: {name: "api"}) { __typename } }')
    assert (await act(asked, clock, eda, "declare"))["__typename"] == "Service"
    assert (await act(asked, clock, viewer, "evaluate"))["decision"] == "NO_GO"
    assert (await act(asked, clock, ann, "ask"))["effectiveDecision"] == "NO_GO"
    assert (await act(asked, clock, ann, "approve"))["code"] == "FORBIDDEN"
    assert (await act(asked, clock, eda, "approve"))["code"] == "FORBIDDEN"
    assert (await act(asked, clock, viewer, "approve"))["code"] == "FORBIDDEN"
    ben = await asked.key("Ben", Role.APPROVER)
    approved = await act(asked, clock, ben, "approve")
    assert approved["effectiveDecision"] == "GO"
    assert approved["override"] == {"state": "APPROVED", "requestedBy": "Ann", "approvedBy": "Ben"}
    await asked.revoke("Ben")
    assert (await asked.ask(ben, f"mutation {{ {CALLS['approve']} }}")).status_code == 401
    assert [(entry.actor, entry.action, entry.allowed) for entry in await on_record(asked.core.database)] == [
        ("Ann", "requestReadinessOverride", True),
        ("Ann", "approveReadinessOverride", False),
        ("Eda", "approveReadinessOverride", False),
        ("Vic", "approveReadinessOverride", False),
        ("Ben", "approveReadinessOverride", True),
    ]
