"""The lines of a whole export as values; what does not fit names its line and its key."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from uuid import UUID

from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog.model import DeploymentInput, Lifecycle, Link, ServiceInput, TeamInput
from opsgraph.domains.governance.model import DutyInput
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.kernel.changes import Maybe
from opsgraph.kernel.documents import Document
from opsgraph.kernel.fields import Fields, TextCheck, Warn
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.text import NAME_LENGTH, free_name, free_text, shown

ValueT = TypeVar("ValueT")

Reader = Callable[[Fields, Warn], ValueT]
"""Reads one record; raises `opsgraph.kernel.fields.Misfit`."""


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user, and the names of the teams they are a member of."""

    wanted: UserInput
    teams: list[str]

    @property
    def name(self) -> str:
        """The user's name."""
        return self.wanted.name

    @property
    def origin(self) -> Maybe[str | None]:
        """The user's origin."""
        return self.wanted.origin


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service with its dependencies apart, and since when it is archived."""

    wanted: ServiceInput
    depends_on: list[str]
    archived_at: datetime | None

    @property
    def name(self) -> str:
        """The service's name."""
        return self.wanted.name

    @property
    def origin(self) -> Maybe[str | None]:
        """The service's origin."""
        return self.wanted.origin


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment and the id that it has wherever it is."""

    id: UUID
    wanted: DeploymentInput


@dataclass(frozen=True, slots=True)
class CostRecord:
    """A contribution; without a service it is unallocated."""

    service: str | None
    month: str
    currency: str
    origin: str
    billed: Decimal
    effective: Decimal | None


def document_of(line: str, file: str, number: int) -> Document | Finding:
    """A line as a document, or what is wrong with it."""
    try:
        value = json.loads(line, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        return Finding(file, number, "nested too deeply")
    except json.JSONDecodeError as error:
        return Finding(file, number, f"not valid JSON: {error.msg}, at column {error.colno}")
    except (ValueError, ArithmeticError) as error:  # a Decimal refuses what no exponent can hold
        return Finding(file, number, f"not valid JSON: {error}")
    if not isinstance(value, dict):
        return Finding(file, number, "a record is a JSON object")
    return Document(file, number, value, {})


def name_of(document: Document) -> str | None:
    """What a record is about, where a message can show it: its name, its service or its key."""
    name = next((document.value[key] for key in ("name", "service", "key") if key in document.value), None)
    return name if isinstance(name, str) and len(name) <= NAME_LENGTH and name.isprintable() else None


def team(fields: Fields, _warn: Warn) -> TeamInput:
    """Read a line of ``teams.jsonl``."""
    return TeamInput(fields.required("name", free_name), fields.checked("title", free_name), _origin(fields))


def user(fields: Fields, _warn: Warn) -> UserRecord:
    """Read a line of ``users.jsonl``."""
    wanted = UserInput(
        fields.required("name", free_name),
        email=fields.checked("email", free_name),
        time_zone=fields.checked("timeZone", free_name),
        origin=_origin(fields),
    )
    return UserRecord(wanted, _texts(fields, "teams", free_name))


def service(fields: Fields, _warn: Warn) -> ServiceRecord:
    """Read a line of ``services.jsonl``."""
    wanted = ServiceInput(
        fields.required("name", free_name),
        title=fields.checked("title", free_name),
        description=fields.checked("description", free_text),
        team=fields.checked("team", free_name),
        tier=_whole(fields, "tier"),
        lifecycle=_lifecycle(fields),
        tags=_texts(fields, "tags", free_name),
        links=[
            Link(link.required("title", free_name), link.required("url", free_text))
            for link in fields.mappings("links")
        ],
        origin=_origin(fields),
    )
    return ServiceRecord(wanted, _texts(fields, "dependsOn", free_name), _instant(fields, "archivedAt"))


def budget(fields: Fields, _warn: Warn) -> tuple[str, Decimal, str]:
    """Read a line of ``budgets.jsonl``: service, amount, currency."""
    amount = _amount(fields, "amount")
    if amount is None:
        raise fields.misfit("amount is missing")
    return fields.required("service", free_name), amount, fields.required("currency", free_name)


def cost(fields: Fields, _warn: Warn) -> CostRecord:
    """Read a line of ``costs.jsonl``."""
    billed = _amount(fields, "billed")
    if billed is None:
        raise fields.misfit("billed is missing")
    return CostRecord(
        fields.checked("service", free_name),
        fields.required("month", free_name),
        fields.required("currency", free_name),
        fields.required("origin", free_text),
        billed,
        _amount(fields, "effective"),
    )


def duty(fields: Fields, _warn: Warn) -> DutyInput:
    """Read a line of ``duties.jsonl``."""
    return DutyInput(
        fields.required("key", free_name),
        fields.required("description", free_text),
        fields.required("evidence", free_name),
        enabled=fields.flag("enabled"),
    )


def check(fields: Fields, _warn: Warn) -> tuple[str, str, bool]:
    """Read a line of ``governance.jsonl``: service, check, and whether it passes."""
    passed = fields.flag("passed")
    if passed is None:
        raise fields.misfit("passed is missing")
    return fields.required("service", free_name), fields.required("check", free_name), passed


def declaration(fields: Fields, _warn: Warn) -> ReliabilityInput:
    """Read a line of ``reliability.jsonl``."""
    return ReliabilityInput(
        fields.required("service", free_name),
        uptime_pct=_float(fields, "uptimePct"),
        mttr_minutes=_float(fields, "mttrMinutes"),
        incidents_30d=_whole(fields, "incidents30d"),
        change_failure_rate_pct=_float(fields, "changeFailureRatePct"),
    )


def manifest(fields: Fields, _warn: Warn) -> tuple[str, dict[str, object]]:
    """Read a line of ``manifests.jsonl``: service, and all that it declares."""
    values: dict[str, object] = {name: _plain(value) for name, value in fields.part("values").values.items()}
    return fields.required("service", free_name), values


def deployment(fields: Fields, _warn: Warn) -> DeploymentRecord:
    """Read a line of ``deployments.jsonl``."""
    deployed_at = _instant(fields, "deployedAt")
    if deployed_at is None:
        raise fields.misfit("deployedAt is missing")
    wanted = DeploymentInput(
        fields.required("service", free_name),
        fields.required("version", free_name),
        fields.required("environment", free_name),
        deployed_at,
        _instant(fields, "committedAt"),
        failed=fields.flag("failed") or False,
        rework=fields.flag("rework") or False,
    )
    return DeploymentRecord(_id(fields), wanted)


def _origin(fields: Fields) -> str | None:
    return fields.checked("origin", free_text)


def _texts(fields: Fields, key: str, accept: TextCheck) -> list[str]:
    return [_item(fields, key, item, accept) for _, item in fields.entries(key)]


def _item(fields: Fields, key: str, item: object, accept: TextCheck) -> str:
    if not isinstance(item, str):
        raise fields.misfit(f"{key} holds something that is not a text")
    return Fields(fields.document, {key: item}).required(key, accept)


def _lifecycle(fields: Fields) -> Lifecycle | None:
    text = fields.checked("lifecycle", free_name)
    if text is not None and text not in Lifecycle.__members__:
        raise fields.misfit(f"lifecycle {shown(text)} is not {', '.join(Lifecycle)}")
    return None if text is None else Lifecycle[text]


def _whole(fields: Fields, key: str) -> int | None:
    number = fields.number(key)
    if number is None:
        return None
    if not -(2**31) < number < 2**31 or number != int(number):
        raise fields.misfit(f"{key} is {number}, not a whole number of a sensible size")
    return int(number)


def _float(fields: Fields, key: str) -> float | None:
    number = fields.number(key)
    return None if number is None else float(number)


def _amount(fields: Fields, key: str) -> Decimal | None:
    text = fields.checked(key, free_name)
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        raise fields.misfit(f"{key} {shown(text or '')} is not a number") from None


def _instant(fields: Fields, key: str) -> datetime | None:
    text = fields.checked(key, free_name)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise fields.misfit(f"{key} {shown(text)} is not an instant such as 2024-09-01T00:00:00Z")


def _id(fields: Fields) -> UUID:
    text = fields.required("id", free_name)
    try:
        return UUID(text)
    except ValueError:
        raise fields.misfit(f"id {shown(text)} is not a UUID") from None


def _plain(value: object) -> object:
    """The same with floats for numbers that are not whole, as JSON elsewhere has them."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return float(value) if isinstance(value, Decimal) else value


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number")
