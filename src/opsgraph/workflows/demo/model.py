"""The terms in which the demonstration is described: how much of what happened, never when.

`history` places it in time, seen from the instant at which the demonstration is loaded.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog.model import ServiceInput, TeamInput
from opsgraph.domains.cost.model import MANUAL, CostInput
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo.model import SloInput
from opsgraph.kernel.money import Money


@dataclass(frozen=True, slots=True)
class SampleTeam:
    """A team and the people in it."""

    team: TeamInput
    members: tuple[UserInput, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What was reported to an EXTERNAL SLO.

    Attributes:
        every: the time between two reports; the newest is made at the instant of loading.
        reports: how many there are.
        total: events in a report, give or take a third.
        bad: share (0-1) of them that is bad, give or take a half.
        outage_every: every so-many-th report, the newest first, tells of an outage, in which far more is bad; 0: none.
    """

    every: timedelta
    reports: int
    total: int
    bad: float
    outage_every: int = 0


@dataclass(frozen=True, slots=True)
class Objective:
    """An SLO and what was reported to it."""

    slo: SloInput
    traffic: Traffic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """Deployments to production, evenly over `history.DEPLOYED_OVER`; each failed one is repaired by one more.

    Attributes:
        major: the first number of the versions.
        count: how many, repairs aside.
        failed: which of them failed, the oldest being 0.
        lead: the usual time from commit to deployment; None where nobody keeps commit times.
    """

    major: int
    count: int
    failed: tuple[int, ...] = ()
    lead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """What was billed for a month; 1 month ago is the last one that is over."""

    months_ago: int
    amount: Decimal
    currency: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleService:
    """A service and all that is recorded about it.

    Attributes:
        service: as in the catalog; its dependencies are saved once every service is there.
        objectives: its SLOs.
        budget: what it may cost a month.
        bills: costs of months that are named.
        invoices: costs of months counted back from the present.
        metered: what it costs a month in USD, metered by the second: the current month shows what was used so far.
        releases: its deployments.
        declared: what its team says about its reliability.
        lacks: the governance checks that it fails; None where none was ever recorded.
        retired: whether it is archived.
    """

    service: ServiceInput
    objectives: tuple[Objective, ...] = ()
    budget: Money | None = None
    bills: tuple[CostInput, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    metered: Decimal | None = None
    releases: Releases | None = None
    declared: ReliabilityInput | None = None
    lacks: tuple[str, ...] | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that went wrong with a service, and what was done about it; give or take a tenth.

    Attributes:
        service: its name; not one whose reliability has to stay as declared.
        severity: the word that its monitoring uses.
        alerts: by name, what each of them says; they come half a minute apart.
        ago: how long ago the first of them came.
        acknowledged: how long after that somebody saw it; None if nobody has yet.
        resolved: how long after that it was over; None if it is not.
        by: who worked on it.
        note: what they wrote about it when it was over.
    """

    service: str
    severity: str
    alerts: dict[str, str]
    ago: timedelta
    acknowledged: timedelta | None = None
    resolved: timedelta | None = None
    by: str = ""
    note: str | None = None


def invoices(*amounts: int, currency: str = "USD", origin: str = MANUAL, last: int = 1) -> tuple[Invoice, ...]:
    """Invoices of consecutive months, oldest first; the last one is of so many months ago."""
    first = last + len(amounts) - 1
    return tuple(Invoice(first - place, Decimal(amount), currency, origin) for place, amount in enumerate(amounts))


def runbook(service: str) -> str:
    """The address of a service's runbook; the domain is reserved and leads nowhere."""
    return f"https://runbooks.larkspur.example/{service}"


def dashboard(service: str) -> str:
    """The address of a service's dashboard."""
    return f"https://dashboards.larkspur.example/d/{service}"
