"""OpenSLO documents (``openslo/v1`` and ``openslo/v1alpha``) read into frozen values, one for each objective.

Kinds SLO, SLI and Service are read, in any order and from any number of files, before references are resolved; other
kinds are skipped with a warning. Lenient where documents in use are: what is only superfluous gives a warning.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from opsgraph.domains.slo.formats.openslo_indicators import Indicator, read_indicator, read_ratio
from opsgraph.domains.slo.formats.openslo_objectives import Shared, read_objective, read_shared
from opsgraph.domains.slo.formats.openslo_values import OLD_VERSION, VERSION, OpenSlo, ServiceDocument, SloDocument
from opsgraph.kernel.documents import Document
from opsgraph.kernel.fields import Fields, Warn, attempt, declared_name
from opsgraph.kernel.findings import Finding, Findings
from opsgraph.kernel.text import free_name, free_text, name_key, shown


def read(parts: Iterable[Document | Finding]) -> OpenSlo:
    """Read all documents of one command; findings among them are passed on as refusals.

    A document that cannot be read is refused; so is a single objective, while its neighbours are kept. The second SLO
    of the same name in a service is refused. Never raises for bad input.
    """
    reading = _Reading()
    for part in parts:
        if isinstance(part, Finding):
            reading.findings.refusals.append(part)
        else:
            attempt(part, declared_name(part), reading.sort, reading.findings)
    for document in reading.waiting:
        reading.read_slo(document)
    return OpenSlo(
        tuple(reading.slos.values()),
        tuple(reading.services.values()),
        tuple(reading.findings.refusals),
        tuple(reading.findings.warnings),
    )


@dataclass(slots=True)
class _Reading:
    """One command's documents: SLOs wait until every SLI is known. A refused SLI stays known by its name."""

    findings: Findings = field(default_factory=Findings)
    waiting: list[Document] = field(default_factory=list)
    indicators: dict[str, Indicator | None] = field(default_factory=dict)
    services: dict[str, ServiceDocument] = field(default_factory=dict)
    slos: dict[tuple[str, str], SloDocument] = field(default_factory=dict)

    def sort(self, fields: Fields, warn: Warn) -> None:
        """Read SLIs and services at once and put SLOs aside."""
        version = fields.required("apiVersion", free_name)
        if not version.startswith("openslo"):
            warn(fields.line("apiVersion"), f"apiVersion {shown(version)} is not OpenSLO's; the document was skipped")
            return
        if version not in (VERSION, OLD_VERSION):
            reason = f"apiVersion {shown(version)} is not supported; {VERSION} and {OLD_VERSION} are"
            raise fields.misfit(reason, "apiVersion")
        kind = fields.required("kind", free_name)
        if kind == "SLO":
            self.waiting.append(fields.document)
        elif kind == "SLI":
            self._read_sli(fields, warn)
        elif kind == "Service":
            self._read_service(fields, warn)
        else:
            warn(fields.line("kind"), f"kind {shown(kind)} is not imported; the document was skipped")

    def _read_sli(self, fields: Fields, warn: Warn) -> None:
        name = fields.part("metadata").required("name", free_name)
        if name in self.indicators:
            raise fields.misfit(f"SLI {shown(name)} is defined before; names of SLIs are unique")
        self.indicators[name] = None
        self.indicators[name] = read_indicator(fields, warn)

    def _read_service(self, fields: Fields, warn: Warn) -> None:
        metadata, spec = fields.part("metadata"), fields.mapping("spec")
        service = ServiceDocument(
            name=metadata.required("name", free_name),
            display_name=metadata.checked("displayName", free_name),
            description=spec.checked("description", free_text) if spec else None,
            file=fields.document.file,
            line=fields.line(),
        )
        first = self.services.setdefault(name_key(service.name), service)
        if first is not service:
            warn(fields.line(), f"the service is defined before; {first.file}:{first.line} stands")

    def read_slo(self, document: Document) -> None:
        """Read an SLO: first what its objectives share, then each of them apart."""
        shared = attempt(document, declared_name(document), self._read_shared, self.findings)
        if shared is None:
            return
        for index, objective in enumerate(Fields.of(document).part("spec").mappings("objectives")):
            name = shared.name if index == 0 else f"{shared.name}-{index + 1}"
            attempt(document, name, partial(self._read_objective, objective, shared, name), self.findings)

    def _read_shared(self, fields: Fields, warn: Warn) -> Shared:
        metadata, spec = fields.part("metadata"), fields.part("spec")
        shared = read_shared(metadata, spec, self._indicator(spec, warn), warn)
        if not spec.mappings("objectives"):
            raise spec.misfit(f"{spec.label('objectives')} is missing; there must be one at least", "objectives")
        return shared

    def _read_objective(self, objective: Fields, shared: Shared, name: str, _: Fields, warn: Warn) -> None:
        slo = read_objective(objective, shared, name, self._indicator(objective, warn), warn)
        first = self.slos.setdefault((name_key(slo.service), name_key(slo.name)), slo)
        if first is not slo:
            reason = f"{slo.service} has an SLO {shown(slo.name)} already, at {first.file}:{first.line}"
            raise objective.misfit(reason)

    def _indicator(self, fields: Fields, warn: Warn) -> Indicator | None:
        """The indicator that an SLO or an objective gives, in place or by name; None if it gives none."""
        inline, ratio = fields.mapping("indicator"), fields.mapping("ratioMetrics")
        if (inline or ratio) and fields.has("indicatorRef"):
            warn(fields.line("indicatorRef"), f"{fields.label('indicatorRef')} was left out: there is an indicator")
        if inline is not None:
            return read_indicator(inline, warn)
        return self._referred(fields) if ratio is None else read_ratio(ratio, warn)

    def _referred(self, fields: Fields) -> Indicator | None:
        ref = fields.checked("indicatorRef", free_name)
        found = self.indicators.get(ref) if ref else None
        if ref and found is None:
            problem = "was refused" if ref in self.indicators else "is in none of the files read"
            reason = f"{fields.label('indicatorRef')} names the SLI {shown(ref)}, which {problem}"
            raise fields.misfit(reason, "indicatorRef")
        return found
