"""Alerts, silences and incidents, and the event log that live feeds follow."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from opsgraph.storage.triggers import drop_append_only_function, keep_append_only, keep_updated_at

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TOUCHED = ("incident", "silence", "maintenance_window")
"""The tables whose `updated_at` the database keeps."""

_APPEND_ONLY = ("event", "incident_timeline")
"""The tables from which pruning alone removes rows, and in which nothing is changed."""


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "topic IN ('alerts', 'incidents', 'service_health', 'readiness')", name=op.f("ck_event_topic")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_topic", "event", ["topic", "id"], unique=False)
    op.create_table(
        "event_log",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("pruned_through", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("pruned_through >= 0", name=op.f("ck_event_log_pruned_through")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_event_log")),
    )
    op.create_table(
        "incident_slot",
        sa.Column("service_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("severity", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO')", name=op.f("ck_incident_slot_severity")
        ),
        sa.PrimaryKeyConstraint("service_key", "severity", name=op.f("pk_incident_slot")),
    )
    op.create_table(
        "maintenance_window",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("services", sa.Text(), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("exclude_from_slos", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 10000", name=op.f("ck_maintenance_window_reason")),
        sa.CheckConstraint("starts_at <= ends_at", name=op.f("ck_maintenance_window_starts_first")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_window")),
    )
    op.create_index("ix_maintenance_window_ends_at", "maintenance_window", ["ends_at", "id"], unique=False)
    op.create_table(
        "pruning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_pruning_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pruning")),
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 10000", name=op.f("ck_silence_reason")),
        sa.CheckConstraint("starts_at <= ends_at", name=op.f("ck_silence_starts_first")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index("ix_silence_ends_at", "silence", ["ends_at", "id"], unique=False)
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("service_name", sa.String(), nullable=False),
        sa.Column("service_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("alert_count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("newest_alert_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mtta_seconds", sa.Float(), nullable=True),
        sa.Column("mttr_seconds", sa.Float(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'RESOLVED') = (resolved_at IS NOT NULL)", name=op.f("ck_incident_resolved_at")),
        sa.CheckConstraint(
            "severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO')", name=op.f("ck_incident_severity")
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'ACKNOWLEDGED', 'IN_PROGRESS', 'RESOLVED')", name=op.f("ck_incident_status")
        ),
        sa.CheckConstraint("alert_count >= 0", name=op.f("ck_incident_alert_count")),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 1024", name=op.f("ck_incident_title")),
        sa.CheckConstraint("mtta_seconds <= mttr_seconds", name=op.f("ck_incident_mtta_first")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_incident_number")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_incident_version")),
        sa.ForeignKeyConstraint(["assignee_id"], ["user_account.id"], name=op.f("fk_incident_assignee_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_incident_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("number", name=op.f("uq_incident_number")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_incident_assignee_id", "incident", ["assignee_id", "id"], unique=False)
    op.create_index(
        "ix_incident_open",
        "incident",
        ["service_key", "severity"],
        unique=False,
        sqlite_where=sa.text("status <> 'RESOLVED'"),
        postgresql_where=sa.text("status <> 'RESOLVED'"),
    )
    op.create_index("ix_incident_service_id", "incident", ["service_id", "id"], unique=False)
    op.create_index("ix_incident_service_id_resolved_at", "incident", ["service_id", "resolved_at"], unique=False)
    op.create_index("ix_incident_severity_rank", "incident", ["severity_rank", "id"], unique=False)
    op.create_index("ix_incident_status", "incident", ["status", "id"], unique=False)
    op.create_index(
        "ix_incident_unregistered",
        "incident",
        ["service_key"],
        unique=False,
        sqlite_where=sa.text("service_id IS NULL"),
        postgresql_where=sa.text("service_id IS NULL"),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("service_name", sa.String(), nullable=False),
        sa.Column("service_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("source_severity", sa.String(), nullable=True),
        sa.Column("severity_recognised", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_url", sa.String(), nullable=True),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("silenced", sa.Boolean(), nullable=False),
        sa.Column("flapping", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(status = 'RESOLVED') = (resolved_at IS NOT NULL)", name=op.f("ck_alert_resolved_at")),
        sa.CheckConstraint("resolved_by IN ('SOURCE', 'PERSON', 'TIME')", name=op.f("ck_alert_resolved_by")),
        sa.CheckConstraint("severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO')", name=op.f("ck_alert_severity")),
        sa.CheckConstraint("status IN ('FIRING', 'RESOLVED')", name=op.f("ck_alert_status")),
        sa.CheckConstraint("occurrences >= 1", name=op.f("ck_alert_occurrences")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_alert_incident_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_alert_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_alert_ended",
        "alert",
        ["fingerprint", "resolved_at"],
        unique=False,
        sqlite_where=sa.text("resolved_by = 'PERSON'"),
        postgresql_where=sa.text("resolved_by = 'PERSON'"),
    )
    op.create_index("ix_alert_incident_id", "alert", ["incident_id", "id"], unique=False)
    op.create_index("ix_alert_service_id", "alert", ["service_id", "id"], unique=False)
    op.create_index(
        "ix_alert_silenced",
        "alert",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status = 'FIRING' AND silenced"),
        postgresql_where=sa.text("status = 'FIRING' AND silenced"),
    )
    op.create_index("ix_alert_status", "alert", ["status", "id"], unique=False)
    op.create_index(
        "ix_alert_unregistered",
        "alert",
        ["service_key"],
        unique=False,
        sqlite_where=sa.text("service_id IS NULL"),
        postgresql_where=sa.text("service_id IS NULL"),
    )
    op.create_index(
        "uq_alert_firing",
        "alert",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("status = 'FIRING'"),
        postgresql_where=sa.text("status = 'FIRING'"),
    )
    op.create_table(
        "incident_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(content) BETWEEN 1 AND 10000", name=op.f("ck_incident_note_content")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_note_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_note")),
    )
    op.create_index("ix_incident_note_incident_id", "incident_note", ["incident_id", "id"], unique=False)
    op.create_table(
        "incident_timeline",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "type IN ('CREATED', 'ALERT_ATTACHED', 'ALERT_RESOLVED', 'STATUS_CHANGED', 'ASSIGNED', 'NOTED', 'SEVERITY_CHANGED', 'SNOOZED', 'WOKEN', 'MERGED', 'LINKED', 'ESCALATED', 'NOTIFIED', 'FAILED')",
            name=op.f("ck_incident_timeline_type"),
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_timeline_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_timeline")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_timeline_incident_id", "incident_timeline", ["incident_id", "id"], unique=False)
    connection = op.get_bind()
    for table in _TOUCHED:
        keep_updated_at(connection, table)
    for table in _APPEND_ONLY:
        keep_append_only(connection, table)
    if connection.dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE incident_number AS integer")
    _name_the_log()


def downgrade() -> None:
    for table in (
        "incident_timeline",
        "incident_note",
        "alert",
        "incident",
        "incident_slot",
        "silence",
        "maintenance_window",
        "event",
        "event_log",
        "pruning",
    ):
        op.drop_table(table)
    drop_append_only_function(op.get_bind())
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE incident_number")


def _name_the_log() -> None:
    """Tell this database's events from those of any other: a cursor of another log is no place in this one."""
    logs = sa.table("event_log", sa.column("name"), sa.column("log_id", sa.Uuid()), sa.column("pruned_through"))
    op.bulk_insert(logs, [{"name": "event", "log_id": uuid4(), "pruned_through": 0}])
