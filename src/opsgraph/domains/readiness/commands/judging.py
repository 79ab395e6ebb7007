"""Storing what services were judged to be."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.readiness.commands import locking
from opsgraph.domains.readiness.commands.ending import end_overrides
from opsgraph.domains.readiness.commands.policies import store_default
from opsgraph.domains.readiness.model.overrides import Override
from opsgraph.domains.readiness.model.standings import Evaluation, Standing
from opsgraph.domains.readiness.model.verdicts import Judgement, ReadinessChanged, ReadinessEventKind, Verdict
from opsgraph.domains.readiness.queries.texts import written
from opsgraph.domains.readiness.queries.verdicts import last_by_service, results_text
from opsgraph.domains.readiness.rules import policies as rules
from opsgraph.domains.readiness.tables import states, verdicts
from opsgraph.kernel.changes import given
from opsgraph.kernel.ids import behind
from opsgraph.storage.many import among
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_all, update_all

_JUDGED = ("verdict_id", "decision", "override_decision", "override_until", "refusal", "evaluated_at", "due_at")


async def store(tx: Tx, evaluations: Collection[Evaluation]) -> dict[UUID, Verdict | None]:
    """Store evaluations whose facts are still as they were when they were read; the other services stay due.

    A service whose evaluation is refused has no verdict from then on: what was decided before counts no more.
    A constant number of statements. A decision that differs from the one before is told, and so is an override that
    ends because it has expired or does not know a blocker.

    Args:
        tx: the transaction.
        evaluations: of services whose standing is known, each service once.

    Returns:
        by service, for those whose facts were still so: the verdict, or None where there was nothing new to say.
    """
    if any(evaluation.policy_version == rules.DEFAULT.version for evaluation in evaluations):
        await store_default(tx)
    held = await locking.standings(tx, [evaluation.service_id for evaluation in evaluations])
    current = [each for each in evaluations if each.service_id in held and _holds(each, held[each.service_id])]
    previous = await _previous(tx, held)
    made = {
        each.service_id: _verdict(tx, each, each.judgement, previous.get(each.service_id))
        for each in current
        if each.judgement is not None and (each.wanted or each.differs)
    }
    await insert_all(tx, verdicts, [_row(made[e.service_id], e) for e in current if e.service_id in made])
    ended = await end_overrides(tx, {each.service_id: each.judgement for each in current})
    after = {e.service_id: _after(held[e.service_id], e, made.get(e.service_id), ended) for e in current}
    await update_all(tx, states, [_state_row(after[id_]) for id_ in sorted(after)], key="service_id")
    for service_id in sorted(after):
        _tell(tx, held[service_id], after[service_id], ended.get(service_id))
    return {service_id: made.get(service_id) for service_id in after}


async def begin(tx: Tx, service: Service) -> None:
    """Have a service judged from now on whenever its facts change; one that is already, stays as it was."""
    await locking.standing_of_service(tx, service)


async def put_off(tx: Tx, ids: Collection[UUID], by: timedelta) -> None:
    """Let the worker look at services again only after a while."""
    await locking.standings(tx, ids)
    where = among(tx.connection, states.c.service_id, ids)
    await tx.connection.execute(update(states).where(where).values(due_at=tx.now + by))


def _holds(evaluation: Evaluation, held: Standing) -> bool:
    """Whether what was read is still so; of what nobody asked for, whether nobody else has stored it meanwhile."""
    if evaluation.insistent:
        return True
    alone = evaluation.wanted or evaluation.verdict_id == held.verdict_id
    return alone and evaluation.revision == held.revision


async def _previous(tx: Tx, held: Mapping[UUID, Standing]) -> dict[UUID, UUID]:
    """The ids that new verdicts come behind."""
    refused = [service_id for service_id, standing in held.items() if standing.refusal is not None]
    last = await last_by_service(tx.connection, refused) if refused else {}
    standing = {id_: each.verdict_id for id_, each in held.items() if each.verdict_id is not None}
    return {**{service_id: verdict.id for service_id, verdict in last.items()}, **standing}


def _verdict(tx: Tx, evaluation: Evaluation, judgement: Judgement, previous: UUID | None) -> Verdict:
    return Verdict(
        id=behind(previous, tx.new_id()),
        service_id=evaluation.service_id,
        decision=judgement.decision,
        pass_rate=judgement.pass_rate,
        policy_version=evaluation.policy_version,
        manifest=evaluation.manifest,
        results=judgement.results,
        conditions=judgement.conditions,
        to_go=judgement.to_go,
        evaluated_by=tx.actor.name,
        evaluated_at=evaluation.evaluated_at,
    )


def _row(verdict: Verdict, evaluation: Evaluation) -> dict[str, Any]:
    texts = {name: written(getattr(verdict, name)) for name in ("manifest", "conditions", "to_go")}
    row = {**given(verdict), "decision": verdict.decision.value, "manifest_id": evaluation.declaration_id}
    return {**row, **texts, "results": results_text(verdict.results)}


def _after(before: Standing, evaluation: Evaluation, made: Verdict | None, ended: Mapping[UUID, Override]) -> Standing:
    """Where a service stands now."""
    late = evaluation.revision != before.revision
    due_at = before.due_at if late else evaluation.due_at
    after = replace(before, evaluated_at=evaluation.evaluated_at, due_at=due_at)
    superseded = late and evaluation.verdict_id != before.verdict_id
    if made is not None and not superseded:
        after = replace(after, verdict_id=made.id, decision=made.decision, refusal=None)
    elif evaluation.refusal is not None and not superseded:
        after = replace(after, verdict_id=None, decision=None, refusal=evaluation.refusal)
    if before.service_id in ended:
        after = replace(after, override_decision=None, override_until=None)
    elif after.override_until is not None:
        after = replace(after, due_at=min(after.due_at, after.override_until))
    return after


def _state_row(standing: Standing) -> dict[str, Any]:
    return {"service_id": standing.service_id, **given(standing, *_JUDGED)}


def _tell(tx: Tx, before: Standing, after: Standing, ended: Override | None) -> None:
    if after.verdict_id is None or after.decision is None:
        return
    effective = after.effective(tx.now) or after.decision
    told = []
    if after.decision is not before.decision:
        told.append((ReadinessEventKind.DECISION_CHANGED, before.decision))
    if ended is not None:
        told.append((ReadinessEventKind.OVERRIDE_ENDED, ended.decision))
    for kind, previous in told:
        tx.record(
            ReadinessChanged(after.service_id, kind, after.verdict_id, after.decision, effective, previous=previous)
        )
