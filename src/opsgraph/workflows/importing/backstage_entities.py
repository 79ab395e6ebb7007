"""How Backstage's entities are known here: by origin, in a fixed order, each under a name of its own."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from opsgraph.domains.catalog.formats.backstage import DEFAULT_NAMESPACE
from opsgraph.domains.catalog.formats.backstage_entities import Entity, EntityRef
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.refusals import Conflict
from opsgraph.kernel.text import shown
from opsgraph.workflows.importing.claims import Claims
from opsgraph.workflows.importing.report import ImportReport

EntityT = TypeVar("EntityT", bound=Entity)


def origin_of(ref: EntityRef) -> str:
    """The text by which an entity is known: ``backstage:component:default/api``."""
    return f"backstage:{ref}"


def place_of(entity: Entity, reason: str = "") -> Finding:
    """A finding about an entity."""
    return Finding(entity.file, entity.line, reason, entity.name)


def in_order(entities: Iterable[EntityT]) -> list[EntityT]:
    """The default namespace first, then by reference: so that names do not depend on the order of files."""
    return sorted(entities, key=lambda entity: rank(entity.ref))


def rank(ref: EntityRef) -> tuple[bool, str]:
    """What references are sorted by."""
    return ref.namespace != DEFAULT_NAMESPACE, str(ref)


def free_names(ref: EntityRef, name: str) -> tuple[str, str]:
    """What a team or a user may be called: as spelled, else with the namespace."""
    return name, f"{ref.namespace}/{name}"


def choose_name(claims: Claims, entity: Entity, names: Sequence[str], report: ImportReport) -> str:
    """What an entity is called here; a new one that cannot have the first of the names gives a warning.

    Raises:
        Conflict: other entities have all of the names.
    """
    origin = origin_of(entity.ref)
    name = claims.choose(origin, names)
    if name is None:
        raise Conflict(f"others are called {' and '.join(map(shown, names))} already; rename one of them", "name")
    if name != names[0] and claims.known(origin) is None:
        report.warn(place_of(entity, f"another entity is called {shown(names[0])}; this one is called {shown(name)}"))
    return name
