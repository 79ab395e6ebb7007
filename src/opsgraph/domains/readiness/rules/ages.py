"""How old facts are, for people."""

from datetime import datetime, timedelta

from opsgraph.domains.readiness.model.manifests import Facts

_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)


def seconds(facts: Facts, now: datetime) -> int | None:
    """How old facts are; None if there is nothing to date. Clocks differ: what is from the future is new."""
    return None if facts.as_of is None else max(0, (now - facts.as_of) // timedelta(seconds=1))


def too_old(facts: Facts, now: datetime) -> str | None:
    """Why facts do not count any more; None while they do.

    Never finer than the limit itself, so that the same is said for a while: what is said differently is a new verdict.
    """
    limit = facts.section.max_age
    if limit is None or facts.as_of is None or not facts.is_stale(now):
        return None
    age, finest = now - facts.as_of, _finest(limit)
    counts = ((age // unit, name, unit) for name, unit in _UNITS[: finest + 1])
    old = next((f"are {_counted(count, name)} old," for count, name, unit in counts if count * unit > limit), "are")
    name, unit = _UNITS[finest]
    return f"{facts.section.name} facts {old} older than {_counted(limit // unit, name)}"


def _finest(limit: timedelta) -> int:
    """The place of the largest unit that a limit is a whole number of."""
    return next((place for place, (_, unit) in enumerate(_UNITS) if not limit % unit), len(_UNITS) - 1)


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
