"""What the demonstration shows of readiness."""

from tests.support import demonstration as demo
from tests.support.api import Api


async def test_services_were_judged_and_people_decided_otherwise(api: Api) -> None:
    """One is blocked for its security and overridden by two people; one is exempt; the company asks more of tier 1."""
    await demo.load(api.core)
    data = await api.data(
        """{ services { nodes { name manifest { declaredBy } manifests { totalCount } readiness { decision
               effectiveDecision blockers { check { name category } } results { outcome check { name } }
               override { active requestedBy approvedBy reason note } exemptions { check active requestedBy approvedBy }
             } } } readinessPolicy { version checks { name builtIn tiers } } }"""
    )
    services = {service["name"]: service for service in data["services"]["nodes"]}
    verdicts = {name: service["readiness"] for name, service in services.items() if service["readiness"]}
    assert {name: verdict["decision"] for name, verdict in verdicts.items()} == demo.VERDICTS
    assert [name for name, service in services.items() if service["manifest"]] == sorted(demo.VERDICTS)
    assert services["ledger"]["manifests"]["totalCount"] == 2
    shipping = verdicts["shipping"]
    assert shipping["blockers"] == [{"check": {"name": "encryption", "category": "SECURITY"}}]
    assert (shipping["effectiveDecision"], shipping["override"]["active"]) == ("CONDITIONAL_GO", True)
    assert shipping["override"]["requestedBy"] != shipping["override"]["approvedBy"]
    assert verdicts["checkout"]["exemptions"] == [
        {"check": "load_tested", "active": True, "requestedBy": "Lucía Herrera", "approvedBy": "Ines Carvalho"}
    ]
    outcomes = {
        name: {result["check"]["name"]: result["outcome"] for result in verdict["results"]}
        for name, verdict in verdicts.items()
    }
    assert {name: outcome["Two regions"] for name, outcome in outcomes.items()} == {
        "checkout": "FAILED",
        "ledger": "PASSED",
        "notifications": "SKIPPED",
        "orders": "PASSED",
        "shipping": "SKIPPED",
    }
    assert outcomes["checkout"]["load_tested"] == "SKIPPED"
    assert data["readinessPolicy"]["version"] == 2
    assert data["readinessPolicy"]["checks"][-1] == {"name": "Two regions", "builtIn": False, "tiers": [1]}
