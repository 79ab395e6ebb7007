"""For each CHECK of the schema: values that break it and values at its very edge that do not."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import inf
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Table

from opsgraph.metadata import metadata
from tests.support.clock import START

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One CHECK of a table, with values that it refuses and values that it accepts."""

    table: Table
    check: str
    refused: Sequence[Values]
    accepted: Sequence[Values]


_MONTHS = (
    [{"month": month} for month in ("2024-00", "2024-13", "2024-1", "2024/01", "1969-12", "2200-01", "2024-01-01", "")],
    [{"month": month} for month in ("1970-01", "2024-12", "2199-12")],
)
_CURRENCIES = ([{"currency": code} for code in ("usd", "US", "USDX", "")], [{"currency": "EUR"}])
_SHARES = (
    [{"good": -1.0}, {"good": 11.0}, {"good": 0.0, "total": 0.0}, {"good": -2.0, "total": -1.0}],
    [{"good": 0.0}, {"good": 10.0}],
)
_CALENDAR = {"window_days": None, "calendar": "MONTH", "time_zone": "UTC"}
_RESOLVED: Values = {"status": "RESOLVED", "resolved_at": START}
_HALF_RESOLVED: Sequence[Values] = [{"status": "RESOLVED"}, {"resolved_at": START}]
_UNKNOWN_STATUSES: Sequence[Values] = [{"status": each} for each in ("", "resolved", "NONSENSE")]
_ENDS = ([{"ends_at": START - timedelta(microseconds=1)}], [{"ends_at": START}])
_DECIDED: Values = {"state": "APPROVED", "decided_by": "Ben", "decided_at": START}
_GRANTED: Values = {"approved_by": "Ben", "approved_at": START}
_SLICES = {"budgeting_method": "TIMESLICES", "slice_target": 99.0}


def _lengths(column: str, longest: int) -> tuple[list[Values], list[Values]]:
    return [{column: ""}, {column: "x" * (longest + 1)}], [{column: "x"}, {column: "x" * longest}]


def _inside(column: str) -> tuple[list[Values], list[Values]]:
    refused, accepted = (0.0, 100.0, -1.0, 101.0, inf), (0.001, 99.999)
    return [{column: each} for each in refused], [{column: each} for each in accepted]


_SPOKEN_OUT: Mapping[str, tuple[Sequence[Values], Sequence[Values]]] = {
    "ck_alert_occurrences": ([{"occurrences": 0}, {"occurrences": -1}], [{"occurrences": 1}]),
    "ck_alert_resolved_at": (_HALF_RESOLVED, [{"status": "FIRING"}, _RESOLVED]),
    "ck_alert_status": (_UNKNOWN_STATUSES, [{"status": "FIRING"}, _RESOLVED]),
    "ck_api_key_name": _lengths("name", 200),
    "ck_cost_budget_amount": ([{"amount": Decimal("-0.01")}], [{"amount": Decimal(0)}]),
    "ck_cost_budget_currency": _CURRENCIES,
    "ck_cost_contribution_currency": _CURRENCIES,
    "ck_cost_contribution_month": _MONTHS,
    "ck_cost_origin_name": _lengths("name", 500),
    "ck_cost_unallocated_currency": _CURRENCIES,
    "ck_cost_unallocated_month": _MONTHS,
    "ck_deployment_committed_first": (
        [{"committed_at": START + timedelta(microseconds=1)}],
        [{"committed_at": START}, {"committed_at": None}],
    ),
    "ck_event_log_pruned_through": ([{"pruned_through": -1}], [{"pruned_through": 0}]),
    "ck_governance_check_check_key": _lengths("check_key", 63),
    "ck_governance_duty_key": _lengths("key", 63),
    "ck_idempotency_key_key": ([{"key": "x" * 201}], [{"key": "x" * 200}]),
    "ck_incident_alert_count": ([{"alert_count": -1}], [{"alert_count": 0}]),
    "ck_incident_mtta_first": (
        [{"mtta_seconds": 60.1, "mttr_seconds": 60.0}],
        [{"mtta_seconds": 60.0, "mttr_seconds": 60.0}, {"mtta_seconds": 60.0}, {"mttr_seconds": 60.0}],
    ),
    "ck_incident_note_content": _lengths("content", 10_000),
    "ck_incident_number": ([{"number": 0}], [{"number": 1}]),
    "ck_incident_resolved_at": (_HALF_RESOLVED, [{"status": "OPEN"}, _RESOLVED]),
    "ck_incident_status": (
        _UNKNOWN_STATUSES,
        [{"status": "OPEN"}, {"status": "ACKNOWLEDGED"}, {"status": "IN_PROGRESS"}, _RESOLVED],
    ),
    "ck_incident_title": _lengths("title", 1_024),
    "ck_incident_version": ([{"version": 0}], [{"version": 1}]),
    "ck_maintenance_window_reason": _lengths("reason", 10_000),
    "ck_maintenance_window_starts_first": _ENDS,
    "ck_pruning_one_row": ([{"id": 0}, {"id": 2}], [{"id": 1}]),
    "ck_readiness_exemption_approved": ([{name: value} for name, value in _GRANTED.items()], [_GRANTED]),
    "ck_readiness_exemption_reason": _lengths("reason", 10_000),
    "ck_readiness_exemption_two_people": (
        [{**_GRANTED, "requested_by": "Ben"}],
        [_GRANTED, {**_GRANTED, "requested_by": "Ana"}, {"requested_by": "Ben"}],
    ),
    "ck_readiness_override_decided": ([{"decided_at": START}, {**_DECIDED, "decided_at": None}], [{}, _DECIDED]),
    "ck_readiness_override_reason": _lengths("reason", 10_000),
    "ck_readiness_override_state": (
        [{**_DECIDED, "state": state} for state in ("", "approved", "NONSENSE")],
        [{**_DECIDED, "state": state} for state in ("APPROVED", "REJECTED", "REVOKED", "ENDED")],
    ),
    "ck_readiness_override_two_people": (
        [{**_DECIDED, "decided_by": "Ana"}],
        [_DECIDED, {**_DECIDED, "decided_by": "Ana", "state": "REJECTED"}],
    ),
    "ck_readiness_policy_version": ([{"id": 0}, {"id": -1}], [{"id": 1}]),
    "ck_readiness_state_decision": ([{"decision": "go", "verdict_id": UUID(int=1)}], [{"decision": None}]),
    "ck_readiness_state_override": (
        [{"override_decision": "GO"}, {"override_until": START}],
        [{}, {"override_decision": "GO", "override_until": START}],
    ),
    "ck_readiness_state_verdict": ([{"decision": "GO"}, {"verdict_id": UUID(int=1)}], [{}]),
    "ck_reliability_declaration_incidents_30d": ([{"incidents_30d": -1}], [{"incidents_30d": 0}]),
    "ck_service_dependency_not_itself": ([{"service_id": UUID(int=1), "depends_on_id": UUID(int=1)}], []),
    "ck_service_health_slos": (
        [{"slos_met": 1, "slos_unmet": 1, "slos_total": 1}],
        [{"slos_met": 1, "slos_unmet": 1, "slos_total": 2}],
    ),
    "ck_service_name": _lengths("name", 63),
    "ck_service_tag_tag": _lengths("tag", 63),
    "ck_silence_reason": _lengths("reason", 10_000),
    "ck_silence_starts_first": _ENDS,
    "ck_slo_calendar": ([{**_CALENDAR, "calendar": "YEAR"}], [_CALENDAR, {**_CALENDAR, "calendar": "WEEK"}]),
    "ck_slo_declared_only": ([{"indicator": "EXTERNAL"}], [{"indicator": "EXTERNAL", "declared": None}]),
    "ck_slo_hour_events": _SHARES,
    "ck_slo_hour_ratio_sum": ([{"ratio_sum": -0.1}, {"ratio_sum": 2.1}], [{"ratio_sum": 0.0}, {"ratio_sum": 2.0}]),
    "ck_slo_hour_slices": (
        [{"good_slices": -1}, {"good_slices": 3}, {"slices": 3}],
        [{"good_slices": 0}, {"good_slices": 2}],
    ),
    "ck_slo_latency_threshold_ms": (
        [{"latency_threshold_ms": 0.0}, {"latency_threshold_ms": -1.0}],
        [{"latency_threshold_ms": 0.001}],
    ),
    "ck_slo_minute_events": _SHARES,
    "ck_slo_name": _lengths("name", 200),
    "ck_slo_one_window": (
        [{"window_days": None}, {**_CALENDAR, "window_days": 28}],
        [{"window_days": 28}, _CALENDAR],
    ),
    "ck_slo_slice_seconds": (
        [{"slice_seconds": each} for each in (0, 30, 61, 420, 7200)],
        [{"slice_seconds": each} for each in (60, 3600)],
    ),
    "ck_slo_slice_target": (
        [{"slice_target": each} for each in (0.0, -1.0, 100.001, inf)],
        [{"slice_target": each} for each in (0.001, 100.0)],
    ),
    "ck_slo_slice_target_needed": ([{**_SLICES, "slice_target": None}], [_SLICES]),
    "ck_slo_state_known_whole": (
        [{"current": None}, {"is_met": None}],
        [{"current": None, "is_met": None}],
    ),
    "ck_slo_target": _inside("target"),
    "ck_slo_target_target": _inside("target"),
    "ck_slo_threshold_needed": (
        [{"indicator": "LATENCY_UNDER", "declared": None}],
        [{"indicator": "LATENCY_UNDER", "declared": None, "latency_threshold_ms": 300.0}],
    ),
    "ck_slo_time_zone": ([{**_CALENDAR, "time_zone": None}, {"time_zone": "UTC"}], [_CALENDAR]),
    "ck_team_name": _lengths("name", 200),
    "ck_user_account_name": _lengths("name", 200),
}
_COMPANIONS: Mapping[str, Values] = {
    "readiness_state.override_decision": {"override_until": START},
    "slo.indicator": {"declared": None, "latency_threshold_ms": 300.0},
    "slo.budgeting_method": {"slice_target": 99.0},
    "slo_hour.minutes": {"good": 5.0, "total": 10.0, "good_slices": 0, "slices": 0, "ratio_sum": 0.0},
}
"""What values of a column need beside them to satisfy the other CHECKs."""

_CHOICES = re.compile(r"(\w+) IN \(('\w+'(?:, '\w+')*)\)")
_RANGE = re.compile(r"(\w+) >= (\S+) AND (\w+) <= (\S+)")


def cases() -> Iterator[Case]:
    """Every CHECK of every table."""
    for table in metadata.sorted_tables:
        for constraint in sorted(table.constraints, key=lambda each: str(each.name)):
            if isinstance(constraint, CheckConstraint):
                name = str(constraint.name)
                yield Case(table, name, *(_SPOKEN_OUT.get(name) or _derived(table, str(constraint.sqltext))))


def _derived(table: Table, condition: str) -> tuple[list[Values], list[Values]]:
    """The cases of a list of choices or of a range with both ends; any other CHECK has to be spoken out above."""
    if choices := _CHOICES.fullmatch(condition):
        known = re.findall(r"\w+", choices[2])
        return _beside(table, choices[1], ["", known[0].swapcase(), "NONSENSE"], known)
    ends = _RANGE.fullmatch(condition)
    assert ends, f"name values that break {table.name}: {condition}"
    low, high = float(ends[2]), float(ends[4])
    number = table.c[ends[1]].type.python_type
    outside = [number(low - 1), inf if high + 1 == high else number(high + 1)]
    return _beside(table, ends[1], outside, [number(low), number(high)])


def _beside(
    table: Table, column: str, refused: Sequence[Any], accepted: Sequence[Any]
) -> tuple[list[Values], list[Values]]:
    companions = _COMPANIONS.get(f"{table.name}.{column}", {})
    return [{**companions, column: each} for each in refused], [{**companions, column: each} for each in accepted]
