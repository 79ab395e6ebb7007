"""Triggers that both databases need, whoever writes: `updated_at` is kept, and what was recorded is not rewritten."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, inspect

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


@dataclass(frozen=True, slots=True)
class Step:
    """A change that a row may take.

    Attributes:
        before: the state that the row is in.
        after: the state that it comes to.
        sets: the columns that change on the way; the others stay.
        only: a condition in SQL over `OLD` and `NEW` that has to hold as well.
    """

    before: str
    after: str
    sets: Collection[str]
    only: str = "true"


_KEPT = """
CREATE OR REPLACE FUNCTION opsgraph_keeps_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% keeps its history', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def keep_history(connection: Connection, table: str, *, state: str, steps: Sequence[Step], alone: str) -> None:
    """Make the database refuse DELETE, also while pruning, and every UPDATE that is no step; `updated_at` is free.

    It goes by the columns that the table has now: whoever adds one makes these triggers anew.

    Args:
        connection: where to run the statements, as Alembic's ``op.get_bind()`` gives it.
        table: a table with the key `id`, whose rows only go from one state to the next.
        state: the state of a row in SQL, with ``{row}`` for the row.
        steps: all that may happen to a row.
        alone: a condition in SQL over a row `kept` and `NEW` that says of which rows a unique index lets one be there.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_KEPT)
        refusal = "EXECUTE FUNCTION opsgraph_keeps_history()"
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_no_rewrite BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN (NOT ({_is_step(connection, table, state, steps)})) {refusal}"
        )
        connection.exec_driver_sql(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refusal}")
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refusal}"
        )
        return
    refusal = f"BEGIN SELECT RAISE(ABORT, '{table} keeps its history'); END"
    # REPLACE removes whatever is in its way, by key or by unique index, without a trigger for that.
    in_the_way = f"EXISTS (SELECT 1 FROM {table} AS kept WHERE {{}})"  # noqa: S608 - names of our own tables
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} FOR EACH ROW "
        f"WHEN {in_the_way.format(f'kept.id = NEW.id OR ({alone})')} {refusal}"
    )
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_rewrite BEFORE UPDATE ON {table} FOR EACH ROW "
        f"WHEN NOT ({_is_step(connection, table, state, steps)}) "
        f"OR {in_the_way.format(f'kept.id <> OLD.id AND ({alone})')} {refusal}"
    )
    connection.exec_driver_sql(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refusal}")


def drop_history_function(connection: Connection) -> None:
    """Remove what `keep_history` leaves behind once its tables, and with them their triggers, are gone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION opsgraph_keeps_history()")


def _is_step(connection: Connection, table: str, state: str, steps: Sequence[Step]) -> str:
    """Whether an UPDATE changes nothing, or is one of these steps; in SQL."""
    columns = [column["name"] for column in inspect(connection).get_columns(table) if column["name"] != "updated_at"]
    same = "IS NOT DISTINCT FROM" if connection.dialect.name == "postgresql" else "IS"

    def stays(but: Collection[str] = ()) -> str:
        return " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in columns if name not in but)

    before, after = state.format(row="OLD"), state.format(row="NEW")
    taken = [
        f"{before} = '{step.before}' AND {after} = '{step.after}' AND {step.only} AND {stays(step.sets)}"
        for step in steps
    ]
    return " OR ".join(f"({way})" for way in (stays(), *taken))
