"""The foundation: access, catalog, costs, SLOs, governance, reliability and stored health."""

import sqlalchemy as sa
from alembic import op

from opsgraph.storage.triggers import drop_updated_at_function, keep_updated_at

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_TOUCHED = {
    "team": "id",
    "user_account": "id",
    "cost_unallocated": "id",
    "service": "id",
    "cost_budget": "id",
    "cost_contribution": "id",
    "governance_check": "id",
    "reliability_declaration": "id",
    "service_health": "service_id",
    "slo": "id",
}
"""The tables whose `updated_at` the database keeps, with their keys."""


def upgrade() -> None:
    op.create_table(
        "cost_origin",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 500", name=op.f("ck_cost_origin_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_origin")),
        sa.UniqueConstraint("name", name=op.f("uq_cost_origin_name")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("operation", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) <= 200", name=op.f("ck_idempotency_key_key")),
        sa.PrimaryKeyConstraint("operation", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "team",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_team_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name_key", name=op.f("uq_team_name_key")),
        sa.UniqueConstraint("origin", name=op.f("uq_team_origin")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_user_account_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("name_key", name=op.f("uq_user_account_name_key")),
        sa.UniqueConstraint("origin", name=op.f("uq_user_account_origin")),
    )
    op.create_table(
        "cost_unallocated",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("currency", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=False),
        sa.Column("billed", sa.Text().with_variant(sa.Numeric(38, 18), "postgresql"), nullable=False),
        sa.Column("effective", sa.Text().with_variant(sa.Numeric(38, 18), "postgresql"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(month) = 7 AND month >= '1970-01' AND month <= '2199-12' AND substr(month, 5, 1) = '-' AND substr(month, 6, 2) BETWEEN '01' AND '12'",
            name=op.f("ck_cost_unallocated_month"),
        ),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_cost_unallocated_currency")
        ),
        sa.ForeignKeyConstraint(["origin_id"], ["cost_origin.id"], name=op.f("fk_cost_unallocated_origin_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_unallocated")),
        sa.UniqueConstraint(
            "month", "currency", "origin_id", name=op.f("uq_cost_unallocated_month_currency_origin_id")
        ),
    )
    op.create_index(op.f("ix_cost_unallocated_origin_id"), "cost_unallocated", ["origin_id"], unique=False)
    op.create_table(
        "service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("lifecycle", sa.String(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "lifecycle IN ('EXPERIMENTAL', 'PRODUCTION', 'DEPRECATED')", name=op.f("ck_service_lifecycle")
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 63", name=op.f("ck_service_name")),
        sa.CheckConstraint("tier >= 1 AND tier <= 4", name=op.f("ck_service_tier")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_service_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("name_key", name=op.f("uq_service_name_key")),
        sa.UniqueConstraint("origin", name=op.f("uq_service_origin")),
    )
    op.create_index(op.f("ix_service_team_id"), "service", ["team_id"], unique=False)
    op.create_index("ix_service_tier_name_key", "service", ["tier", "name_key"], unique=False)
    op.create_table(
        "team_membership",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_membership_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_team_membership_user_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_membership")),
    )
    op.create_index(op.f("ix_team_membership_user_id"), "team_membership", ["user_id"], unique=False)
    op.create_table(
        "cost_budget",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Text().with_variant(sa.Numeric(38, 18), "postgresql"), nullable=False),
        sa.Column("currency", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_cost_budget_amount")),
        sa.CheckConstraint("length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_cost_budget_currency")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_cost_budget_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_budget")),
        sa.UniqueConstraint("service_id", name=op.f("uq_cost_budget_service_id")),
    )
    op.create_table(
        "cost_contribution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("currency", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=False),
        sa.Column("billed", sa.Text().with_variant(sa.Numeric(38, 18), "postgresql"), nullable=False),
        sa.Column("effective", sa.Text().with_variant(sa.Numeric(38, 18), "postgresql"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(month) = 7 AND month >= '1970-01' AND month <= '2199-12' AND substr(month, 5, 1) = '-' AND substr(month, 6, 2) BETWEEN '01' AND '12'",
            name=op.f("ck_cost_contribution_month"),
        ),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_cost_contribution_currency")
        ),
        sa.ForeignKeyConstraint(["origin_id"], ["cost_origin.id"], name=op.f("fk_cost_contribution_origin_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_cost_contribution_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_contribution")),
        sa.UniqueConstraint(
            "service_id",
            "month",
            "currency",
            "origin_id",
            name=op.f("uq_cost_contribution_service_id_month_currency_origin_id"),
        ),
    )
    op.create_index(op.f("ix_cost_contribution_origin_id"), "cost_contribution", ["origin_id"], unique=False)
    op.create_table(
        "deployment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("rework", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('SUCCEEDED', 'FAILED')", name=op.f("ck_deployment_outcome")),
        sa.CheckConstraint(
            "committed_at IS NULL OR committed_at <= deployed_at", name=op.f("ck_deployment_committed_first")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_deployment_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
    )
    op.create_index(
        "ix_deployment_service_id_deployed_at", "deployment", ["service_id", "deployed_at", "id"], unique=False
    )
    op.create_table(
        "governance_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("check_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(check_key) BETWEEN 1 AND 63", name=op.f("ck_governance_check_check_key")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_governance_check_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_governance_check")),
        sa.UniqueConstraint("service_id", "check_key", name=op.f("uq_governance_check_service_id_check_key")),
    )
    op.create_table(
        "reliability_declaration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("uptime_pct", sa.Float(), nullable=True),
        sa.Column("mttr_minutes", sa.Float(), nullable=True),
        sa.Column("incidents_30d", sa.Integer(), nullable=True),
        sa.Column("change_failure_rate_pct", sa.Float(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "change_failure_rate_pct >= 0 AND change_failure_rate_pct <= 100",
            name=op.f("ck_reliability_declaration_change_failure_rate_pct"),
        ),
        sa.CheckConstraint("incidents_30d >= 0", name=op.f("ck_reliability_declaration_incidents_30d")),
        sa.CheckConstraint(
            "mttr_minutes >= 0 AND mttr_minutes <= 1.7976931348623157e+308",
            name=op.f("ck_reliability_declaration_mttr_minutes"),
        ),
        sa.CheckConstraint("uptime_pct >= 0 AND uptime_pct <= 100", name=op.f("ck_reliability_declaration_uptime_pct")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_reliability_declaration_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reliability_declaration")),
        sa.UniqueConstraint("service_id", name=op.f("uq_reliability_declaration_service_id")),
    )
    op.create_table(
        "service_dependency",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("depends_on_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("service_id <> depends_on_id", name=op.f("ck_service_dependency_not_itself")),
        sa.ForeignKeyConstraint(["depends_on_id"], ["service.id"], name=op.f("fk_service_dependency_depends_on_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_dependency_service_id")),
        sa.PrimaryKeyConstraint("service_id", "depends_on_id", name=op.f("pk_service_dependency")),
    )
    op.create_index(op.f("ix_service_dependency_depends_on_id"), "service_dependency", ["depends_on_id"], unique=False)
    op.create_table(
        "service_health",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("composite", sa.String(), nullable=False),
        sa.Column("telemetry", sa.String(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("signals", sa.Text(), nullable=False),
        sa.Column("reliability_score", sa.Float(), nullable=True),
        sa.Column("governance", sa.String(), nullable=False),
        sa.Column("monthly_cost", sa.Text().with_variant(sa.Numeric(38, 18), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("other_costs", sa.Text(), nullable=False),
        sa.Column("cost_rank", sa.Float(), nullable=False),
        sa.Column("over_budget", sa.Boolean(), nullable=False),
        sa.Column("slos_met", sa.Integer(), nullable=False),
        sa.Column("slos_unmet", sa.Integer(), nullable=False),
        sa.Column("slos_total", sa.Integer(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "composite IN ('HEALTHY', 'DEGRADED', 'CRITICAL', 'DOWN', 'UNKNOWN')",
            name=op.f("ck_service_health_composite"),
        ),
        sa.CheckConstraint(
            "governance IN ('COMPLIANT', 'NON_COMPLIANT', 'NEEDS_REVIEW')", name=op.f("ck_service_health_governance")
        ),
        sa.CheckConstraint(
            "status IN ('HEALTHY', 'DEGRADED', 'CRITICAL', 'DOWN', 'UNKNOWN')", name=op.f("ck_service_health_status")
        ),
        sa.CheckConstraint(
            "telemetry IN ('HEALTHY', 'DEGRADED', 'CRITICAL', 'DOWN', 'UNKNOWN')",
            name=op.f("ck_service_health_telemetry"),
        ),
        sa.CheckConstraint("slos_met + slos_unmet <= slos_total", name=op.f("ck_service_health_slos")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_health_service_id")),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_service_health")),
    )
    op.create_index("ix_service_health_cost_rank", "service_health", ["cost_rank", "service_id"], unique=False)
    op.create_index(op.f("ix_service_health_due_at"), "service_health", ["due_at"], unique=False)
    op.create_index("ix_service_health_rank", "service_health", ["rank", "service_id"], unique=False)
    op.create_table(
        "service_link",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_link_service_id")),
        sa.PrimaryKeyConstraint("service_id", "position", name=op.f("pk_service_link")),
    )
    op.create_table(
        "service_tag",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(tag) BETWEEN 1 AND 63", name=op.f("ck_service_tag_tag")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_tag_service_id")),
        sa.PrimaryKeyConstraint("service_id", "tag", name=op.f("pk_service_tag")),
    )
    op.create_index(op.f("ix_service_tag_tag"), "service_tag", ["tag"], unique=False)
    op.create_table(
        "slo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("target", sa.Float(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("declared", sa.Float(), nullable=True),
        sa.Column("latency_threshold_ms", sa.Float(), nullable=True),
        sa.Column("window_days", sa.Integer(), nullable=True),
        sa.Column("calendar", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("budgeting_method", sa.String(), nullable=False),
        sa.Column("slice_target", sa.Float(), nullable=True),
        sa.Column("slice_seconds", sa.Integer(), nullable=True),
        sa.Column("good_query", sa.String(), nullable=True),
        sa.Column("total_query", sa.String(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "budgeting_method <> 'TIMESLICES' OR slice_target IS NOT NULL", name=op.f("ck_slo_slice_target_needed")
        ),
        sa.CheckConstraint(
            "budgeting_method IN ('OCCURRENCES', 'TIMESLICES', 'RATIO_TIMESLICES')",
            name=op.f("ck_slo_budgeting_method"),
        ),
        sa.CheckConstraint("calendar IN ('WEEK', 'MONTH', 'QUARTER')", name=op.f("ck_slo_calendar")),
        sa.CheckConstraint("declared IS NULL OR indicator = 'DECLARED'", name=op.f("ck_slo_declared_only")),
        sa.CheckConstraint(
            "indicator <> 'LATENCY_UNDER' OR latency_threshold_ms IS NOT NULL", name=op.f("ck_slo_threshold_needed")
        ),
        sa.CheckConstraint(
            "indicator IN ('DECLARED', 'REQUEST_SUCCESS', 'LATENCY_UNDER', 'AVAILABILITY', 'EXTERNAL')",
            name=op.f("ck_slo_indicator"),
        ),
        sa.CheckConstraint("(calendar IS NULL) = (time_zone IS NULL)", name=op.f("ck_slo_time_zone")),
        sa.CheckConstraint("(window_days IS NULL) <> (calendar IS NULL)", name=op.f("ck_slo_one_window")),
        sa.CheckConstraint("declared >= 0 AND declared <= 100", name=op.f("ck_slo_declared")),
        sa.CheckConstraint("latency_threshold_ms > 0", name=op.f("ck_slo_latency_threshold_ms")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_slo_name")),
        sa.CheckConstraint(
            "slice_seconds IN (60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600)",
            name=op.f("ck_slo_slice_seconds"),
        ),
        sa.CheckConstraint("slice_target > 0 AND slice_target <= 100", name=op.f("ck_slo_slice_target")),
        sa.CheckConstraint("target > 0 AND target < 100", name=op.f("ck_slo_target")),
        sa.CheckConstraint("window_days >= 1 AND window_days <= 90", name=op.f("ck_slo_window_days")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_slo_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slo")),
        sa.UniqueConstraint("service_id", "name_key", name=op.f("uq_slo_service_id_name_key")),
    )
    op.create_index("ix_slo_name_key_id", "slo", ["name_key", "id"], unique=False)
    op.create_table(
        "slo_hour",
        sa.Column("slo_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("good", sa.Float(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("good_slices", sa.Integer(), nullable=False),
        sa.Column("slices", sa.Integer(), nullable=False),
        sa.Column("ratio_sum", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "good_slices >= 0 AND good_slices <= slices AND slices <= minutes", name=op.f("ck_slo_hour_slices")
        ),
        sa.CheckConstraint("minutes >= 1 AND minutes <= 60", name=op.f("ck_slo_hour_minutes")),
        sa.CheckConstraint("ratio_sum >= 0 AND ratio_sum <= slices", name=op.f("ck_slo_hour_ratio_sum")),
        sa.CheckConstraint("total > 0 AND good >= 0 AND good <= total", name=op.f("ck_slo_hour_events")),
        sa.ForeignKeyConstraint(["slo_id"], ["slo.id"], name=op.f("fk_slo_hour_slo_id")),
        sa.PrimaryKeyConstraint("slo_id", "hour", name=op.f("pk_slo_hour")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slo_minute",
        sa.Column("slo_id", sa.Uuid(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("good", sa.Float(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.CheckConstraint("total > 0 AND good >= 0 AND good <= total", name=op.f("ck_slo_minute_events")),
        sa.ForeignKeyConstraint(["slo_id"], ["slo.id"], name=op.f("fk_slo_minute_slo_id")),
        sa.PrimaryKeyConstraint("slo_id", "minute", name=op.f("pk_slo_minute")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slo_state",
        sa.Column("slo_id", sa.Uuid(), nullable=False),
        sa.Column("current", sa.Float(), nullable=True),
        sa.Column("is_met", sa.Boolean(), nullable=True),
        sa.Column("budget_remaining_pct", sa.Float(), nullable=True),
        sa.Column("budget_remaining_signed_pct", sa.Float(), nullable=True),
        sa.Column("budget_remaining_minutes", sa.Float(), nullable=True),
        sa.Column("burn_rate", sa.Float(), nullable=True),
        sa.Column("exhausts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coverage_pct", sa.Float(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(current IS NULL) = (is_met IS NULL)", name=op.f("ck_slo_state_known_whole")),
        sa.CheckConstraint("coverage_pct >= 0 AND coverage_pct <= 100", name=op.f("ck_slo_state_coverage_pct")),
        sa.CheckConstraint("current >= 0 AND current <= 100", name=op.f("ck_slo_state_current")),
        sa.ForeignKeyConstraint(["slo_id"], ["slo.id"], name=op.f("fk_slo_state_slo_id")),
        sa.PrimaryKeyConstraint("slo_id", name=op.f("pk_slo_state")),
    )
    op.create_table(
        "slo_target",
        sa.Column("slo_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("target", sa.Float(), nullable=False),
        sa.CheckConstraint("target > 0 AND target < 100", name=op.f("ck_slo_target_target")),
        sa.ForeignKeyConstraint(["slo_id"], ["slo.id"], name=op.f("fk_slo_target_slo_id")),
        sa.PrimaryKeyConstraint("slo_id", "since", name=op.f("pk_slo_target")),
    )
    for table, key in _TOUCHED.items():
        keep_updated_at(op.get_bind(), table, key)


def downgrade() -> None:
    op.drop_table("slo_target")
    op.drop_table("slo_state")
    op.drop_table("slo_minute")
    op.drop_table("slo_hour")
    op.drop_index("ix_slo_name_key_id", table_name="slo")
    op.drop_table("slo")
    op.drop_index(op.f("ix_service_tag_tag"), table_name="service_tag")
    op.drop_table("service_tag")
    op.drop_table("service_link")
    op.drop_index("ix_service_health_rank", table_name="service_health")
    op.drop_index(op.f("ix_service_health_due_at"), table_name="service_health")
    op.drop_index("ix_service_health_cost_rank", table_name="service_health")
    op.drop_table("service_health")
    op.drop_index(op.f("ix_service_dependency_depends_on_id"), table_name="service_dependency")
    op.drop_table("service_dependency")
    op.drop_table("reliability_declaration")
    op.drop_table("governance_check")
    op.drop_index("ix_deployment_service_id_deployed_at", table_name="deployment")
    op.drop_table("deployment")
    op.drop_index(op.f("ix_cost_contribution_origin_id"), table_name="cost_contribution")
    op.drop_table("cost_contribution")
    op.drop_table("cost_budget")
    op.drop_index(op.f("ix_team_membership_user_id"), table_name="team_membership")
    op.drop_table("team_membership")
    op.drop_index("ix_service_tier_name_key", table_name="service")
    op.drop_index(op.f("ix_service_team_id"), table_name="service")
    op.drop_table("service")
    op.drop_index(op.f("ix_cost_unallocated_origin_id"), table_name="cost_unallocated")
    op.drop_table("cost_unallocated")
    op.drop_table("user_account")
    op.drop_table("team")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("cost_origin")
    drop_updated_at_function(op.get_bind())
