"""Files that people name, or that lie in folders they name: found in a fixed order and read in bounded memory."""

import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path

from opsgraph.kernel.findings import Finding

LARGEST_TEXT = 10 * 2**20
LONGEST_LINE = 4 * 2**20

YAML_ENDINGS = (".yaml", ".yml")
CSV_ENDINGS = (".csv", ".csv.gz")

_GZIP_MAGIC = b"\x1f\x8b"
_LINES_BETWEEN = 1_000


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read.

    Attributes:
        path: where it is.
        name: what it is called in messages.
        size: in bytes.
        named: whether its user named it, rather than a folder that it is in.
    """

    path: Path
    name: str
    size: int
    named: bool


class UnusableFileError(Exception):
    """A file cannot be read; carries the line, counted from 1, where one is to blame, and the reason."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line

    def of(self, file: InputFile) -> Finding:
        """The refusal of that file."""
        return Finding(file.name, self.line, self.reason)


def find_files(paths: Sequence[Path], endings: tuple[str, ...]) -> tuple[list[InputFile], list[Finding]]:
    """The files at these paths, each once, and what is wrong with paths.

    A path that is a file (or a pipe, such as /dev/stdin) counts whatever its name. In a folder, and in those below it,
    files with one of the endings count; whatever has a name that begins with a dot is passed over. Links are followed,
    also in circles.
    """
    search = _Search(endings)
    for path in paths:
        search.explore(path)
    return search.files, search.refusals


def read_text(file: InputFile) -> str:
    """The text of a file of at most 10 MiB.

    Raises:
        UnusableFileError: too large, not UTF-8 text, or it cannot be opened.
    """
    if file.size > LARGEST_TEXT:
        raise _too_large(file.size)
    try:
        with file.path.open("rb") as stream:
            data = stream.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise UnusableFileError(_problem(error)) from error
    if len(data) > LARGEST_TEXT:
        raise _too_large(len(data))
    return _decoded(data, 1)


def read_lines(file: InputFile, reached: Callable[[int], None]) -> Iterator[str]:
    """The lines of a file with their endings, one at a time, whatever its size; gzip is unpacked.

    Args:
        file: the file.
        reached: hears every thousand lines how many bytes have been read; what it raises ends the reading.

    Raises:
        UnusableFileError: not UTF-8 text, a line of more than 4 MiB, damaged gzip, or it cannot be opened.
    """
    number = 0
    try:
        with ExitStack() as stack:
            raw, stream = _opened(file.path, stack)
            position = raw.tell if raw.seekable() else partial(int)
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                yield _line(line, number)
                if number % _LINES_BETWEEN == 0:
                    reached(position())
    except (OSError, EOFError, zlib.error) as error:
        raise UnusableFileError(_problem(error), number + 1 if number else None) from error


@dataclass(slots=True)
class _Search:
    """What was found so far, and by device and number what was looked at."""

    endings: tuple[str, ...]
    files: list[InputFile] = field(default_factory=list)
    refusals: list[Finding] = field(default_factory=list)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def explore(self, top: Path) -> None:
        waiting = [top]
        while waiting:
            path = waiting.pop()
            status = self._status(path, wanted=path is top or self._fits(path))
            if status is None or (status.st_dev, status.st_ino) in self._seen:
                continue
            if stat.S_ISDIR(status.st_mode):
                self._seen.add((status.st_dev, status.st_ino))
                waiting.extend(reversed(self._entries(path)))
            elif path is top or self._fits(path):
                self._seen.add((status.st_dev, status.st_ino))
                self._keep(path, status, top)

    def _fits(self, path: Path) -> bool:
        return path.name.lower().endswith(self.endings)

    def _status(self, path: Path, *, wanted: bool) -> os.stat_result | None:
        try:
            return path.stat()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            if wanted:
                self._refuse(path, _problem(error))
            return None

    def _entries(self, folder: Path) -> list[Path]:
        try:
            return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        except OSError as error:
            self._refuse(folder, _problem(error))
            return []

    def _keep(self, path: Path, status: os.stat_result, top: Path) -> None:
        if stat.S_ISREG(status.st_mode) or (path is top and stat.S_ISFIFO(status.st_mode)):
            self.files.append(InputFile(path, _shown(path), status.st_size, path is top))
        else:
            self._refuse(path, "is neither a file nor a folder")

    def _refuse(self, path: Path, reason: str) -> None:
        self.refusals.append(Finding(_shown(path), None, reason))


def _opened(path: Path, stack: ExitStack) -> tuple[BufferedReader, BufferedReader | gzip.GzipFile]:
    """The file as it is and as unpacked: both the same unless it begins as gzip does, whatever its name."""
    raw = stack.enter_context(path.open("rb"))
    packed = raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
    return raw, stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw


def _line(data: bytes, number: int) -> str:
    if len(data) > LONGEST_LINE:
        raise UnusableFileError(f"the line is longer than {LONGEST_LINE} bytes", number)
    return _decoded(data, number)


def _decoded(data: bytes, first_line: int) -> str:
    if b"\0" in data:
        raise UnusableFileError("is not UTF-8 text: it holds zero bytes", _line_of(data, data.index(b"\0"), first_line))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        bad = data[error.start]
        line = _line_of(data, error.start, first_line)
        raise UnusableFileError(f"is not UTF-8 text: byte 0x{bad:02X} does not fit", line) from error


def _line_of(data: bytes, position: int, first_line: int) -> int:
    return first_line + data.count(b"\n", 0, position)


def _too_large(size: int) -> UnusableFileError:
    return UnusableFileError(f"has {size} bytes; at most {LARGEST_TEXT} are read")


def _problem(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"cannot be read: {error}"


def _shown(path: Path) -> str:
    """The path as text of one line that any terminal and any JSON can hold."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in str(path))
