"""Every root field that asks for a role: something to ask of it, and the roles, any one of which will do."""

from typing import Any

from opsgraph.kernel.actor import Role
from tests.support import incidents, readiness

INPUTS = incidents.INPUTS | readiness.INPUTS
"""The types of inputs that are not called after their mutations."""

_LATER = "2024-04-01T00:00:00Z"

FACTS = {"recordCost", "recordDeployment", "recordSloEvents"}
"""The mutations that post facts: what keys with the role INGEST are for."""

RESPONSES = {"resolveAlert", "createSilence", "expireSilence", *incidents.INPUTS}
"""The mutations that are for whoever responds to alerts and incidents."""

CHANGES: dict[str, dict[str, Any]] = {
    "saveTeam": {"name": "team"},
    "saveService": {"name": "service", "team": "nobody"},
    "renameService": {"name": "nobody", "newName": "somebody"},
    "recordDeployment": {"service": "nobody", "version": "1"},
    "recordCost": {"service": "nobody", "month": "2024-01", "amount": 1},
    "setCostBudget": {"service": "nobody", "budgetMonthly": 1},
    "setGovernanceCheck": {"service": "nobody", "check": "runbook", "passed": True},
    "saveGovernanceDuty": {"key": "restore_test", "description": "It was tried.", "evidence": "a restore test"},
    "declareReliability": {"service": "nobody", "uptimePct": 99},
    "saveSlo": {"service": "nobody", "name": "slo", "target": 99},
    "recordSloEvents": {"service": "nobody", "slo": "slo", "good": 1, "total": 1},
    "ingestAlert": {"service": "nobody", "severity": "info", "message": "it is quiet"},
    "createSilence": {"matchers": [], "reason": "known", "endsAt": "2030-01-01T00:00:00Z"},
    "saveMaintenanceWindow": {"services": ["nobody"], "reason": "planned", "endsAt": "2030-01-01T00:00:00Z"},
    "declareManifest": {"service": "nobody", "values": {}},
    "saveReadinessPolicy": {"goThresholdPct": 91},
    "saveReadinessCheck": {"name": "metrics", "weight": 2},
    "requestReadinessOverride": {"service": "nobody", "decision": "GO", "reason": "urgent", "expiresAt": _LATER},
    **{f"{verb}ReadinessOverride": {"service": "nobody"} for verb in ("approve", "reject", "revoke")},
    "exemptReadinessCheck": {"service": "nobody", "check": "metrics", "reason": "none", "endsAt": _LATER},
    "revokeReadinessExemption": {"service": "nobody", "check": "metrics"},
    "createApiKey": {"name": "pipeline", "roles": ["INGEST"], "service": "nobody"},
    "createIncident": {"service": "nobody", "title": "It is slow", "severity": "HIGH"},
    "assignIncident": {"number": 1, "user": "nobody"},
    "addIncidentNote": {"number": 1, "content": "It is slow"},
    "setIncidentSeverity": {"number": 1, "severity": "HIGH"},
    **{name: {"number": 1} for name in ("acknowledgeIncident", "startIncident", "resolveIncident")},
    **{name: {"numbers": [1]} for name in ("acknowledgeIncidents", "resolveIncidents")},
}
"""Every mutation that takes an input, each with one that names things that do not exist."""

CALLS = {
    "archiveService": 'archiveService(name: "nobody")',
    "restoreService": 'restoreService(name: "nobody")',
    "evaluateReadiness": 'evaluateReadiness(service: "nobody")',
    "deleteSlo": 'deleteSlo(service: "nobody", name: "slo")',
    "resolveAlert": 'resolveAlert(id: "nothing")',
    "expireSilence": 'expireSilence(id: "nothing")',
    "revokeApiKey": 'revokeApiKey(id: "nothing")',
}
"""Every mutation that takes something else."""

ASKED = {
    **dict.fromkeys([*CHANGES, *CALLS], frozenset({Role.EDITOR})),
    **dict.fromkeys(FACTS, frozenset({Role.EDITOR, Role.INGEST})),
    **dict.fromkeys(RESPONSES, frozenset({Role.RESPONDER})),
    "ingestAlert": frozenset({Role.RESPONDER, Role.INGEST}),
    "evaluateReadiness": frozenset({Role.VIEWER}),
    **{f"{verb}ReadinessOverride": frozenset({Role.APPROVER}) for verb in ("approve", "revoke")},
    **dict.fromkeys(
        ("exemptReadinessCheck", "revokeReadinessExemption", "rejectReadinessOverride"),
        frozenset({Role.EDITOR, Role.APPROVER}),
    ),
    **dict.fromkeys(("saveReadinessPolicy", "saveReadinessCheck"), frozenset({Role.ADMIN})),
    **dict.fromkeys(("saveGovernanceDuty", "createApiKey", "revokeApiKey"), frozenset({Role.ADMIN})),
}
"""Which roles, any one of which will do, each mutation asks for: the table of who may do what."""

QUERIES = {
    "service": 'service(name: "a") { name }',
    "services": "services { totalCount }",
    "team": 'team(name: "a") { name }',
    "teams": "teams { totalCount }",
    "users": "users { totalCount }",
    "slos": "slos { totalCount }",
    "governanceDuties": "governanceDuties { key }",
    "alerts": "alerts { totalCount }",
    "incident": "incident(number: 1) { title }",
    "incidents": "incidents { totalCount }",
    "incidentStats": "incidentStats { total }",
    "silences": "silences { totalCount }",
    "readinessPolicy": "readinessPolicy { version }",
    "readinessPolicyVersion": "readinessPolicyVersion(version: 1) { version }",
    "manifestSchema": "manifestSchema",
    "manifestDiff": 'manifestDiff(from: "x", to: "y") { path }',
    "maintenanceWindows": "maintenanceWindows { totalCount }",
    "platformReport": "platformReport { totalServices }",
    "node": 'node(id: "x") { id }',
    "feedCursor": "feedCursor",
    "apiKeys": "apiKeys { totalCount }",  # pragma: allowlist secret
    "auditLog": "auditLog { totalCount }",
}
"""Every query that asks for a role."""

SENSITIVE = {"apiKeys", "auditLog"}
"""Those that ask for ADMIN; the others ask for VIEWER."""
