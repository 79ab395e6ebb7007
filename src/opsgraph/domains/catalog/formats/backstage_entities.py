"""What Backstage's entities say, as frozen values, and the references and names by which they know each other."""

import re
from dataclasses import dataclass, field

from opsgraph.domains.catalog.model import Lifecycle, Link
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

LONGEST_NAME = 63

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_REFERENCE = re.compile(r"(?:(?P<kind>[A-Za-z][A-Za-z0-9]*):)?(?:(?P<namespace>[^:/]+)/)?(?P<name>[^:/]+)")


@dataclass(frozen=True, slots=True)
class EntityRef:
    """Which entity is meant; all lower-case, because Backstage compares references without case."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Entity:
    """What every entity has: its identity, its name as spelled, and where it stands (which is no part of its value)."""

    ref: EntityRef
    name: str
    file: str = field(compare=False)
    line: int = field(compare=False)

    @property
    def namespace(self) -> str:
        """The namespace, lower-case."""
        return self.ref.namespace


@dataclass(frozen=True, slots=True)
class Component(Entity):
    """A service to be. ``owner`` is a group, ``depends_on`` holds components only; both may be defined elsewhere."""

    title: str | None
    description: str | None
    type: str | None
    lifecycle: Lifecycle
    owner: EntityRef | None
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    depends_on: tuple[EntityRef, ...]


@dataclass(frozen=True, slots=True)
class Group(Entity):
    """A team to be, with the users that the group itself lists."""

    title: str | None
    description: str | None
    members: tuple[EntityRef, ...]


@dataclass(frozen=True, slots=True)
class Person(Entity):
    """A user to be (Backstage's kind User), with the groups that the user's entity names."""

    display_name: str | None
    email: str | None
    member_of: tuple[EntityRef, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """What was read, in the order of the files; references may point outside it."""

    components: tuple[Component, ...]
    groups: tuple[Group, ...]
    people: tuple[Person, ...]
    refusals: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def parse_ref(text: str, kind: str, namespace: str) -> EntityRef | None:
    """Read ``[kind:][namespace/]name`` in any case, given what to assume; None if it is not of that form."""
    match = _REFERENCE.fullmatch(text.strip())
    if not match or not _is_name(match["name"]) or not _is_name(match["namespace"] or namespace):
        return None
    return EntityRef((match["kind"] or kind).lower(), (match["namespace"] or namespace).lower(), match["name"].lower())


def entity_name(value: str, label: str = "name") -> str:
    """Accept the name of an entity or a namespace.

    Raises:
        Invalid: it is not 1 to 63 letters, digits and inner ``-``, ``_`` and ``.``; names the field.
    """
    if not _is_name(value):
        raise Invalid(
            f"{label} {shown(value)} is not an entity name: 1 to {LONGEST_NAME} letters, digits and "
            "inner hyphens, underscores and dots",
            label,
        )
    return value


def _is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None
