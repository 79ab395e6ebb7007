"""Commands as people run them: within this process where output and exit code tell all, else in one of their own."""

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from threading import Timer
from typing import NamedTuple
from unittest.mock import patch

import structlog

from opsgraph.cli.main import main
from tests.packaging.environments import surroundings

OPSGRAPH = Path(sys.executable).parent / "opsgraph"
STARTS_WITHIN_SECONDS = 60
STOPS_WITHIN_SECONDS = 30


class Outcome(NamedTuple):
    """How a command ended, and what it said on standard output and standard error."""

    exit_code: int
    output: str
    errors: str


def called(folder: Path, *arguments: str, **settings: str) -> Outcome:
    """Run a command in a folder, with nothing set but these settings."""
    output, errors = StringIO(), StringIO()
    with (
        contextlib.chdir(folder),
        patch.dict(os.environ, surroundings(settings), clear=True),
        patch.object(sys, "argv", ["opsgraph", *arguments]),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        logging_restored(),
    ):
        try:
            main()
        except SystemExit as end:
            return Outcome(int(end.code or 0), output.getvalue(), errors.getvalue())
    raise AssertionError("a command ends the process")


def refused(folder: Path, *arguments: str, **settings: str) -> str:
    """The one line, without its prefix, with which a command says that it cannot do its work."""
    outcome = called(folder, *arguments, **settings)
    assert (outcome.exit_code, outcome.output) == (1, ""), outcome
    prefix, _, message = outcome.errors.rstrip("\n").partition("opsgraph: ")
    assert prefix == ""
    assert "\n" not in message
    return message


@contextmanager
def logging_restored() -> Iterator[None]:
    """Whatever the block makes of logging is undone when it ends."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**before)


@dataclass(slots=True)
class Server:
    """A running `opsgraph serve`.

    Attributes:
        url: where it listens.
        process: the process, whose standard error is its log.
    """

    url: str
    process: "subprocess.Popen[str]"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def log_until(self, text: str) -> None:
        """Wait until a line of the log has this text."""
        assert self.process.stderr
        assert any(text in line for line in self.process.stderr), f"it ended without saying {text}"

    def stop(self) -> str:
        """Send SIGTERM and wait for its end; gives the rest of the log."""
        self.process.terminate()
        return self.process.communicate(timeout=STOPS_WITHIN_SECONDS)[1]


@contextmanager
def served(folder: Path, host: str = "127.0.0.1", **settings: str) -> Iterator[Server]:
    """Serve from a folder, on a port that is free, with nothing set but these settings; ended with the block."""
    with subprocess.Popen(
        [OPSGRAPH, "serve", "--host", host, "--port", "0"],
        cwd=folder,
        env=surroundings(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        late = Timer(STARTS_WITHIN_SECONDS, process.kill)
        late.start()
        try:
            assert process.stdout
            said = process.stdout.readline()
            late.cancel()
            assert said.startswith("opsgraph serves "), process.communicate()[1]
            yield Server(said.removeprefix("opsgraph serves ").strip(), process)
        finally:
            late.cancel()
            process.kill()
