"""Backstage's components as services: first all of them, then what depends on what."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from opsgraph.domains.catalog import commands, rules
from opsgraph.domains.catalog.formats.backstage import service_name
from opsgraph.domains.catalog.formats.backstage_entities import Catalog, Component, EntityRef
from opsgraph.domains.catalog.model import Service, ServiceInput
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.saving import Outcome, Saved
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks
from opsgraph.workflows.importing.backstage_entities import choose_name, in_order, origin_of, place_of
from opsgraph.workflows.importing.backstage_people import Teams
from opsgraph.workflows.importing.claims import Claims
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import Options, attempt

_AT_ONCE = 5_000


async def load_services(tx: Tx, catalog: Catalog, teams: Teams, report: ImportReport, options: Options) -> None:
    """Save every component as a service, with all that its file can say; the tier is kept."""
    components = in_order(catalog.components)
    claims = await _claims(tx, components)
    saved: dict[EntityRef, Saved[Service]] = {}
    for done, component in enumerate(components):
        options.tell("storing", done, 2 * len(components))
        step = partial(_save, tx, claims, component, teams, report)
        if (service := await attempt(tx, report, place_of(component), step)) is not None:
            saved[component.ref] = service
            claims.claim(service.value.name, origin_of(component.ref))
    current = await _dependencies(tx, [service.value.id for service in saved.values()])
    for done, component in enumerate(components):
        options.tell("storing", len(components) + done, 2 * len(components))
        if (service := saved.get(component.ref)) is not None:
            wanted = _wanted(claims, component, report)
            outcome = await _link(tx, service, wanted, current.get(service.value.id, []))
            report.kinds["services"].count(outcome, service.value.name)


async def _claims(tx: Tx, components: list[Component]) -> Claims:
    refs = {ref for component in components for ref in (component.ref, *component.depends_on)}
    names = [name for ref in refs for name in _names(ref, ref.name)]
    return Claims.of(await catalog_services.service_origins(tx.connection, names, [origin_of(ref) for ref in refs]))


async def _save(tx: Tx, claims: Claims, component: Component, teams: Teams, report: ImportReport) -> Saved[Service]:
    # Dependencies are saved last, but what is wrong with their number has to be known before anything is.
    rules.dependencies("", [service_name(ref.name)[0] for ref in component.depends_on])
    name = _choose_name(claims, component, report)
    owner = teams.get(component.owner) if component.owner else None
    wanted = ServiceInput(
        name,
        title=component.title or (component.name if service_name(component.name)[1] else None),
        description=component.description,
        team=owner.name if owner else None,
        lifecycle=component.lifecycle,
        tags=list(component.tags),
        links=list(component.links),
        origin=origin_of(component.ref),
    )
    return await commands.save_service(tx, wanted)


def _choose_name(claims: Claims, component: Component, report: ImportReport) -> str:
    is_new = claims.known(origin_of(component.ref)) is None
    name = choose_name(claims, component, _names(component.ref, component.name), report)
    if is_new and service_name(component.name)[1]:
        report.warn(place_of(component, f"the name is not an RFC 1123 label; the service is called {shown(name)}"))
    return name


def _names(ref: EntityRef, name: str) -> tuple[str, str]:
    label, _ = service_name(name)
    return label, f"{service_name(ref.namespace)[0]}-{label}"


async def _dependencies(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """What services depend on so far."""
    found: dict[UUID, list[str]] = {}
    for chunk in in_chunks(ids, _AT_ONCE):
        found |= await catalog_relations.dependency_names(tx.connection, chunk)
    return found


def _wanted(claims: Claims, component: Component, report: ImportReport) -> list[str]:
    """The names of what a component depends on, as far as it is there."""
    found = (_dependency(claims, component, ref, report) for ref in component.depends_on)
    return [name for name in found if name is not None]


async def _link(tx: Tx, saved: Saved[Service], wanted: Sequence[str], current: Sequence[str]) -> Outcome:
    """Set what a service depends on; gives what became of the service in all."""
    if {name_key(name) for name in wanted} == {name_key(name) for name in current}:
        return saved.outcome
    linked = await commands.save_service(tx, ServiceInput(saved.value.name, depends_on=list(wanted)))
    return linked.outcome if saved.outcome is Outcome.UNCHANGED else saved.outcome


def _dependency(claims: Claims, component: Component, ref: EntityRef, report: ImportReport) -> str | None:
    """The service that a reference means: imported now or before, or one of that name that came from nowhere."""
    known = claims.known(origin_of(ref))
    if known is not None:
        return known
    label, _ = service_name(ref.name)
    if claims.adoptable(label):
        return label
    report.warn(place_of(component, f"spec.dependsOn names {ref}, which is not there; it was left out"))
    return None
