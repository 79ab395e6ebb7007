"""What a database consists of, as comparable values."""

from typing import Any, TypeAlias

from sqlalchemy import Connection, Inspector, inspect, text

Schema: TypeAlias = dict[str, Any]
"""Every object of a database by kind and name, without Alembic's own table."""

_VERSIONS = "alembic_version"

_POSTGRES_OBJECTS = """
SELECT 'function ' || proname AS name, prosrc AS definition FROM pg_proc
 WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'type ' || typname, typtype::text FROM pg_type
 WHERE typnamespace = 'public'::regnamespace AND typtype <> 'c' AND typelem = 0
UNION ALL
SELECT 'sequence ' || relname, '' FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'view ' || relname, '' FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""
_SQLITE_OBJECTS = (
    "SELECT type || ' ' || name AS name, sql AS definition FROM sqlite_master WHERE type IN ('view', 'trigger')"
)


def schema_of(connection: Connection) -> Schema:
    """Tables with columns, keys, CHECKs and indexes; views, triggers, functions, types and sequences."""
    inspector = inspect(connection)
    tables = {name: _table(inspector, name) for name in inspector.get_table_names() if name != _VERSIONS}
    statement = _POSTGRES_OBJECTS if connection.dialect.name == "postgresql" else _SQLITE_OBJECTS
    rows = connection.execute(text(statement))
    return {"tables": tables, "others": {row.name: row.definition for row in rows}}


def _table(inspector: Inspector, name: str) -> Schema:
    return {
        "columns": {c["name"]: (repr(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)},
        "key": _plain(inspector.get_pk_constraint(name)),
        "unique": _by_name(inspector.get_unique_constraints(name)),
        "foreign keys": _by_name(inspector.get_foreign_keys(name)),
        "checks": _by_name(inspector.get_check_constraints(name)),
        "indexes": _by_name(inspector.get_indexes(name)),
        "options": _plain(inspector.get_table_options(name)),
    }


def _by_name(found: list[Any]) -> dict[str, Any]:
    return {str(each["name"]): _plain(each) for each in found}


def _plain(found: Any) -> dict[str, str]:
    return {key: _text(value) for key, value in found.items() if key != "comment"}


def _text(value: Any) -> str:
    """What is compared: a condition of a partial index is an object of its own within the options of its index."""
    return str({key: str(each) for key, each in value.items()} if isinstance(value, dict) else value)
