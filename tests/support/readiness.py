"""What a team declares and what people decide about readiness, over GraphQL."""

from typing import Any

from opsgraph.kernel.actor import Actor, Role
from tests.support.api import PROBLEM, Api
from tests.support.verdicts import EVERYTHING

INPUTS = {
    "declareManifest": "DeclareManifestInput",
    "saveReadinessPolicy": "SaveReadinessPolicyInput",
    "saveReadinessCheck": "SaveReadinessCheckInput",
    "requestReadinessOverride": "RequestOverrideInput",
    "approveReadinessOverride": "ApproveOverrideInput",
    "rejectReadinessOverride": "ApproveOverrideInput",
    "revokeReadinessOverride": "ApproveOverrideInput",
    "exemptReadinessCheck": "ExemptReadinessCheckInput",
    "revokeReadinessExemption": "RevokeReadinessExemptionInput",
}
"""Each mutation that takes an input, with its type."""

RESULTS = {
    "declareManifest": "Service",
    "saveReadinessPolicy": "ReadinessPolicy",
    "saveReadinessCheck": "ReadinessPolicy",
}
"""What a mutation gives that gives no verdict."""

BOTH = Actor("Bo", frozenset({Role.EDITOR, Role.APPROVER}))

OVERRIDE = (
    "decision reason state active requestedBy requestedAt approvedBy approvedAt decidedBy expiresAt note endedBy "
    "endedAt endedReason"
)
EXEMPTION = "check reason requestedBy approvedBy endsAt active"
VERDICT = f"decision effectiveDecision passRateShown override {{ {OVERRIDE} }} exemptions {{ {EXEMPTION} }}"


async def act(api: Api, mutation: str, selection: str | None = None, **values: Any) -> dict[str, Any]:
    """The result of a mutation; a refusal comes with its code, message, field and details."""
    kind = RESULTS.get(mutation, "ReadinessVerdict")
    wanted = selection or {"Service": "name", "ReadinessPolicy": "version"}.get(kind, VERDICT)
    document = (
        f"mutation ($input: {INPUTS[mutation]}!) {{ {mutation}(input: $input) "
        f"{{ __typename ... on {kind} {{ {wanted} }} {PROBLEM} }} }}"
    )
    result: dict[str, Any] = (await api.data(document, input=values))[mutation]
    return result


async def acted(api: Api, mutation: str, selection: str | None = None, **values: Any) -> dict[str, Any]:
    """The result of a mutation that must not be refused."""
    result = await act(api, mutation, selection, **values)
    assert result.pop("__typename") != "Problem", result
    return result


async def evaluate(api: Api, service: str = "api", selection: str = VERDICT) -> dict[str, Any]:
    """A new verdict on a service, or why there is none."""
    document = (
        "mutation ($service: String!) { evaluateReadiness(service: $service) "
        f"{{ __typename ... on ReadinessVerdict {{ {selection} }} {PROBLEM} }} }}"
    )
    result: dict[str, Any] = (await api.data(document, service=service))["evaluateReadiness"]
    return result


async def only_checks(api: Api, *names: str) -> None:
    """Disable every check but these; what is missing of them is enabled first, for there may never be too few."""
    policy = (await api.data("{ readinessPolicy { checks { name enabled } } }"))["readinessPolicy"]
    for check in sorted(policy["checks"], key=lambda check: check["name"] not in names):
        if check["enabled"] != (check["name"] in names):
            await acted(api, "saveReadinessCheck", name=check["name"], enabled=check["name"] in names)


async def judged(api: Api, service: str = "api", **values: Any) -> dict[str, Any]:
    """Make a service that has everything but for what `values` say, and judge it."""
    await api.do("saveService", name=service)
    await acted(api, "declareManifest", service=service, values={**EVERYTHING, **values})
    return await evaluate(api, service)


async def refuse(api: Api, service: str = "api") -> dict[str, Any]:
    """Have verdicts take all of the built-in checks, of which some are asked of no service; the refusal of one."""
    await acted(api, "saveReadinessPolicy", minimumChecks=19)
    return await evaluate(api, service)
