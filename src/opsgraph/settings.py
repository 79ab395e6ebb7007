"""One frozen `Settings`, read once from the environment and passed as an argument."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

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
    evaluate_seconds: int = 60
    retention_events_days: int = 30
    shutdown_seconds: int = 10

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read every setting that the environment names; the rest keep their defaults.

        Raises:
            SettingsError: a number is not one, or a value is not among those accepted.
        """
        values: dict[str, str | int] = {}
        for field in fields(cls):
            name = PREFIX + field.name.upper()
            if name in environment:
                values[field.name] = _read(name, environment[name], numeric=isinstance(field.default, int))
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
}


def _read(name: str, text: str, *, numeric: bool) -> str | int:
    if not numeric:
        return text
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))
    if not digits or not 1 <= int(text) <= LARGEST_NUMBER:
        raise SettingsError(f"{name} takes a whole number from 1 to {LARGEST_NUMBER}, not {text[:60]!r}")
    return int(text)
