"""Services for `opsgraph gate`, one for each way in which it can end."""

from datetime import timedelta

from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.clock import SystemClock, rfc3339
from opsgraph.settings import Settings
from tests.support.api import Api, running
from tests.support.clock import TestClock
from tests.support.readiness import acted
from tests.support.verdicts import APPROVER, EDITOR, EVERYTHING

DISABLED = ("slos_met", "slo_defined", "owner", "on_call_coverage")


async def fill(settings: Settings) -> None:
    """Services for every exit code: one may go, one on conditions, one not; of one too little is asked."""
    async with running(settings, TestClock(SystemClock().now())) as api:  # the gate has a clock of its own
        everyone = api.who.actor
        for name in DISABLED:
            await acted(api, "saveReadinessCheck", name=name, enabled=False)
        for check in await _others(api):
            await acted(api, "saveReadinessCheck", name=check, lifecycles=["PRODUCTION"])
        for name in ("ready", "nearly", "blocked", "overridden"):
            await api.do("saveService", name=name, lifecycle="PRODUCTION")
        await api.do("saveService", name="unasked", lifecycle="EXPERIMENTAL")
        api.who.actor = EDITOR
        missing = {"nearly": ("load_tested", "dashboards"), "blocked": ("encryption",), "overridden": ("encryption",)}
        for name in ("ready", "nearly", "blocked", "overridden"):
            values = {**EVERYTHING, **dict.fromkeys(missing.get(name, ()), False)}
            await acted(api, "declareManifest", service=name, values=values)
        api.who.actor = everyone
        await _override(api)
        for name in ("ended", "rejected"):
            await _turned_down(api, name)


async def _others(api: Api) -> list[str]:
    policy = (await api.data("{ readinessPolicy { checks { name enabled } } }"))["readinessPolicy"]
    return [check["name"] for check in policy["checks"] if check["enabled"]]


async def _override(api: Api) -> None:
    """Have one person ask for an override and another approve it."""
    await api.data('mutation { evaluateReadiness(service: "overridden") { __typename } }')
    api.who.actor = EDITOR
    wanted = {"decision": "GO", "reason": "the audit is on Monday", "expiresAt": _in_a_week(api)}
    await acted(api, "requestReadinessOverride", service="overridden", **wanted)
    api.who.actor = APPROVER
    await acted(api, "approveReadinessOverride", service="overridden")
    await acted(
        api, "exemptReadinessCheck", service="nearly", check="metrics", reason="no traffic yet", endsAt=_in_a_week(api)
    )


async def _turned_down(api: Api, name: str) -> None:
    """Have a service whose override ends by a new blocker, or is rejected."""
    api.who.actor = LOCAL
    await api.do("saveService", name=name, lifecycle="PRODUCTION")
    api.who.actor = EDITOR
    await acted(api, "declareManifest", service=name, values={**EVERYTHING, "encryption": False})
    await api.data(f'mutation {{ evaluateReadiness(service: "{name}") {{ __typename }} }}')
    wanted = {"decision": "GO", "reason": "it is small", "expiresAt": _in_a_week(api)}
    await acted(api, "requestReadinessOverride", service=name, **wanted)
    api.who.actor = APPROVER
    decision = "approve" if name == "ended" else "reject"
    await acted(api, f"{decision}ReadinessOverride", service=name, note="look again")
    api.who.actor = EDITOR
    values = {**EVERYTHING, "encryption": False, "authentication": False}
    await acted(api, "declareManifest", service=name, values=values)


def _in_a_week(api: Api) -> str:
    return rfc3339(api.core.clock.now() + timedelta(days=7))
