"""Settings are read once, from the environment, and refused with one clear line; the documents list exactly those."""

import re
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.settings import LARGEST_NUMBER, PREFIX, Settings, SettingsError
from tests.packaging import ROOT

DEFAULTS: dict[str, str | int] = {
    "database_url": "sqlite:///opsgraph.db",
    "pool_size": 10,
    "pool_overflow": 5,
    "pool_recycle_seconds": 300,
    "busy_timeout_seconds": 30,
    "auth": "auto",
    "workers": "on",
    "log_level": "info",
    "log_format": "json",
    "currency": "USD",
    "cors_origins": "",
    "graphiql": "on",
    "introspection": "on",
    "max_depth": 20,
    "max_aliases": 100,
    "max_directives": 50,
    "max_tokens": 5_000,
    "max_cost": 50_000,
    "max_body_bytes": 1_048_576,
    "max_connections": 10_000,
    "max_operations": 100,
    "grafana_secret": "",
    "correlation_window_minutes": 5,
    "auto_resolve": "off",
    "auto_resolve_minutes": 0,
    "resolve_timeout_minutes": 0,
    "info_incidents": "off",
    "evaluate_seconds": 60,
    "readiness_seconds": 3_600,
    "retention_events_days": 30,
    "retention_readiness_days": 400,
    "retention_audit_days": 400,
    "shutdown_seconds": 10,
}
CHOICES = {
    "auth": ["auto", "required"],
    "workers": ["on", "off"],
    "log_level": ["debug", "info", "warning", "error"],
    "log_format": ["json", "console"],
    "graphiql": ["on", "off"],
    "introspection": ["on", "off"],
    "auto_resolve": ["off", "on"],
    "info_incidents": ["off", "on"],
}
FROM_ZERO = {"auto_resolve_minutes", "resolve_timeout_minutes"}
NUMBERS = [name for name, default in DEFAULTS.items() if isinstance(default, int)]
VALUES = st.text(max_size=12) | st.integers(0, 100).map(str) | st.sampled_from(["auto", "on", "off", "info", "json"])
TEXTS = [name for name in DEFAULTS if name not in NUMBERS and name not in CHOICES]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def in_short(value: str) -> str:
    """A value in the name of a test."""
    return ascii(value[:8])


def read(name: str, value: str) -> Any:
    """A setting as read from the environment, where it is the only one."""
    return getattr(Settings.from_environment({variable(name): value}), name)


def test_what_nobody_set_has_its_default() -> None:
    """As documented; what is not ours in the environment is not looked at."""
    settings = Settings.from_environment({"PATH": "/bin", "DATABASE_URL": "mysql://", "opsgraph_auth": "none"})
    assert {field.name: getattr(settings, field.name) for field in fields(Settings)} == DEFAULTS
    assert settings == Settings()


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    """Every whole number from 1 to what fits 32 bits."""
    assert [read(name, text) for text in ("1", "07", str(LARGEST_NUMBER))] == [1, 7, LARGEST_NUMBER]


@pytest.mark.parametrize("name", sorted(FROM_ZERO))
def test_numbers_that_may_be_zero(name: str) -> None:
    """Which means at once, or never."""
    assert read(name, "0") == 0


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    ["", "0", "-1", "+1", "1.5", "1e3", "1_000", " 1", "1\n", "many", "٣", "²", "0x10", str(2**31), "9" * 5_000],
    ids=in_short,
)
def test_what_is_no_such_number_is_refused(name: str, value: str) -> None:
    """With the variable and the range, and not with pages of digits."""
    if value == "0" and name in FROM_ZERO:
        value = "-0"
    least = 0 if name in FROM_ZERO else 1
    range_ = f"a whole number from {least} to 2147483647"
    with pytest.raises(SettingsError, match=f"^{variable(name)} takes {range_}, not ") as caught:
        read(name, value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("name", "choice"), [(name, choice) for name, choices in CHOICES.items() for choice in choices]
)
def test_choices(name: str, choice: str) -> None:
    """Each of those documented."""
    assert read(name, choice) == choice


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["", "ON", " on", "yes", "true", "1", "x" * 5_000], ids=in_short)
def test_what_is_no_choice_is_refused(name: str, value: str) -> None:
    """With the variable and what it takes."""
    with pytest.raises(SettingsError, match=f"^{variable(name)} takes {' or '.join(CHOICES[name])}, not ") as caught:
        read(name, value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", TEXTS)
@given(value=st.text())
def test_texts_are_taken_as_they_are(name: str, value: str) -> None:
    """Whoever uses them judges them."""
    assert read(name, value) == value


@given(st.dictionaries(st.sampled_from([variable(name) for name in DEFAULTS]), VALUES))
def test_any_environment_is_read_or_refused(environment: dict[str, str]) -> None:
    """By a line that names one of its variables."""
    try:
        settings = Settings.from_environment(environment)
    except SettingsError as error:
        line = str(error)
    else:
        assert {name: str(getattr(settings, name)) for name in DEFAULTS} == given_or_default(environment)
        return
    assert line.partition(" ")[0] in environment
    assert line.isprintable()


def given_or_default(environment: dict[str, str]) -> dict[str, str]:
    """What settings are, as text; whole numbers may be given with zeros before them."""
    given_ = {name: environment.get(variable(name), str(default)) for name, default in DEFAULTS.items()}
    return {name: text.lstrip("0") or "0" if name in NUMBERS else text for name, text in given_.items()}


def test_choices_hold_in_code_too() -> None:
    """Not only for what comes from the environment."""
    with pytest.raises(SettingsError, match="OPSGRAPH_WORKERS takes on or off"):
        Settings(workers="some")


def test_a_secret_is_not_shown() -> None:
    """Settings may end up in a log."""
    assert "s3cret" not in repr(Settings(grafana_secret="s3cret"))  # pragma: allowlist secret


def test_settings_do_not_change() -> None:
    """They are read once."""
    with pytest.raises(FrozenInstanceError):
        Settings().auth = "required"  # type: ignore[misc]  # that it is refused is the point


def test_the_documentation_lists_exactly_the_settings_with_their_defaults() -> None:
    """A line each, in docs/settings.md; .env.example is looked at by tests/packaging."""
    rows = re.findall(
        r"^\| `(OPSGRAPH_\w+)` \| (.+?) \| .+ \|$", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE
    )
    assert len(rows) == len(DEFAULTS)
    assert dict(rows) == {
        variable(name): "none" if default == "" else f"`{default}`" for name, default in DEFAULTS.items()
    }


@pytest.mark.parametrize("name", CHOICES)
def test_the_documentation_names_every_choice(name: str) -> None:
    """In the line of the setting, of docs/settings.md."""
    (line,) = re.findall(rf"^\| `{variable(name)}` .*$", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert all(f"`{choice}`" in line for choice in CHOICES[name])


def test_no_setting_is_named_in_the_documents_that_does_not_exist() -> None:
    """Guides, README and examples keep to those that are read."""
    elsewhere = {
        "OPSGRAPH_URL",
        "OPSGRAPH_KEY",
        "OPSGRAPH_PORT",
        "OPSGRAPH_POSTGRES_PORT",
        "OPSGRAPH_POSTGRES_PASSWORD",
    }
    tests = {"OPSGRAPH_TEST_DATABASE", "OPSGRAPH_TEST_POSTGRES_URL", "OPSGRAPH_TEST_SCALE"}
    known = {variable(name) for name in DEFAULTS} | elsewhere | tests
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "compose.yaml", ROOT / "Dockerfile"]
    named = {(path.name, name) for path in documents for name in re.findall(r"OPSGRAPH_[A-Z_]*[A-Z]", path.read_text())}
    assert sorted((path, name) for path, name in named if name not in known) == []
