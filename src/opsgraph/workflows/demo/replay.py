"""Living through what went wrong: alerts that come and end, people who see them, silences; each at its instant."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from opsgraph.domains.alerts.commands import silences
from opsgraph.domains.alerts.model import Action, AlertReport, SilenceInput
from opsgraph.domains.alerts.rules.absorbing import rounds
from opsgraph.domains.alerts.rules.fingerprints import of_labels
from opsgraph.domains.alerts.rules.severity import severity_of
from opsgraph.domains.incidents.commands import assigning, notes
from opsgraph.domains.incidents.model import AssignInput, IncidentStatus, NoteInput, TransitionInput
from opsgraph.kernel.actor import SYSTEM, Actor, Role
from opsgraph.kernel.ids import ids_in_order
from opsgraph.storage.transactions import Tx
from opsgraph.workflows import responding
from opsgraph.workflows.alerting import take
from opsgraph.workflows.correlating import Alerting
from opsgraph.workflows.demo import troubles
from opsgraph.workflows.demo.model import Trouble, dashboard

_APART = timedelta(seconds=30)
_ENDS_BEFORE = timedelta(seconds=40)
"""How long before somebody says that it is over its alerts end."""

_PROMETHEUS = "integration:prometheus"


async def happen(tx: Tx, chance: Random) -> None:
    """Let everything happen up to the instant of the transaction. No feed tells of it: nobody followed yet."""
    for trouble in troubles.PAST:
        await _live_through(tx, trouble, chance)
    await _silence(tx, chance)
    for trouble in troubles.PRESENT:
        await _live_through(tx, trouble, chance)


async def _live_through(tx: Tx, trouble: Trouble, chance: Random) -> None:
    begun = (tx.now - trouble.ago * chance.uniform(0.95, 1.0)).replace(microsecond=0)
    incident_id = await _fire(tx, trouble, begun, chance)
    if incident_id is None or trouble.acknowledged is None or trouble.resolved is None:
        return
    seen = begun + _about(trouble.acknowledged, chance)
    over = begun + _about(trouble.resolved, chance)
    by = Actor(trouble.by, frozenset({Role.RESPONDER}))
    await responding.move(_at(tx, seen, chance, by), TransitionInput(incident_id), IncidentStatus.ACKNOWLEDGED)
    await assigning.assign(_at(tx, seen + _APART, chance, by), AssignInput(incident_id, trouble.by))
    await _report(tx, trouble, list(trouble.alerts), over - _ENDS_BEFORE, chance, Action.RESOLVE)
    await responding.move(_at(tx, over, chance, by), TransitionInput(incident_id), IncidentStatus.RESOLVED)
    if trouble.note:
        await notes.add_note(_at(tx, over + 4 * _APART, chance, by), NoteInput(incident_id, trouble.note))


async def _fire(tx: Tx, trouble: Trouble, begun: datetime, chance: Random) -> UUID | None:
    """Let the alerts come one after the other; gives the incident that they are of."""
    incident_id = None
    for place, name in enumerate(trouble.alerts):
        incident_id = await _report(tx, trouble, [name], begun + place * _APART, chance, Action.FIRE)
    return incident_id


async def _report(
    tx: Tx, trouble: Trouble, names: list[str], at: datetime, chance: Random, action: Action
) -> UUID | None:
    reports = [_alert(trouble, name, at, action) for name in names]
    incident_id = None
    for batch in rounds(reports):
        current = await take(_at(tx, at, chance), batch, Alerting())
        incident_id = current.taken[0].incident_id
    return incident_id


def _alert(trouble: Trouble, name: str, at: datetime, action: Action) -> AlertReport:
    labels = {"alertname": name, "service": trouble.service, "severity": trouble.severity, "cluster": "eu-west-1"}
    severity, recognised = severity_of(trouble.severity)
    return AlertReport(
        fingerprint=of_labels(labels),
        service=trouble.service,
        severity=severity,
        message=trouble.alerts[name],
        source="alertmanager",
        reporter=_PROMETHEUS,
        action=action,
        source_severity=trouble.severity,
        severity_recognised=recognised,
        labels=labels,
        annotations={"summary": trouble.alerts[name], "dashboard": dashboard(trouble.service)},
        starts_at=at,
        source_url=f"https://prometheus.larkspur.example/graph?g0.expr={name}",
    )


async def _silence(tx: Tx, chance: Random) -> None:
    at = tx.now - troubles.MOVE_AGO
    by = Actor(troubles.MOVE_BY, frozenset({Role.RESPONDER}))
    wanted = SilenceInput(troubles.MOVE, troubles.MOVE_REASON, at + troubles.MOVE_LASTS)
    await silences.create_silence(_at(tx, at, chance, by), wanted)


def _at(tx: Tx, at: datetime, chance: Random, actor: Actor = SYSTEM) -> Tx:
    """The transaction as of an earlier instant, with ids of that instant; what is recorded in it is told to nobody."""
    ids = ids_in_order(at, chance.getrandbits)
    return replace(tx, now=at, actor=actor, new_id=ids, recorded=[], entries=[])


def _about(time: timedelta, chance: Random) -> timedelta:
    return timedelta(seconds=round(time.total_seconds() * chance.uniform(0.9, 1.1)))
