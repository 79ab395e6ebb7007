"""Structured logs on standard error: JSON for machines, coloured lines for people.

What opsgraph says is rendered and written at once; what libraries say comes by the standard library's loggers, which
look up more than a line holds, and looks the same.
"""

import json
import logging
import sys
from functools import partial
from typing import Any, TextIO

import orjson
import structlog

from opsgraph.settings import Settings

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


class _Logger(structlog.WriteLogger):
    """Writes lines where the standard library's handler does, and has the name that `add_logger_name` asks for."""

    def __init__(self, handler: "logging.StreamHandler[TextIO]", name: str) -> None:
        super().__init__(handler.stream)
        self.name = name


def log_as(settings: Settings) -> None:
    """Set up logging of this process, that of libraries included, as the settings say."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if settings.log_format == "console"
        else _json()
    )
    handler = logging.StreamHandler(sys.stderr)
    structlog.configure(
        processors=[*_SHARED, *renderer],
        logger_factory=partial(_Logger, handler),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of its inner workings at every look


def _json() -> list[Any]:
    # Without the frames' local variables, which hold addresses with passwords.
    frames = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    return [frames, structlog.processors.JSONRenderer(serializer=_written)]


def _written(line: Any, **options: Any) -> str:
    try:
        return orjson.dumps(line, **options).decode()
    except TypeError:  # it takes no halves of surrogate pairs, no larger numbers than 64 bits, no keys but texts
        return json.dumps(line, **options)
