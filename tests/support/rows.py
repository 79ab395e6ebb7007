"""A row for each table that satisfies every constraint, for tests that write beneath the rules."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column, Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.clock import START

Row = dict[str, Any]

_STAMPS = {"created_at": START, "updated_at": START}
_NAMED = {"name": "Api", "name_key": "api"}
_MONTH = {"month": "2024-02", "currency": "USD", "billed": Decimal("20.52022672899"), "effective": None}

_NAMES = {"service_name": "Api", "service_key": "api"}  # pragma: allowlist secret
_LASTS = {"reason": "planned", "created_by": "local", "starts_at": START, "ends_at": START + timedelta(hours=1)}

_PLACES = count(1)
_NUMBERS = count(2)

ROWS: Mapping[str, Row] = {
    "alert": {
        **_NAMES,
        "fingerprint": "0" * 16,
        "severity": "HIGH",
        "message": "High latency",
        "source": "prometheus",
        "starts_at": START,
        "first_seen_at": START,
        "last_seen_at": START,
    },
    "api_key": {
        "name": "Pipeline",
        "name_key": "pipeline",  # pragma: allowlist secret
        "roles": "INGEST",
        "prefix": "abcd",
        "secret_hash": "0" * 64,
        "routing_hash": "1" * 64,
        "created_by": "local",
        **_STAMPS,
    },
    "audit": {"actor": "local", "actor_key": "local", "action": "createApiKey", "allowed": True, "recorded_at": START},
    "cost_budget": {"amount": Decimal(3000), "currency": "USD", **_STAMPS},
    "cost_contribution": {**_MONTH, **_STAMPS},
    "cost_origin": {"name": "manual", "created_at": START},
    "cost_unallocated": {**_MONTH, **_STAMPS},
    "deployment": {
        "version": "v1",
        "environment": "production",
        "committed_at": START - timedelta(hours=1),
        "deployed_at": START,
        "outcome": "SUCCEEDED",
        "rework": False,
        "created_at": START,
    },
    "event": {"topic": "alerts", "kind": "FIRED", "subject_id": UUID(int=1), "facts": "{}", "recorded_at": START},
    "event_log": {"name": "another", "log_id": UUID(int=1), "pruned_through": 0},
    "governance_check": {"check_key": "runbook", "passed": True, **_STAMPS},
    "governance_duty": {"key": "load_shedding", "description": "It sheds load.", "evidence": "a plan", **_STAMPS},
    "governance_implied": {"check_key": "runbook"},
    "idempotency_key": {
        "operation": "recordDeployment",
        "key": "k-1",
        "request_hash": "0" * 64,
        "result_id": UUID(int=1),
        "created_at": START,
    },
    "incident": {**_NAMES, "number": 1, "title": "High latency", "severity": "HIGH", "severity_rank": 1, **_STAMPS},
    "incident_note": {"author": "local", "content": "Looked at it.", "created_at": START},
    "incident_slot": {"service_key": "api", "severity": "HIGH", "used_at": START},  # pragma: allowlist secret
    "incident_timeline": {"type": "CREATED", "actor": "local", "created_at": START},
    "maintenance_window": {**_LASTS, **_STAMPS},
    "pruning": {"id": 1},
    "readiness_exemption": {
        "check_name": "load_tested",
        "check_key": "load_tested",
        "reason": "planned",
        "requested_at": START,
        "ends_at": START + timedelta(days=1),
        **_STAMPS,
    },
    "readiness_manifest": {"declared": "{}", "declared_by": "local", "created_at": START},
    "readiness_override": {
        "decision": "GO",
        "reason": "planned",
        "requested_by": "Ana",
        "requested_at": START,
        "expires_at": START + timedelta(days=1),
        **_STAMPS,
    },
    "readiness_policy": {"document": "{}", "changed_by": "local", "created_at": START},
    "readiness_state": {"due_at": START},
    "readiness_verdict": {
        "decision": "GO",
        "pass_rate": 1.0,
        "manifest": "{}",
        "results": "[]",
        "conditions": "[]",
        "to_go": "[]",
        "evaluated_by": "local",
        "evaluated_at": START,
    },
    "reliability_declaration": {"uptime_pct": 99.9, "mttr_minutes": 8.0, "incidents_30d": 1, **_STAMPS},
    "service": {**_NAMED, "tier": 3, "lifecycle": "PRODUCTION", "origin": "component:default/api", **_STAMPS},
    "service_dependency": {},
    "service_health": {"evaluated_at": START, "due_at": START, "updated_at": START},
    "service_link": {"position": 0, "title": "Code", "url": "https://example.org"},
    "service_tag": {"tag": "java", "position": 0},
    "silence": {"matchers": "[]", **_LASTS, **_STAMPS},
    "slo": {
        **_NAMED,
        "target": 99.9,
        "indicator": "DECLARED",
        "declared": 99.95,
        "window_days": 28,
        "budgeting_method": "OCCURRENCES",
        **_STAMPS,
    },
    "slo_hour": {
        "hour": 475_000,
        "good": 5.0,
        "total": 10.0,
        "minutes": 2,
        "good_slices": 1,
        "slices": 2,
        "ratio_sum": 1.0,
    },
    "slo_minute": {"minute": 28_500_000, "good": 5.0, "total": 10.0},
    "slo_state": {"current": 99.95, "is_met": True, "coverage_pct": 100.0, "evaluated_at": START},
    "slo_target": {"since": START, "target": 99.9},
    "team": {**_NAMED, "origin": "group:default/api", **_STAMPS},
    "team_membership": {},
    "user_account": {**_NAMED, "origin": "user:default/api", "active": True, **_STAMPS},
}
"""What a row of each table needs besides its ids and references."""


async def inserted(connection: AsyncConnection, table: Table, **values: Any) -> Row:
    """Insert a row with these values; gives all that was given to the database.

    It gets an id of its own, and refers to new rows wherever it has to refer to any.
    """
    row = {**ROWS[table.name], **values}
    for column in table.c:
        if column.name not in row and not column.nullable:
            row |= await _missing(connection, column)
    await connection.execute(insert(table).values(row))
    return row


async def _missing(connection: AsyncConnection, column: Column[Any]) -> Row:
    if not column.foreign_keys:
        return {column.name: _new_id(column)} if column.name == "id" else {}
    target = next(iter(column.foreign_keys)).column.table
    unique: Row = {name: uuid4().hex for name in ("name", "name_key", "origin") if name in target.c}
    unique |= {name: next(_NUMBERS) for name in ("number",) if name in target.c}
    return {column.name: (await inserted(connection, target, **unique))["id"]}


def _new_id(column: Column[Any]) -> UUID | int:
    return uuid4() if column.type.python_type is UUID else next(_PLACES)
