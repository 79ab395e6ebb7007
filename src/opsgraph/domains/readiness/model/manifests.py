"""What is known about a service: what it declares, and what is measured for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from opsgraph.domains.catalog.model import ServiceEvent


class FieldType(StrEnum):
    """The type of a field of a manifest, for whoever declares it and for expressions over it."""

    BOOL = "BOOL"
    INT = "INT"
    DOUBLE = "DOUBLE"
    STRING = "STRING"
    LINK = "LINK"  # a STRING that is an http(s) address
    STRINGS = "STRINGS"  # a list of STRING
    MAP = "MAP"  # free values by name


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a manifest that is measured, such as `slo`: its fields, and how old its facts may be.

    Attributes:
        name: what it is called in a manifest: `manifest.<name>.<field>` in expressions.
        fields: the type of each field; a field without a value for a service is absent from its facts.
        max_age: facts older than this count as stale; None where no age makes them so.
    """

    name: str
    fields: Mapping[str, FieldType]
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one section says of one service.

    Attributes:
        section: which one.
        values: by field.
        as_of: when it was measured, or said; None if there is nothing to date.
        lasting: whether it holds until somebody says otherwise, however old it is.
    """

    section: Section
    values: Mapping[str, Any]
    as_of: datetime | None = None
    lasting: bool = False

    def is_stale(self, now: datetime) -> bool:
        """Whether what it says is too old to count."""
        limit = self.section.max_age
        if limit is None or self.as_of is None or self.lasting:
            return False
        return now - self.as_of > limit


@dataclass(frozen=True, slots=True)
class Declaration:
    """An immutable snapshot of what a service declares.

    `values` holds known fields by name and free ones under `custom`; a field that was not declared is absent.
    """

    id: UUID
    service_id: UUID
    values: Mapping[str, Any]
    declared_by: str
    declared_at: datetime


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known about a service at an instant: what it declares and, by section, what is measured for it.

    Attributes:
        declared: values of the newest declaration; empty if there is none.
        measured: facts by section name; a section that nobody measures here is absent.
        recorded: explicit governance answers by key, which beat what the declaration implies.
        recorded_at: when they were recorded.
        declaration_id: the snapshot that `declared` is from.
    """

    declared: Mapping[str, Any]
    measured: Mapping[str, Facts]
    recorded: Mapping[str, bool] = field(default_factory=dict)
    declaration_id: UUID | None = None
    declared_at: datetime | None = None
    recorded_at: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ManifestDeclared(ServiceEvent):
    """A service declared something else than before."""
