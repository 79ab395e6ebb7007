"""How imports read: in a thread, so that a server goes on answering, and so that it can be called off."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from opsgraph.kernel.documents import Document, read_documents
from opsgraph.kernel.findings import Finding
from opsgraph.workflows.importing.files import YAML_ENDINGS, InputFile, UnusableFileError, find_files, read_text
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import Options

ResultT = TypeVar("ResultT")

_MARKS = ("apiVersion", "kind")


class _CalledOffError(Exception):
    """Nobody waits for what is being read."""


@dataclass(slots=True)
class Meter:
    """How much of an import's files has been read, in bytes; a reading that tells it ends once it is stopped."""

    options: Options
    total: int
    done: int = 0
    stopped: bool = False

    def reached(self, position: int = 0) -> None:
        """Note how much of the file at hand has been read."""
        if self.stopped:
            raise _CalledOffError
        self.options.tell("reading", self.done + position, self.total)

    def finished(self, file: InputFile) -> None:
        """Note that a file is done with."""
        self.done += file.size
        self.reached()


async def in_thread(meter: Meter, work: Callable[[], ResultT]) -> ResultT:
    """Run ``work`` in a thread; where nobody waits for it any more, its meter stops it."""
    try:
        return await asyncio.to_thread(work)
    finally:
        meter.stopped = True


def files_at(paths: Sequence[Path], endings: tuple[str, ...], report: ImportReport) -> list[InputFile]:
    """The files at these paths; what is wrong with paths is refused, and so is everything if there is no file."""
    files, problems = find_files(paths, endings)
    report.refuse(*problems)
    if not files and not problems:
        report.refuse(
            *(Finding(str(path), None, f"holds no file that ends in {' or '.join(endings)}") for path in paths)
        )
    return files


async def documents_at(paths: Sequence[Path], report: ImportReport, options: Options) -> list[Document | Finding]:
    """Every document of the YAML files at these paths, in order; whatever cannot be read is a finding in its place.

    What folders hold beside it (documents without apiVersion and kind) is skipped with a warning.
    """
    files = files_at(paths, YAML_ENDINGS, report)
    meter = Meter(options, sum(file.size for file in files))
    parts = await in_thread(meter, lambda: [part for file in files for part in _documents_of(file, report, meter)])
    report.read = any(isinstance(part, Document) for part in parts)
    return parts


def _documents_of(file: InputFile, report: ImportReport, meter: Meter) -> list[Document | Finding]:
    meter.reached()
    try:
        parts = read_documents(read_text(file), file.name)
    except UnusableFileError as error:
        return [error.of(file)]
    report.files += 1
    meter.finished(file)
    return parts if file.named else [part for part in parts if not _is_foreign(part, report)]


def _is_foreign(part: Document | Finding, report: ImportReport) -> bool:
    """Whether a document that happened to lie in a folder is of another kind altogether; such are skipped."""
    foreign = isinstance(part, Document) and part.value.keys().isdisjoint(_MARKS)
    if foreign:
        report.warn(Finding(part.file, part.line, "has neither apiVersion nor kind; the document was skipped"))
    return foreign
