"""The subsystems that have a say in health: the built-in ones, then those that installed packages register."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import structlog

from opsgraph.domains.health.model import PLUGIN_GROUP, Subsystem
from opsgraph.domains.health.rules import BUILT_IN
from opsgraph.kernel.text import free_name

_log = structlog.get_logger("opsgraph.plugins")


def installed_subsystems() -> Sequence[Subsystem]:
    """Every subsystem; a package whose entry point cannot be loaded is logged and left out.

    An entry point of the group `opsgraph.health` names a `Subsystem`, or a class or function that makes one.
    """
    loaded = (_loaded(entry) for entry in sorted(entry_points(group=PLUGIN_GROUP), key=lambda entry: entry.name))
    return (*BUILT_IN, *(subsystem for subsystem in loaded if subsystem is not None))


def _loaded(entry: EntryPoint) -> Subsystem | None:
    try:
        found: Any = entry.load()
        subsystem = found if hasattr(found, "evaluate") and not isinstance(found, type) else found()
        if not isinstance(subsystem.name, str) or not callable(subsystem.evaluate):
            raise TypeError("it has no text `name` or no method `evaluate`")  # noqa: TRY301 - handled as any other mistake
        free_name(subsystem.name)  # it is stored with each signal
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a third party does wrong, opsgraph starts without it
        _log.exception("plugin_not_loaded", entry_point=entry.value)
        return None
    made: Subsystem = subsystem
    return made
