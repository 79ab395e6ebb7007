"""What a person reads when a command cannot do its work: one line on standard error, no traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from opsgraph.kernel.text import printable

FAILED = 1


class CommandError(Exception):
    """A command cannot do its work; the message says why and what to do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def reported() -> Iterator[None]:
    """Turn the failures that people cause or meet into a line and an exit code; a bug keeps its traceback."""
    try:
        yield
    except CommandError as error:
        fail(str(error), error.exit_code)
    except Exception as error:
        from opsgraph.cli.explanations import explained  # noqa: PLC0415 - spares all that goes well SQLAlchemy's import

        message = explained(error)
        if message is None:
            raise
        fail(message)


def fail(message: str, exit_code: int = FAILED) -> NoReturn:
    """Say why on standard error and end the process."""
    warn(message)
    sys.exit(exit_code)


def warn(message: str) -> None:
    """Say something on standard error, where it does not mix with what scripts read."""
    typer.echo("\n".join(printable(line) for line in f"opsgraph: {message}".splitlines()), err=True)
