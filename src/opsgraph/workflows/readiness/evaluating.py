"""Judging services: what is known is read, judged outside any transaction, and stored where it still holds."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.commands import judging
from opsgraph.domains.readiness.model.expressions import Evaluated, Expressions
from opsgraph.domains.readiness.model.policies import CheckInput, Policy
from opsgraph.domains.readiness.model.standings import Evaluation, Said
from opsgraph.domains.readiness.model.verdicts import CheckResult, Judgement, Verdict
from opsgraph.domains.readiness.queries.states import due_services, standings_by_service
from opsgraph.domains.readiness.queries.verdicts import results_text
from opsgraph.domains.readiness.rules import checking, deciding, manifests
from opsgraph.domains.readiness.rules import expressions as rules
from opsgraph.kernel.actor import SYSTEM, Actor
from opsgraph.kernel.clock import Clock
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.kernel.text import shown
from opsgraph.storage.database import Database
from opsgraph.storage.failures import is_passing
from opsgraph.workflows.readiness import cases
from opsgraph.workflows.readiness.cases import Case, Docket
from opsgraph.workflows.readiness.facts import SECTIONS

AT_ONCE = 1_000
"""How many services one pass judges."""

_TRIES = 3
_AFTER_FAILURE = timedelta(minutes=10)
_AFTER_OTHERS = timedelta(seconds=10)
_NEVER = datetime.min.replace(tzinfo=UTC)
_BETWEEN_OTHERS = 20
_FIELDS = manifests.fields(SECTIONS)
_log = structlog.get_logger("opsgraph.readiness")


class Readiness:
    """Judges the readiness of services.

    Attributes:
        expressions: what compiles and evaluates the expressions of checks.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        expressions: Expressions,
        currency: str = "USD",
        every: timedelta = timedelta(hours=1),
    ) -> None:
        self.expressions = expressions
        self._database = database
        self._clock = clock
        self._currency = currency
        self._every = every

    async def accept(self, wanted: CheckInput) -> None:
        """Compile the expression that a check is to have.

        Raises:
            Invalid: it cannot be used; says where.
        """
        if not isinstance(wanted.expression, str):
            return
        try:
            await self.expressions.check(rules.accepted(wanted.expression), _FIELDS)
        except Invalid as refusal:
            raise Invalid(refusal.message, "expression", refusal.details) from refusal

    async def evaluate(self, service_name: str, actor: Actor) -> Verdict:
        """Judge a service now; always a verdict of its own.

        Where its facts change each time while it is judged, it is judged by those that were read last, and stays due.

        Raises:
            NotFound: there is no such service.
            Conflict: it is archived, or too few checks apply to it.
        """
        service = await self._known(service_name, actor)
        for left in reversed(range(_TRIES)):
            now = self._clock.now()
            docket = await self._read([service.id], now)
            (evaluation,) = await self._judge(docket, wanted=True, insistent=left == 0)
            async with self._database.transaction(actor, now) as tx:
                verdict = (await judging.store(tx, [evaluation])).get(service.id)
            if evaluation.refusal is not None:
                raise Conflict(evaluation.refusal, "service")
            if verdict is not None:
                return verdict
        raise AssertionError("what is insisted on is stored")

    async def tick(self, now: datetime) -> int:
        """Judge the services that are due, as many as one pass takes; gives how many are done with.

        A verdict is stored where it says something else than the last one. A service that cannot be judged is logged,
        looked at again later, and stops nobody else. One whose facts changed meanwhile stays due. One whose expressions
        nobody got to, because those of others cost too many processes, keeps what it has, and is due again soon.
        """
        async with self._database.reading() as session:
            due = await due_services(session, now, AT_ONCE)
        return await self._pass(due, now) if due else 0

    async def _known(self, name: str, actor: Actor) -> Service:
        """The service, which is judged whenever its facts change from now on."""
        async with self._database.reading() as session:
            service = await catalog_services.require_service(session, name)
            standings = await standings_by_service(session, [service.id])
        if service.archived_at is not None:
            raise Conflict(f"service {shown(service.name)} is archived; restore it first", "service")
        if service.id not in standings:
            async with self._database.transaction(actor, self._clock.now()) as tx:
                await judging.begin(tx, service)
        return service

    async def _pass(self, ids: Sequence[UUID], now: datetime) -> int:
        try:
            docket = await self._read(ids, now)
            evaluations = await self._judge(docket)
            left = docket.cases.keys() - {evaluation.service_id for evaluation in evaluations}
            async with self._database.transaction(SYSTEM, now) as tx:
                stored = await judging.store(tx, evaluations)
            if left:
                async with self._database.transaction(SYSTEM, now) as tx:  # of its own: locks are taken in one order
                    await judging.put_off(tx, left, _AFTER_OTHERS)
            return len(stored)
        except Exception as error:
            if is_passing(error):
                raise  # the database is away, which is nobody's fault among the services
            return await self._apart(ids, now)

    async def _apart(self, ids: Sequence[UUID], now: datetime) -> int:
        """Find the one that cannot be judged: either half by itself, until it is alone."""
        if len(ids) > 1:
            middle = len(ids) // 2
            return await self._pass(ids[:middle], now) + await self._pass(ids[middle:], now)
        _log.exception("readiness_not_judged", service_id=str(ids[0]))
        async with self._database.transaction(SYSTEM, now) as tx:
            await judging.put_off(tx, [ids[0]], _AFTER_FAILURE)
        return 1

    async def _read(self, ids: Collection[UUID], now: datetime) -> Docket:
        async with self._database.reading() as session:
            return await cases.read(session, ids, self._currency, now)

    async def _judge(self, docket: Docket, *, wanted: bool = False, insistent: bool = False) -> list[Evaluation]:
        evaluated = await self._evaluated(docket)
        undecided = {id_ for id_, found in evaluated.items() if any(each.undecided for each in found.values())}
        evaluations = []
        for place, (service_id, case) in enumerate(docket.cases.items(), start=1):
            if service_id in undecided and not wanted:
                continue
            judged = _judged(docket, case, evaluated.get(service_id, {}), self._every)
            evaluations.append(replace(judged, wanted=wanted, insistent=insistent))
            if place % _BETWEEN_OTHERS == 0:
                await asyncio.sleep(0)  # requests are answered meanwhile
        return evaluations

    async def _evaluated(self, docket: Docket) -> dict[UUID, dict[str, Evaluated]]:
        """What the expressions of checks come to for each service, by the name of the check.

        Those that were judged longest ago come first: where not all can be decided, it is everyone's turn in the end.
        """
        checks = {check.name: check.expression for check in docket.policy.checks if check.enabled and check.expression}
        if not checks or not docket.cases:
            return {}
        turns = sorted(docket.cases.items(), key=lambda turn: turn[1].standing.evaluated_at or _NEVER)
        bindings = [manifests.bindings(case.manifest) for _, case in turns]
        found = await self.expressions.evaluate([text for text in checks.values() if text], _FIELDS, bindings)
        return {id_: dict(zip(checks, values, strict=True)) for (id_, _), values in zip(turns, found, strict=True)}


def _judged(docket: Docket, case: Case, evaluated: Mapping[str, Evaluated], every: timedelta) -> Evaluation:
    policy, now, manifest = docket.policy, docket.now, case.manifest
    results = checking.run(policy, manifest, case.subject, case.exemptions, evaluated, now)
    judgement, refusal = _decided(policy, results)
    return Evaluation(
        service_id=case.subject.id,
        revision=case.standing.revision,
        verdict_id=case.standing.verdict_id,
        judgement=judgement,
        refusal=refusal,
        policy_version=policy.version,
        manifest=manifests.document(manifest, now),
        declaration_id=manifest.declaration_id,
        evaluated_at=now,
        due_at=min([now + every, *(exemption.ends_at for exemption in case.exemptions.values())]),
        differs=judgement is not None and _said(judgement, policy, case) != case.said,
    )


def _decided(policy: Policy, results: tuple[CheckResult, ...]) -> tuple[Judgement | None, str | None]:
    try:
        return deciding.decide(policy, results), None
    except Conflict as refusal:
        return None, refusal.message


def _said(judgement: Judgement, policy: Policy, case: Case) -> Said:
    results = results_text(judgement.results)
    return Said(judgement.decision, judgement.pass_rate, results, policy.version, case.manifest.declaration_id)
