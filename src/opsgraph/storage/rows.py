"""Names for rows and selects of any shape: queries select columns, and read them by name."""

from typing import Any, TypeAlias

from sqlalchemy import Row, Select

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of any columns."""

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
"""A select of any columns."""
