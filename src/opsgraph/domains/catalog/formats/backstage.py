"""Backstage's catalog entities (``catalog-info.yaml``): Component, Group and User, read into frozen values.

Other kinds are skipped with a warning. What opsgraph has no place for is ignored; what breaks the format is refused
with its file, line and reason, and its neighbours are read all the same.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from opsgraph.domains.catalog.formats.backstage_entities import (
    Catalog,
    Component,
    Entity,
    EntityRef,
    Group,
    Person,
    entity_name,
    parse_ref,
)
from opsgraph.domains.catalog.model import Lifecycle, Link
from opsgraph.domains.catalog.rules import web_address
from opsgraph.kernel.documents import Document
from opsgraph.kernel.fields import Fields, Misfit, TextCheck, Warn, attempt, declared_name
from opsgraph.kernel.findings import Finding, Findings
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import NAME_LENGTH, free_name, free_text, shown

API_GROUP = "backstage.io/"
DEFAULT_NAMESPACE = "default"
LONGEST_TAG = 63

_TAG = re.compile(r"[a-z0-9:+#]+(-[a-z0-9:+#]+)*")
_PLACEHOLDERS = ("$text", "$json", "$yaml")


def read(parts: Iterable[Document | Finding]) -> Catalog:
    """Read the entities of all documents; findings among them are passed on as refusals.

    The second entity of the same kind, namespace and name is refused. Never raises for bad input.
    """
    findings = Findings()
    seen: dict[EntityRef, Entity] = {}
    for part in parts:
        if isinstance(part, Finding):
            findings.refusals.append(part)
        else:
            attempt(part, declared_name(part), partial(_take, seen), findings)
    return Catalog(
        components=tuple(entity for entity in seen.values() if isinstance(entity, Component)),
        groups=tuple(entity for entity in seen.values() if isinstance(entity, Group)),
        people=tuple(entity for entity in seen.values() if isinstance(entity, Person)),
        refusals=tuple(findings.refusals),
        warnings=tuple(findings.warnings),
    )


def service_name(name: str) -> tuple[str, bool]:
    """The RFC 1123 label for an entity's name, and whether it differs: ``_`` and ``.`` become ``-``."""
    label = name.replace("_", "-").replace(".", "-")
    return label, label != name


@dataclass(frozen=True, slots=True)
class _Sheet:
    """An entity at hand: what identifies it (reference, name, file, line), its two halves, where warnings go."""

    identity: tuple[EntityRef, str, str, int]
    metadata: Fields
    spec: Fields
    warn: Warn

    @property
    def ref(self) -> EntityRef:
        return self.identity[0]


def _take(seen: dict[EntityRef, Entity], fields: Fields, warn: Warn) -> None:
    entity = _read_entity(fields, warn)
    if entity is None:
        return
    first = seen.setdefault(entity.ref, entity)
    if first is not entity:
        raise fields.misfit(f"{entity.ref} is already defined at {first.file}:{first.line}")


def _read_entity(fields: Fields, warn: Warn) -> Entity | None:
    version = fields.required("apiVersion", free_name)
    if not version.startswith(API_GROUP):
        warn(fields.line("apiVersion"), f"apiVersion {shown(version)} is not Backstage's; the document was skipped")
        return None
    kind = fields.required("kind", free_name)
    reader = _READERS.get(kind.lower())
    if reader is None:
        warn(fields.line("kind"), f"kind {shown(kind)} is not imported; the document was skipped")
        return None
    metadata, spec = fields.part("metadata"), fields.part("spec")
    return reader(_Sheet(_identity(fields, kind, metadata), metadata, spec, warn))


def _identity(fields: Fields, kind: str, metadata: Fields) -> tuple[EntityRef, str, str, int]:
    name = metadata.required("name", entity_name)
    namespace = metadata.checked("namespace", entity_name) or DEFAULT_NAMESPACE
    ref = EntityRef(kind.lower(), namespace.lower(), name.lower())
    return ref, name, fields.document.file, fields.document.line


def _read_component(sheet: _Sheet) -> Component:
    return Component(
        *sheet.identity,
        title=_optional(sheet.metadata, "title", free_name, sheet.warn),
        description=_optional(sheet.metadata, "description", _description, sheet.warn),
        type=_optional(sheet.spec, "type", free_name, sheet.warn),
        lifecycle=_lifecycle(sheet),
        owner=_owner(sheet),
        tags=tuple(dict.fromkeys(_tags(sheet))),
        links=tuple(_links(sheet)),
        depends_on=_references(sheet, "dependsOn", "component"),
    )


def _read_group(sheet: _Sheet) -> Group:
    return Group(
        *sheet.identity,
        title=_profile(sheet, "displayName") or _optional(sheet.metadata, "title", free_name, sheet.warn),
        description=_optional(sheet.metadata, "description", _description, sheet.warn),
        members=_references(sheet, "members", "user"),
    )


def _read_person(sheet: _Sheet) -> Person:
    return Person(
        *sheet.identity,
        display_name=_profile(sheet, "displayName"),
        email=_profile(sheet, "email"),
        member_of=_references(sheet, "memberOf", "group"),
    )


_READERS: dict[str, Callable[[_Sheet], Entity]] = {
    "component": _read_component,
    "group": _read_group,
    "user": _read_person,
}


def _description(value: str, label: str) -> str:
    return free_text(value, label).strip()


def _optional(fields: Fields, key: str, check: TextCheck, warn: Warn) -> str | None:
    """A checked text; None where it is absent, blank or stands in another file."""
    if _is_placeholder(fields, key, warn) or not (fields.text(key) or "").strip():
        return None
    return fields.checked(key, check)


def _is_placeholder(fields: Fields, key: str, warn: Warn) -> bool:
    value = fields.values.get(key)
    named = [placeholder for placeholder in _PLACEHOLDERS if isinstance(value, dict) and placeholder in value]
    if named:
        warn(fields.line(key), f"{fields.label(key)} is a {named[0]} placeholder, which is not followed")
    return bool(named)


def _profile(sheet: _Sheet, key: str) -> str | None:
    profile = sheet.spec.mapping("profile")
    return _optional(profile, key, free_name, sheet.warn) if profile else None


def _lifecycle(sheet: _Sheet) -> Lifecycle:
    text = _optional(sheet.spec, "lifecycle", free_name, sheet.warn)
    if text is not None and text.upper() in Lifecycle.__members__:
        return Lifecycle[text.upper()]
    problem = "is missing" if text is None else f"{shown(text)} is not experimental, production or deprecated"
    sheet.warn(sheet.spec.line("lifecycle"), f"spec.lifecycle {problem}; production is assumed")
    return Lifecycle.PRODUCTION


def _owner(sheet: _Sheet) -> EntityRef | None:
    text = _optional(sheet.spec, "owner", free_name, sheet.warn)
    ref = parse_ref(text, "group", sheet.ref.namespace) if text else None
    if ref is not None and ref.kind == "group":
        return ref
    problem = "is missing" if text is None else f"{shown(text)} is not a group"
    sheet.warn(sheet.spec.line("owner"), f"spec.owner {problem}; the service gets no team")
    return None


def _tags(sheet: _Sheet) -> Iterator[str]:
    if _is_placeholder(sheet.metadata, "tags", sheet.warn):
        return
    for line, tag in sheet.metadata.entries("tags"):
        if isinstance(tag, str) and len(tag) <= LONGEST_TAG and _TAG.fullmatch(tag):
            yield tag
        else:
            sheet.warn(line, f"tag {shown(str(tag))} was left out: it is not of lower-case letters, digits, +, # and :")


def _links(sheet: _Sheet) -> Iterator[Link]:
    if _is_placeholder(sheet.metadata, "links", sheet.warn):
        return
    for link in sheet.metadata.mappings("links"):
        url = link.required("url", free_text)
        try:
            web_address(url, link.label("url"))
        except Invalid as refusal:
            sheet.warn(link.line("url"), f"a link was left out: {refusal.message}")
        else:
            yield Link(_optional(link, "title", free_name, sheet.warn) or url[:NAME_LENGTH], url)


def _references(sheet: _Sheet, key: str, kind: str) -> tuple[EntityRef, ...]:
    """The references of one kind in a list, each once; any other is left out with a warning."""
    found: dict[EntityRef, None] = {}
    for line, text in sheet.spec.entries(key) if not _is_placeholder(sheet.spec, key, sheet.warn) else ():
        if not isinstance(text, str):
            raise Misfit(line, f"spec.{key} holds something that is not a text")
        ref = parse_ref(text, kind, sheet.ref.namespace)
        if ref is not None and ref.kind == kind and ref != sheet.ref:
            found[ref] = None
        else:
            problem = "it is the component itself" if ref == sheet.ref else f"it is not a {kind}"
            sheet.warn(line, f"spec.{key} {shown(text)} was left out: {problem}")
    return tuple(found)
