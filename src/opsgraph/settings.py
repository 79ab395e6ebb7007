"""One frozen `Settings`, read once from the environment and passed as an argument."""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

PREFIX = "OPSGRAPH_"
LARGEST_NUMBER = 2**31 - 1


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names it and what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, with its default.

    Each attribute is read from ``OPSGRAPH_<NAME IN CAPITALS>``; docs/settings.md lists them all.
    """

    database_url: str = "sqlite:///opsgraph.db"
    pool_size: int = 10
    pool_overflow: int = 5
    pool_recycle_seconds: int = 300
    busy_timeout_seconds: int = 30
    auth: str = "auto"
    workers: str = "on"
    log_level: str = "info"
    log_format: str = "json"
    currency: str = "USD"
    cors_origins: str = ""
    graphiql: str = "on"
    introspection: str = "on"
    max_depth: int = 20
    max_aliases: int = 100
    max_directives: int = 50
    max_tokens: int = 5_000
    max_cost: int = 50_000
    max_body_bytes: int = 1_048_576
    max_connections: int = 10_000
    max_operations: int = 100
    grafana_secret: str = field(default="", repr=False)
    correlation_window_minutes: int = 5
    auto_resolve: str = "off"
    auto_resolve_minutes: int = 0
    resolve_timeout_minutes: int = 0
    info_incidents: str = "off"
    evaluate_seconds: int = 60
    readiness_seconds: int = 3_600
    retention_events_days: int = 30
    retention_readiness_days: int = 400
    retention_audit_days: int = 400
    shutdown_seconds: int = 10

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read every setting that the environment names; the rest keep their defaults.

        Raises:
            SettingsError: a number is not one, or a value is not among those accepted.
        """
        values: dict[str, str | int] = {}
        for each in fields(cls):
            name = PREFIX + each.name.upper()
            if name in environment:
                values[each.name] = _read(name, environment[name], each)
        return cls(**values)  # type: ignore[arg-type]  # _read gives each field the type of its default

    def __post_init__(self) -> None:
        for name, accepted in _CHOICES.items():
            if (given := getattr(self, name)) not in accepted:
                raise SettingsError(f"{PREFIX}{name.upper()} takes {' or '.join(accepted)}, not {given[:60]!r}")


_CHOICES = {
    "auth": ("auto", "required"),
    "workers": ("on", "off"),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("json", "console"),
    "graphiql": ("on", "off"),
    "introspection": ("on", "off"),
    "auto_resolve": ("off", "on"),
    "info_incidents": ("off", "on"),
}

_FROM_ZERO = frozenset({"auto_resolve_minutes", "resolve_timeout_minutes"})
"""Numbers that may be 0: at once, or never."""


def _read(name: str, text: str, setting: Field[Any]) -> str | int:
    if not isinstance(setting.default, int):
        return text
    least = 0 if setting.name in _FROM_ZERO else 1
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))
    if not digits or not least <= int(text) <= LARGEST_NUMBER:
        raise SettingsError(f"{name} takes a whole number from {least} to {LARGEST_NUMBER}, not {text[:60]!r}")
    return int(text)
