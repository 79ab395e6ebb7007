"""Overrides over GraphQL: two people, in the open, for a while."""

import json
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from opsgraph.domains.access.tables import audit
from opsgraph.kernel.actor import LOCAL, Actor, Role
from tests.support.api import Api
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.readiness import BOTH, OVERRIDE, VERDICT, act, acted, evaluate, judged, refuse
from tests.support.verdicts import APPROVER, EDITOR

VIEWER = Actor("Vi", frozenset({Role.VIEWER}))
DAY = "2024-03-16T12:00:00Z"
WANTED = {"service": "api", "decision": "GO", "reason": "The fix is under way", "expiresAt": DAY}
EXEMPT = {"service": "api", "check": "metrics", "reason": "It has none", "endsAt": DAY}


async def request(api: Api, **values: Any) -> dict[str, Any]:
    """An editor asks for an override."""
    api.who.actor = EDITOR
    return await acted(api, "requestReadinessOverride", **{**WANTED, **values})


async def overrides(api: Api) -> list[dict[str, Any]]:
    """Every override of the service, newest first."""
    data = await api.data(f'{{ service(name: "api") {{ readinessOverrides {{ nodes {{ {OVERRIDE} }} }} }} }}')
    nodes: list[dict[str, Any]] = data["service"]["readinessOverrides"]["nodes"]
    return nodes


async def newest(api: Api) -> dict[str, Any]:
    """The newest verdict with what is beside it."""
    verdict: dict[str, Any] = (await api.data(f'{{ service(name: "api") {{ readiness {{ {VERDICT} }} }} }}'))[
        "service"
    ]["readiness"]
    return verdict


async def test_an_override_takes_two_people(api: Api, clock: TestClock) -> None:
    """It is seen beside the verdict from the request on, and counts from the approval on; the verdict stays."""
    await judged(api, encryption=False)
    asked = await request(api)
    assert (asked["decision"], asked["effectiveDecision"]) == ("NO_GO", "NO_GO")
    assert asked["override"] == {
        "decision": "GO",
        "reason": "The fix is under way",
        "state": "PENDING",
        "active": False,
        "requestedBy": "Eda",
        "requestedAt": "2024-03-15T12:00:00Z",
        "expiresAt": DAY,
        **dict.fromkeys(("approvedBy", "approvedAt", "decidedBy", "note", "endedBy", "endedAt", "endedReason")),
    }
    clock.move(minutes=5)
    api.who.actor = APPROVER
    approved = await acted(api, "approveReadinessOverride", service="API", note="Until Saturday")
    assert (approved["decision"], approved["effectiveDecision"]) == ("NO_GO", "GO")
    assert approved["override"] == {
        **asked["override"],
        "state": "APPROVED",
        "active": True,
        "approvedBy": "Apo",
        "decidedBy": "Apo",
        "approvedAt": "2024-03-15T12:05:00Z",
        "note": "Until Saturday",
    }
    assert await newest(api) == approved
    assert await overrides(api) == [approved["override"]]


async def test_nobody_approves_their_own_request(api: Api) -> None:
    """Whatever roles they have; another one may."""
    await judged(api)
    api.who.actor = BOTH
    await acted(api, "requestReadinessOverride", **WANTED)
    async with unchanged(api.core.database):
        refused = await act(api, "approveReadinessOverride", service="api")
    assert refused["code"] == "FORBIDDEN"
    api.who.actor = APPROVER
    assert (await acted(api, "approveReadinessOverride", service="api"))["effectiveDecision"] == "GO"


async def test_an_override_can_be_rejected(api: Api) -> None:
    """It never counts; another one can be asked for."""
    await judged(api, encryption=False)
    await request(api)
    api.who.actor = APPROVER
    rejected = await acted(api, "rejectReadinessOverride", service="api", note="Not on a Friday")
    (kept,) = await overrides(api)
    assert (rejected["effectiveDecision"], rejected["override"]) == ("NO_GO", kept)
    assert (kept["state"], kept["decidedBy"], kept["note"]) == ("REJECTED", "Apo", "Not on a Friday")
    assert (kept["approvedBy"], kept["approvedAt"], kept["active"]) == (None, None, False)
    assert (await request(api))["override"]["state"] == "PENDING"


async def test_an_editor_takes_their_own_request_back(api: Api) -> None:
    """Nobody else's."""
    await judged(api)
    await request(api)
    api.who.actor = Actor("Ed", EDITOR.roles)
    async with unchanged(api.core.database):
        assert (await act(api, "rejectReadinessOverride", service="api"))["code"] == "FORBIDDEN"
    api.who.actor = EDITOR
    assert (await acted(api, "rejectReadinessOverride", service="api"))["override"]["state"] == "REJECTED"


async def asked(api: Api) -> dict[str, str]:
    """An editor asks for an override; what an approver reads."""
    api.who.actor = EDITOR
    verdict = await acted(api, "requestReadinessOverride", "id override { id }", **WANTED)
    api.who.actor = APPROVER
    return {"id": verdict["override"]["id"], "verdict": verdict["id"]}


@pytest.mark.parametrize("stale", ["id", "verdict"])
async def test_what_is_approved_is_what_was_read(api: Api, clock: TestClock, stale: str) -> None:
    """Another override or a newer verdict is to be read first; what was read by its ids is approved."""
    await judged(api)
    before = await asked(api)
    await acted(api, "rejectReadinessOverride", service="api", **before)
    clock.move(minutes=1)
    await evaluate(api)
    read = await asked(api)
    async with unchanged(api.core.database):
        refused = await act(api, "approveReadinessOverride", service="api", **{**read, stale: before[stale]})
    assert (refused["code"], refused["field"]) == ("CONFLICT", ["input", stale])
    assert (await acted(api, "approveReadinessOverride", service="api", **read))["override"]["active"]


async def test_an_override_can_be_revoked(api: Api, clock: TestClock) -> None:
    """The verdict counts again; what was is still to be seen."""
    await judged(api, encryption=False)
    await request(api)
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service="api")
    clock.move(hours=1)
    revoked = await acted(api, "revokeReadinessOverride", service="api", note="It was not under way")
    assert (revoked["decision"], revoked["effectiveDecision"]) == ("NO_GO", "NO_GO")
    (kept,) = await overrides(api)
    assert kept == revoked["override"]
    assert (kept["state"], kept["active"], kept["approvedBy"]) == ("REVOKED", False, "Apo")
    assert (kept["endedBy"], kept["endedAt"]) == ("Apo", "2024-03-15T13:00:00Z")


async def test_an_override_expires_by_itself(api: Api, clock: TestClock) -> None:
    """To the second, before anything notes it."""
    await judged(api, encryption=False)
    await request(api)
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service="api")
    clock.move(hours=23, minutes=59, seconds=59)
    assert (await newest(api))["effectiveDecision"] == "GO"
    clock.move(seconds=1)
    verdict = await newest(api)
    assert (verdict["effectiveDecision"], verdict["override"]["state"]) == ("NO_GO", "ENDED")
    ended = {name: verdict["override"][name] for name in ("active", "endedAt", "endedReason")}
    assert ended == {"active": False, "endedAt": DAY, "endedReason": "expired"}
    assert await overrides(api) == [verdict["override"]]


async def test_a_request_that_nobody_decided_about_in_time_is_over(api: Api, clock: TestClock) -> None:
    """It cannot be approved, and is not in the way of the next one."""
    await judged(api)
    await request(api)
    clock.move(days=1)
    (kept,) = await overrides(api)
    assert (kept["state"], kept["endedAt"], kept["endedReason"]) == ("ENDED", DAY, "expired")
    api.who.actor = APPROVER
    assert (await act(api, "approveReadinessOverride", service="api"))["code"] == "CONFLICT"
    assert (await request(api, expiresAt="2024-03-17T12:00:00Z"))["override"]["state"] == "PENDING"


@pytest.mark.parametrize("mutation", ["approve", "reject", "revoke"])
async def test_an_override_that_is_not_there_is_not_decided_about(api: Api, mutation: str) -> None:
    """CONFLICT that names the service."""
    await judged(api)
    async with unchanged(api.core.database):
        refused = await act(api, f"{mutation}ReadinessOverride", service="api")
    assert (refused["code"], refused["field"]) == ("CONFLICT", ["input", "service"])


async def test_every_attempt_is_on_record(api: Api) -> None:
    """What was done and what was refused: by whom, and whether for want of a role or of another person."""
    await judged(api)
    api.who.actor = BOTH
    await acted(api, "requestReadinessOverride", **WANTED)
    await act(api, "approveReadinessOverride", service="api")
    for actor in (EDITOR, VIEWER):
        api.who.actor = actor
        await act(api, "approveReadinessOverride", service="api")
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service="api")
    await acted(api, "exemptReadinessCheck", **EXEMPT)
    await acted(api, "revokeReadinessExemption", service="api", check="metrics")
    await acted(api, "revokeReadinessOverride", service="api")
    async with api.core.database.reading() as session:
        rows = await session.execute(select(audit.c.actor, audit.c.action, audit.c.allowed))
    assert Counter(map(tuple, rows)) == Counter(
        [
            ("Bo", "requestReadinessOverride", True),
            ("Bo", "approveReadinessOverride", False),
            ("Eda", "approveReadinessOverride", False),
            ("Vi", "approveReadinessOverride", False),
            ("Apo", "approveReadinessOverride", True),
            ("Apo", "exemptReadinessCheck", True),
            ("Apo", "revokeReadinessExemption", True),
            ("Apo", "revokeReadinessOverride", True),
        ]
    )


async def test_what_was_decided_about_is_on_record(api: Api) -> None:
    """Which override, what it is to, and who asked for it."""
    await judged(api, encryption=False)
    read = await asked(api)
    await acted(api, "approveReadinessOverride", service="api", note="Until Saturday")
    await acted(api, "revokeReadinessOverride", service="api")
    async with api.core.database.reading() as session:
        rows = await session.execute(select(audit.c.action, audit.c.detail))
    on_record = {row.action: json.loads(row.detail) for row in rows}
    about = {"override": read["id"], "decision": "GO", "requestedBy": "Eda"}
    assert on_record["approveReadinessOverride"] == {"input": {"service": "api", "note": "Until Saturday"}, **about}
    assert on_record["revokeReadinessOverride"] == {"input": {"service": "api"}, **about}


async def test_what_is_decided_while_there_is_no_verdict_shows_the_last_one(api: Api) -> None:
    """Nothing is approved then; what is in force can be revoked."""
    await judged(api, encryption=False)
    await request(api)
    api.who.actor = LOCAL
    await refuse(api)
    refused = await act(api, "approveReadinessOverride", service="api")
    assert (refused["code"], "only 17 checks apply" in refused["message"]) == ("CONFLICT", True)
    rejected = await acted(api, "rejectReadinessOverride", service="api")
    assert (rejected["effectiveDecision"], rejected["override"]) == ("NO_GO", None)
    assert (await overrides(api))[0]["state"] == "REJECTED"
