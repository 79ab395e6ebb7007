"""All that services are judged by, read at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance import queries as governance
from opsgraph.domains.governance.model import Answer
from opsgraph.domains.readiness.model.manifests import Declaration, Facts, Manifest
from opsgraph.domains.readiness.model.overrides import Exemption
from opsgraph.domains.readiness.model.policies import Policy, Subject
from opsgraph.domains.readiness.model.standings import Said, Standing
from opsgraph.domains.readiness.queries.exemptions import exemptions_by_service
from opsgraph.domains.readiness.queries.manifests import declarations_by_service
from opsgraph.domains.readiness.queries.policies import policy_now
from opsgraph.domains.readiness.queries.states import standings_by_service
from opsgraph.domains.readiness.queries.verdicts import said_by_service
from opsgraph.workflows.readiness import facts


@dataclass(frozen=True, slots=True)
class Case:
    """A service with all that it is judged by.

    Attributes:
        standing: where it stood before anything else was read.
        said: what its newest verdict says; None if there is none.
        exemptions: those in force, by the name of the check.
    """

    standing: Standing
    said: Said | None
    subject: Subject
    manifest: Manifest
    exemptions: Mapping[str, Exemption]


@dataclass(frozen=True, slots=True)
class Docket:
    """Services to be judged by one version of the policy, with what is known about them at one instant."""

    policy: Policy
    cases: Mapping[UUID, Case]
    now: datetime


async def read(session: AsyncConnection, ids: Collection[UUID], currency: str, now: datetime) -> Docket:
    """All that these services are judged by, in a constant number of statements; those nobody asks about are absent.

    Where they stand is read first: of what changes while the rest is read, the standing has not heard yet, and what is
    decided by a part of it is not stored.
    """
    standings = await standings_by_service(session, ids)
    said = await said_by_service(session, standings)
    policy = await policy_now(session)
    services = await catalog_services.services_by_id(session, standings)
    exempt = await exemptions_by_service(session, services, now)
    declared = await declarations_by_service(session, services)
    recorded = await governance.answers_by_service(session, services)
    measured = await facts.measured(facts.Asked(session, services, currency, now))
    cases = {
        id_: Case(
            standing=standings[id_],
            said=said.get(id_),
            subject=_subject(service, measured[id_]),
            manifest=_manifest(declared.get(id_), measured[id_], recorded.get(id_, {})),
            exemptions={each.check: each for each in exempt.get(id_, ()) if each.in_force(now)},
        )
        for id_, service in services.items()
    }
    return Docket(policy, cases, now)


def _subject(service: Service, measured: Mapping[str, Facts]) -> Subject:
    tags = measured["service"].values["tags"]
    return Subject(service.id, service.name, service.tier, service.lifecycle, tags)


def _manifest(declared: Declaration | None, measured: Mapping[str, Facts], answers: Mapping[str, Answer]) -> Manifest:
    recorded = {key: answer.passed for key, answer in answers.items()}
    recorded_at = {key: answer.recorded_at for key, answer in answers.items()}
    if declared is None:
        return Manifest({}, measured, recorded, recorded_at=recorded_at)
    return Manifest(declared.values, measured, recorded, declared.id, declared.declared_at, recorded_at)
