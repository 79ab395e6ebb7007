"""What keeps an alert quiet: silences and maintenance windows that are in force and mean it.

Matchers see the alert's labels and, where the alert has none of that name, two more: `service`, the name of the
service, and `severity`, as it is understood here, in lower case.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from opsgraph.domains.alerts.model import MaintenanceWindow, Matcher, Severity, Silence
from opsgraph.domains.alerts.rules.matching import Labels, Test, test_of
from opsgraph.kernel.text import name_key

Silencer: TypeAlias = Silence | MaintenanceWindow
_Candidate = tuple[Silencer, Test]


def labels_seen(labels: Labels, service: str, severity: Severity) -> Labels:
    """The labels of an alert as matchers see them."""
    added = {"service": service, "severity": severity.value.lower()}
    return {**labels, **{name: value for name, value in added.items() if not labels.get(name)}}


def in_force(silencer: Silencer, now: datetime) -> bool:
    """Whether it has begun and not ended."""
    return silencer.starts_at <= now < silencer.ends_at


class CompiledSilences:
    """Silences and maintenance windows, made ready to be asked about many alerts.

    Those that want a label to have one value are found by it, so that asking takes no longer with more of them.

    Args:
        silences: any, in force or not.
        windows: likewise.
    """

    def __init__(self, silences: Iterable[Silence] = (), windows: Iterable[MaintenanceWindow] = ()) -> None:
        self._by_value: dict[tuple[str, str], list[_Candidate]] = {}
        self._others: list[_Candidate] = []
        self._by_service: dict[str, list[MaintenanceWindow]] = {}
        for silence in silences:
            self._add(silence, silence.matchers)
        for window in windows:
            self._add(window, window.matchers)
            for name in window.services:
                self._by_service.setdefault(name_key(name), []).append(window)

    def __bool__(self) -> bool:
        """Whether there is any; if not, nobody needs to ask."""
        return bool(self._by_value or self._others or self._by_service)

    def silencer(self, labels: Labels, service: str, severity: Severity, now: datetime) -> Silencer | None:
        """What keeps an alert quiet now, or None."""
        return next(self._silencers(labels, service, severity, now), None) if self else None

    def silencers(self, labels: Labels, service: str, severity: Severity, now: datetime) -> list[Silencer]:
        """Everything that keeps an alert quiet now, each once."""
        return list({found.id: found for found in self._silencers(labels, service, severity, now)}.values())

    def _silencers(self, labels: Labels, service: str, severity: Severity, now: datetime) -> Iterator[Silencer]:
        seen = labels_seen(labels, service, severity)
        for item in seen.items():
            yield from _fulfilled(self._by_value.get(item, ()), seen, now)
        yield from _fulfilled(self._others, seen, now)
        if self._by_service:
            yield from (window for window in self._by_service.get(name_key(service), ()) if in_force(window, now))

    def _add(self, silencer: Silencer, matchers: Sequence[Matcher]) -> None:
        if not matchers:
            return  # a window for services alone
        exact = next((m for m in matchers if not (m.regex or m.negative) and m.value), None)
        found = self._others if exact is None else self._by_value.setdefault((exact.label, exact.value), [])
        found.append((silencer, test_of(matchers)))


def _fulfilled(candidates: Iterable[_Candidate], seen: Labels, now: datetime) -> Iterator[Silencer]:
    return (silencer for silencer, test in candidates if in_force(silencer, now) and test(seen))
