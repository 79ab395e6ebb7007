"""Readiness: manifests, the policy, verdicts, exemptions and overrides; governance as data; keys and the audit log."""

import sqlalchemy as sa
from alembic import op

from opsgraph.storage.triggers import Step, drop_history_function, keep_append_only, keep_history, keep_updated_at

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TOUCHED = ("readiness_override", "readiness_exemption", "governance_duty", "api_key")
"""The tables whose `updated_at` the database keeps."""

_APPEND_ONLY = ("readiness_manifest", "readiness_policy", "readiness_verdict", "audit")
"""The tables from which pruning alone removes rows, and in which nothing is changed."""

_DECIDED = ("state", "decided_by", "decided_at", "note")
_OVER = ("state", "ended_by", "ended_at", "ended_reason")
_OVERRIDE_STEPS = (
    Step("PENDING", "APPROVED", (*_DECIDED, "verdict_id", "blockers")),
    Step("PENDING", "REJECTED", _DECIDED),
    Step("PENDING", "REVOKED", (*_OVER, "decided_at")),
    Step("PENDING", "ENDED", (*_OVER, "decided_at")),
    Step("APPROVED", "REVOKED", _OVER),
    Step("APPROVED", "ENDED", _OVER),
)
_ONE_OVERRIDE = "kept.service_id = NEW.service_id AND kept.state = NEW.state AND NEW.state IN ('PENDING', 'APPROVED')"

_EXEMPTION_STATE = (
    "CASE WHEN {row}.ended_at IS NOT NULL THEN 'ENDED' WHEN {row}.approved_at IS NOT NULL THEN 'GRANTED' "
    "ELSE 'ASKED' END"
)
_EXEMPTION_STEPS = (
    Step("ASKED", "GRANTED", ("approved_by", "approved_at", "ends_at"), only="NEW.ends_at <= OLD.ends_at"),
    Step("ASKED", "ENDED", ("ended_by", "ended_at")),
    Step("GRANTED", "ENDED", ("ended_by", "ended_at")),
)
_ONE_EXEMPTION = (
    "kept.service_id = NEW.service_id AND kept.check_key = NEW.check_key "
    "AND kept.ended_at IS NULL AND NEW.ended_at IS NULL"
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_actor_key", "audit", ["actor_key", "id"], unique=False)
    op.create_table(
        "governance_duty",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 63", name=op.f("ck_governance_duty_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_governance_duty")),
        sa.UniqueConstraint("key", name=op.f("uq_governance_duty_key")),
    )
    op.create_table(
        "readiness_policy",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id >= 1", name=op.f("ck_readiness_policy_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readiness_policy")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("routing_hash", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_api_key_name")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_api_key_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("name_key", name=op.f("uq_api_key_name_key")),
        sa.UniqueConstraint("routing_hash", name=op.f("uq_api_key_routing_hash")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_key_secret_hash")),
    )
    op.create_table(
        "governance_implied",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("check_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_governance_implied_service_id")),
        sa.PrimaryKeyConstraint("service_id", "check_key", name=op.f("pk_governance_implied")),
    )
    op.create_table(
        "readiness_exemption",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("check_name", sa.String(), nullable=False),
        sa.Column("check_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)", name=op.f("ck_readiness_exemption_approved")
        ),
        sa.CheckConstraint("approved_by <> requested_by", name=op.f("ck_readiness_exemption_two_people")),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 10000", name=op.f("ck_readiness_exemption_reason")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_readiness_exemption_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readiness_exemption")),
    )
    op.create_index("ix_readiness_exemption_service_id", "readiness_exemption", ["service_id", "id"], unique=False)
    op.create_index(
        "uq_readiness_exemption_check",
        "readiness_exemption",
        ["service_id", "check_key"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "readiness_manifest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("declared", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_readiness_manifest_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readiness_manifest")),
    )
    op.create_index("ix_readiness_manifest_service_id", "readiness_manifest", ["service_id", "id"], unique=False)
    op.create_table(
        "readiness_verdict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("pass_rate", sa.Float(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("manifest_id", sa.Uuid(), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("results", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("to_go", sa.Text(), nullable=False),
        sa.Column("evaluated_by", sa.String(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('GO', 'CONDITIONAL_GO', 'NO_GO')", name=op.f("ck_readiness_verdict_decision")),
        sa.CheckConstraint("pass_rate >= 0 AND pass_rate <= 1", name=op.f("ck_readiness_verdict_pass_rate")),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["readiness_manifest.id"], name=op.f("fk_readiness_verdict_manifest_id")
        ),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["readiness_policy.id"], name=op.f("fk_readiness_verdict_policy_version")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_readiness_verdict_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readiness_verdict")),
    )
    op.create_index("ix_readiness_verdict_service_id", "readiness_verdict", ["service_id", "id"], unique=False)
    op.create_table(
        "readiness_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("verdict_id", sa.Uuid(), nullable=True),
        sa.Column("blockers", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'PENDING') = (decided_at IS NULL)", name=op.f("ck_readiness_override_decided")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> requested_by OR state <> 'APPROVED'",
            name=op.f("ck_readiness_override_two_people"),
        ),
        sa.CheckConstraint(
            "decision IN ('GO', 'CONDITIONAL_GO', 'NO_GO')", name=op.f("ck_readiness_override_decision")
        ),
        sa.CheckConstraint(
            "state IN ('PENDING', 'APPROVED', 'REJECTED', 'REVOKED', 'ENDED')", name=op.f("ck_readiness_override_state")
        ),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 10000", name=op.f("ck_readiness_override_reason")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_readiness_override_service_id")),
        sa.ForeignKeyConstraint(
            ["verdict_id"], ["readiness_verdict.id"], name=op.f("fk_readiness_override_verdict_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readiness_override")),
    )
    op.create_index("ix_readiness_override_service_id", "readiness_override", ["service_id", "id"], unique=False)
    op.create_index(
        "uq_readiness_override_approved",
        "readiness_override",
        ["service_id"],
        unique=True,
        sqlite_where=sa.text("state = 'APPROVED'"),
        postgresql_where=sa.text("state = 'APPROVED'"),
    )
    op.create_index(
        "uq_readiness_override_pending",
        "readiness_override",
        ["service_id"],
        unique=True,
        sqlite_where=sa.text("state = 'PENDING'"),
        postgresql_where=sa.text("state = 'PENDING'"),
    )
    op.create_table(
        "readiness_state",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("verdict_id", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("override_decision", sa.String(), nullable=True),
        sa.Column("override_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('GO', 'CONDITIONAL_GO', 'NO_GO')", name=op.f("ck_readiness_state_decision")),
        sa.CheckConstraint(
            "override_decision IN ('GO', 'CONDITIONAL_GO', 'NO_GO')", name=op.f("ck_readiness_state_override_decision")
        ),
        sa.CheckConstraint("(decision IS NULL) = (verdict_id IS NULL)", name=op.f("ck_readiness_state_verdict")),
        sa.CheckConstraint(
            "(override_decision IS NULL) = (override_until IS NULL)", name=op.f("ck_readiness_state_override")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_readiness_state_service_id")),
        sa.ForeignKeyConstraint(["verdict_id"], ["readiness_verdict.id"], name=op.f("fk_readiness_state_verdict_id")),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_readiness_state")),
    )
    op.create_index("ix_readiness_state_decision", "readiness_state", ["decision"], unique=False)
    op.create_index("ix_readiness_state_due_at", "readiness_state", ["due_at"], unique=False)
    connection = op.get_bind()
    for table in _TOUCHED:
        keep_updated_at(connection, table)
    for table in _APPEND_ONLY:
        keep_append_only(connection, table)
    keep_history(connection, "readiness_override", state="{row}.state", steps=_OVERRIDE_STEPS, alone=_ONE_OVERRIDE)
    keep_history(
        connection, "readiness_exemption", state=_EXEMPTION_STATE, steps=_EXEMPTION_STEPS, alone=_ONE_EXEMPTION
    )


def downgrade() -> None:
    for table in (
        "readiness_state",
        "readiness_exemption",
        "readiness_override",
        "readiness_verdict",
        "readiness_policy",
        "readiness_manifest",
        "governance_implied",
        "governance_duty",
        "audit",
        "api_key",
    ):
        op.drop_table(table)
    drop_history_function(op.get_bind())
