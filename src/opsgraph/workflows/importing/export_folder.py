"""The folder of a whole export as it is read back: its manifest, and its files record by record."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from opsgraph.kernel.documents import Document, read_documents
from opsgraph.kernel.fields import attempt
from opsgraph.kernel.findings import Finding, Findings
from opsgraph.workflows.export_format import FILES, FORMAT, MANIFEST, VERSION
from opsgraph.workflows.importing.export_records import Reader, document_of, name_of
from opsgraph.workflows.importing.files import InputFile, UnusableFileError, find_files, read_lines, read_text
from opsgraph.workflows.importing.reading import Meter
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import Options

ValueT = TypeVar("ValueT")

_LINES_TOGETHER = 2_000


@dataclass(slots=True)
class ExportFolder:
    """The files of an export that are there, by what they hold, and how much of it the manifest promises."""

    files: Mapping[str, InputFile]
    promised: Mapping[str, object]
    report: ImportReport
    meter: Meter

    def records(self, kind: str, read: Reader[ValueT]) -> Iterator[tuple[Finding, ValueT]]:
        """The records of a file, each with its place and name; what is wrong with one is refused."""
        findings = Findings()
        for document in self._documents(kind):
            value = attempt(document, name_of(document), read, findings)
            if value is not None:
                yield Finding(document.file, document.line, "", name_of(document)), value
            self.report.refuse(*findings.refusals)
            findings.refusals.clear()

    def documents(self, kind: str) -> Iterator[list[Document | Finding]]:
        """The documents of a YAML file, some at a time."""
        for before, text in _cut(self.lines(kind)):
            yield [_moved(part, before) for part in read_documents(text, self.files[kind].name)]

    def lines(self, kind: str) -> Iterator[str]:
        """The lines of a file, none if it is missing; what cannot be read is refused."""
        if kind not in self.files:
            return
        try:
            yield from read_lines(self.files[kind], self.meter.reached)
        except UnusableFileError as error:
            self.report.refuse(error.of(self.files[kind]))
        self.meter.finished(self.files[kind])

    def check(self, kind: str, found: int) -> None:
        """Warn if a file holds another number of records than the manifest says."""
        promised = self.promised.get(kind)
        if kind in self.files and promised != found:
            reason = f"holds {found} {kind}; the manifest says {promised}"
            self.report.warn(Finding(self.files[kind].name, None, reason))

    def _documents(self, kind: str) -> Iterator[Document]:
        found = 0
        for number, line in enumerate(self.lines(kind), 1):
            if not line.strip():
                continue
            found += 1
            document = document_of(line, self.files[kind].name, number)
            if isinstance(document, Document):
                yield document
            else:
                self.report.refuse(document)
        self.check(kind, found)


def open_folder(path: Path, report: ImportReport, options: Options) -> ExportFolder | None:
    """Look at an export; None, with the reason refused, if it is none."""
    try:
        promised = _promised(path)
    except UnusableFileError as error:
        report.refuse(Finding(str(path), error.line, error.reason))
        return None
    files: dict[str, InputFile] = {}
    for kind, name in FILES.items():
        if kind not in promised and not (path / name).exists():
            continue  # an older opsgraph did not write it
        found, problems = find_files([path / name], ())
        report.refuse(*problems)
        files.update((kind, file) for file in found)
    report.read, report.files = True, len(files)
    return ExportFolder(files, promised, report, Meter(options, sum(file.size for file in files.values())))


def in_batches(items: Iterable[ValueT], size: int) -> Iterator[list[ValueT]]:
    """Items so many at a time."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _promised(path: Path) -> Mapping[str, object]:
    """The counts of the manifest.

    Raises:
        UnusableFileError: there is no manifest, or it is not one that can be read here.
    """
    found, _ = find_files([path / MANIFEST], ())
    if not found:
        raise UnusableFileError(f"is not a folder that `opsgraph export all` wrote: it has no {MANIFEST}")
    try:
        manifest = json.loads(read_text(found[0]))
    except (ValueError, RecursionError) as error:
        raise UnusableFileError(f"{MANIFEST} is not valid JSON") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UnusableFileError(f"{MANIFEST} does not say that this is an {FORMAT}")
    if manifest.get("version") != VERSION:
        raise UnusableFileError(f"{MANIFEST} is of version {manifest.get('version')}; this opsgraph reads {VERSION}")
    counts = manifest.get("counts")
    return counts if isinstance(counts, dict) else {}


def _cut(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Cut a YAML file between documents into texts of some thousand lines, each with the number of lines before it."""
    before, together = 0, list[str]()
    for line in lines:
        if len(together) >= _LINES_TOGETHER and line.rstrip() == "---":
            yield before, "".join(together)
            before, together = before + len(together), []
        together.append(line)
    if together:
        yield before, "".join(together)


def _moved(part: Document | Finding, lines: int) -> Document | Finding:
    """The same, so many lines further down."""
    if isinstance(part, Finding):
        return replace(part, line=None if part.line is None else part.line + lines)
    return replace(part, line=part.line + lines, lines={path: line + lines for path, line in part.lines.items()})
