"""Triggers that both databases need: `updated_at` is kept by the database, whoever writes."""

from sqlalchemy import Connection

_FUNCTION = """
CREATE OR REPLACE FUNCTION opsgraph_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
    NEW.updated_at = clock_timestamp();
  END IF;
  RETURN NEW;
END $$
"""


def keep_updated_at(connection: Connection, table: str, key: str = "id") -> None:
    """Make the database set `updated_at` on every UPDATE that does not set it itself.

    Args:
        connection: where to run the statements, as Alembic's ``op.get_bind()`` gives it.
        table: a table with an `updated_at` column.
        key: its primary key column.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_FUNCTION)
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_touch BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION opsgraph_touch()"
        )
        return
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_touch AFTER UPDATE ON {table} FOR EACH ROW "  # noqa: S608 - names of our own tables
        "WHEN NEW.updated_at IS OLD.updated_at BEGIN "
        f"UPDATE {table} SET updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE {key} = NEW.{key}; END"
    )


def drop_updated_at_function(connection: Connection) -> None:
    """Remove what `keep_updated_at` leaves behind once its tables, and with them their triggers, are gone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION opsgraph_touch()")


_PRUNING_ALONE = """
CREATE OR REPLACE FUNCTION opsgraph_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('opsgraph.pruning', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def keep_append_only(connection: Connection, table: str) -> None:
    """Make the database refuse UPDATE and DELETE; DELETE passes while the transaction is marked as pruning.

    Args:
        connection: where to run the statements, as Alembic's ``op.get_bind()`` gives it.
        table: a table whose rows are never changed.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_PRUNING_ALONE)
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION opsgraph_append_only()"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION opsgraph_append_only()"
        )
        return
    refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    # REPLACE removes the row in its way without a trigger for that: what is there already is not inserted again.
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} FOR EACH ROW "  # noqa: S608 - names of our own tables
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) {refusal}"
    )
    connection.exec_driver_sql(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {refusal}")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW "  # noqa: S608 - names of our own tables
        f"WHEN NOT EXISTS (SELECT 1 FROM pruning) {refusal}"
    )


def drop_append_only_function(connection: Connection) -> None:
    """Remove what `keep_append_only` leaves behind once its tables, and with them their triggers, are gone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION opsgraph_append_only()")
