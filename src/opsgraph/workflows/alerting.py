"""Taking in alerts: one bulk path for one report or a thousand.

    look        which of the reports tell of an alert that fires, or of one that a person resolved not long ago
    lock        the slots of what is new or gets worse, then the incidents that are concerned, then look again
    fire        new alerts get an incident and are stored; incidents whose alerts got worse get worse
    end         alerts that are over end; what a source acknowledges is acknowledged
    repeat      what fires already is counted, last, in the order of ids

The number of statements is the same however many reports there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from opsgraph.domains.alerts.commands import absorbing
from opsgraph.domains.alerts.commands.absorbing import Repeat
from opsgraph.domains.alerts.model import (
    Action,
    Alert,
    AlertChanged,
    AlertEventKind,
    AlertOutcome,
    AlertStatus,
    ResolvedBy,
    Severity,
    Taken,
)
from opsgraph.domains.alerts.queries import firing, silences
from opsgraph.domains.alerts.queries.alerts import alerts_by_id
from opsgraph.domains.alerts.rules.absorbing import Ended, Folded, Known, arrived, is_same_episode, makes_incident
from opsgraph.domains.alerts.rules.silencing import CompiledSilences
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.incidents.commands import correlating
from opsgraph.domains.incidents.commands.correlating import Worse
from opsgraph.domains.incidents.model import IncidentStatus, Slot
from opsgraph.domains.incidents.rules.acceptance import badness
from opsgraph.kernel.text import name_key
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.correlating import Alerting, Locked, Placed, lock, place, slot_of
from opsgraph.workflows.ending import acknowledge, end, slots_of_ending
from opsgraph.workflows.followers import follow


@dataclass(slots=True)
class Round:
    """A round of reports, no alert twice, on its way through the steps.

    Attributes:
        batch: the reports by fingerprint.
        known: what fires of them.
        ended: what a person resolved of them not long ago.
        taken: what became of each report, by its place in the batch.
        missed: reports of alerts that ended while they were taken in; they are for a round of their own.
    """

    batch: dict[str, Folded]
    known: dict[str, Known] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    taken: dict[int, Taken] = field(default_factory=dict)
    missed: list[Folded] = field(default_factory=list)

    def of(self, action: Action) -> list[Folded]:
        """The reports that want this."""
        return [folded for folded in self.batch.values() if folded.report.action is action]

    def known_of(self, action: Action) -> list[tuple[Folded, Known]]:
        """Those of them whose alert fires, with what is known of it."""
        found = ((folded, self.known.get(folded.report.fingerprint)) for folded in self.of(action))
        return [(folded, known) for folded, known in found if known is not None]

    def wants_more(self) -> bool:
        """Whether there is more to do than to count repeats."""
        return any(
            f.report.action is not Action.FIRE or f.report.fingerprint not in self.known for f in self.batch.values()
        )

    def fresh(self) -> list[Folded]:
        """The reports of alerts that neither fire nor are the same episode as one that a person resolved."""
        firing_ = [folded for folded in self.of(Action.FIRE) if folded.report.fingerprint not in self.known]
        return [f for f in firing_ if not is_same_episode(f.report, self.ended.get(f.report.fingerprint))]

    def became(self, folded: Folded, first: Taken, others: Taken | None = None) -> None:
        """Note what became of a report and of those folded into it."""
        for place_ in folded.places:
            self.taken[place_] = first if place_ == folded.places[0] else others or first


async def take(tx: Tx, batch: Sequence[Folded], alerting: Alerting) -> Round:
    """Take in one round of reports, in which no alert comes twice; gives what became of each.

    Raises:
        IntegrityError: another transaction stored an alert of one of the fingerprints at the same time.
    """
    current = Round({folded.report.fingerprint: folded for folded in batch})
    await _look(tx, current, alerting)
    if current.ended or current.wants_more() or _worse(current):
        await _change(tx, current, alerting)
    await _repeat(tx, current)
    return current


async def _look(tx: Tx, current: Round, alerting: Alerting) -> None:
    current.known = await firing.known_by_fingerprint(tx.connection, current.batch)
    unknown = [fingerprint for fingerprint in current.batch if fingerprint not in current.known]
    since = tx.now - alerting.policy.same_episode
    current.ended = await firing.ended_by_fingerprint(tx.connection, unknown, since)


async def _change(tx: Tx, current: Round, alerting: Alerting) -> None:
    arrivals = await _arrivals(tx, current)
    worse = _worse(current)
    resolving = {known.id: folded for folded, known in current.known_of(Action.RESOLVE)}
    calling = {folded.report.fingerprint: (folded, known) for folded, known in current.known_of(Action.ACKNOWLEDGE)}
    going = [known for _, known in current.known_of(Action.RESOLVE)]
    wanted = {slot_of(alert) for alert in arrivals.values()}
    wanted |= {Slot(known.service_key, folded.report.severity) for folded, known in worse}
    wanted |= await slots_of_ending(tx, going, alerting.policy)
    concerned = [*going, *(known for _, known in worse), *(known for _, known in calling.values())]
    locked = await lock(tx, wanted, {k.incident_id for k in concerned if k.incident_id is not None}, alerting.policy)
    arrivals = await _still_new(tx, current, arrivals)
    await _lock_alerts(tx, current, worse, going)
    await _fire(tx, current, arrivals, await _risen(tx, current, worse), locked, alerting)
    locked.note(await correlating.worsen(tx, _worsening(worse, locked)))
    await _end(tx, current, resolving, locked, alerting)
    for folded, incident in (await acknowledge(tx, calling, locked)).values():
        known = current.known[folded.report.fingerprint]
        current.became(folded, Taken(AlertOutcome.DEDUPLICATED, known.id, incident.id))
    await _count_episodes(tx, current)
    for folded in (*current.of(Action.RESOLVE), *current.of(Action.ACKNOWLEDGE)):
        if folded.places[0] not in current.taken and folded not in current.missed:
            current.became(folded, Taken(AlertOutcome.IGNORED))


async def _arrivals(tx: Tx, current: Round) -> dict[str, Alert]:
    """The alerts that are new, by fingerprint, with their services and whether they are silenced."""
    fresh = current.fresh()
    if not fresh:
        return {}
    services = await catalog_services.services_by_name(tx.connection, {folded.report.service for folded in fresh})
    quiet = CompiledSilences(
        await silences.active_silences(tx.connection, tx.now), await silences.active_windows(tx.connection, tx.now)
    )
    made = {}
    for folded in fresh:
        report = folded.report
        service = services.get(name_key(report.service))
        silencer = quiet.silencer(report.labels, report.service, report.severity, tx.now)
        seen = (service.id if service else None, silencer is not None)
        made[report.fingerprint] = arrived(report, folded.times, tx.now, tx.new_id(), seen)
    return made


async def _risen(tx: Tx, current: Round, worse: Sequence[tuple[Folded, Known]]) -> list[Alert]:
    """The alerts that had no incident while they were for information only, as severe as they are reported now.

    They are locked. One that got an incident, or ended, since it was looked for is for a round of its own.
    """
    rising = {known.id: folded for folded, known in worse if known.incident_id is None}
    found = await alerts_by_id(tx.connection, rising) if rising else {}
    risen = []
    for id_, folded in sorted(rising.items()):
        alert = found[id_]
        if alert.status is AlertStatus.FIRING and alert.incident_id is None:
            risen.append(replace(alert, severity=folded.report.severity))
        else:
            current.missed.append(folded)
    return risen


async def _still_new(tx: Tx, current: Round, arrivals: dict[str, Alert]) -> dict[str, Alert]:
    """Those that are new now that the slots are locked: another process may have stored some meanwhile."""
    if tx.connection.dialect.name == "sqlite":
        return arrivals  # which has one writer at a time
    current.known |= await firing.known_by_fingerprint(tx.connection, arrivals)
    return {fingerprint: alert for fingerprint, alert in arrivals.items() if fingerprint not in current.known}


async def _fire(
    tx: Tx, current: Round, arrivals: dict[str, Alert], risen: Sequence[Alert], locked: Locked, alerting: Alerting
) -> None:
    """Store what is new; give it, and what has got worse without one, its incident."""
    candidates = (*arrivals.values(), *risen)
    reporters = {alert.id: current.batch[alert.fingerprint].report.reporter for alert in candidates}
    placed = await place(tx, [a for a in candidates if makes_incident(a, alerting.policy)], reporters, locked)
    stored = [_of_incident(alert, placed) for alert in arrivals.values()]
    await absorbing.store(tx, stored)
    await absorbing.give_incidents(
        tx, {alert.id: placed.incidents[alert.id].id for alert in risen if alert.id in placed.incidents}
    )
    for alert in stored:
        tx.record(AlertChanged(AlertEventKind.FIRED, alert))
    for alert in (*stored, *(_of_incident(alert, placed) for alert in risen)):
        outcome = _outcome(alert, opened=alert.id in placed.openers)
        again = Taken(AlertOutcome.DEDUPLICATED, alert.id, alert.incident_id)
        current.became(current.batch[alert.fingerprint], Taken(outcome, alert.id, alert.incident_id), again)
    await follow(tx, alerting.followers, placed.opened)


def _of_incident(alert: Alert, placed: Placed) -> Alert:
    incident = placed.incidents.get(alert.id)
    return replace(alert, incident_id=incident.id) if incident else alert


async def _lock_alerts(tx: Tx, current: Round, worse: Sequence[tuple[Folded, Known]], going: Sequence[Known]) -> None:
    """Lock all that is to change at once, in one order; where there are repeats alone, counting them locks them."""
    if going or current.ended or any(known.incident_id is None for _, known in worse):
        known, ended = current.known.values(), current.ended.values()
        await absorbing.lock(tx, [*(each.id for each in known), *(each.id for each in ended)])


async def _end(tx: Tx, current: Round, resolving: Mapping[UUID, Folded], locked: Locked, alerting: Alerting) -> None:
    reporters = {id_: folded.report.reporter for id_, folded in resolving.items()}
    ends = {id_: folded.report.ends_at for id_, folded in resolving.items() if folded.report.ends_at is not None}
    ended = await end(tx, reporters, ResolvedBy.SOURCE, locked, alerting.policy, ends)
    for alert in ended:
        current.became(resolving[alert.id], Taken(AlertOutcome.RESOLVED, alert.id, alert.incident_id))
    # What a person has resolved meanwhile is an episode that this ends, too: looked at again in a round of its own.
    gone = resolving.keys() - {alert.id for alert in ended}
    current.missed += [resolving[id_] for id_ in sorted(gone)]


async def _count_episodes(tx: Tx, current: Round) -> None:
    """Count what belongs to an episode that a person has ended; a source that resolves it, too, ends the episode."""
    counted: dict[UUID, int] = {}
    for folded in current.of(Action.FIRE):
        ended = current.ended.get(folded.report.fingerprint)
        if folded.report.fingerprint not in current.known and ended and is_same_episode(folded.report, ended):
            counted[ended.id] = folded.times
            current.became(folded, Taken(AlertOutcome.IGNORED, ended.id, ended.incident_id))
    await absorbing.count_again(tx, counted)
    over = [current.ended.get(folded.report.fingerprint) for folded in current.of(Action.RESOLVE)]
    await absorbing.close_episodes(tx, [ended.id for ended in over if ended])


async def _repeat(tx: Tx, current: Round) -> None:
    repeated = [(folded, known) for folded, known in current.known_of(Action.FIRE) if folded not in current.missed]
    repeats = [Repeat(k.id, f.times, f.report.severity, f.report.ends_at) for f, k in repeated]
    counted = await absorbing.repeat(tx, repeats)
    for folded, known in repeated:
        if folded.places[0] in current.taken:
            continue
        if known.id in counted:
            current.became(folded, Taken(AlertOutcome.DEDUPLICATED, known.id, known.incident_id))
        else:
            current.missed.append(folded)


def _worse(current: Round) -> list[tuple[Folded, Known]]:
    """The reports that make an alert worse than it was."""
    return [(f, k) for f, k in current.known_of(Action.FIRE) if _is_worse(f.report.severity, k.severity)]


def _worsening(worse: Sequence[tuple[Folded, Known]], locked: Locked) -> list[Worse]:
    """The incidents that get worse: to the worst severity that one of their alerts was reported with."""
    found: dict[UUID, Worse] = {}
    for folded, known in sorted(worse, key=lambda each: badness(each[0].report.severity)):
        incident = locked.incidents.get(known.incident_id) if known.incident_id else None
        severity = folded.report.severity
        if incident and incident.status is not IncidentStatus.RESOLVED and _is_worse(severity, incident.severity):
            found[incident.id] = Worse(incident, severity, folded.report.reporter)
    return list(found.values())


def _is_worse(severity: Severity, than: Severity) -> bool:
    return badness(severity) > badness(than)


def _outcome(alert: Alert, *, opened: bool) -> AlertOutcome:
    if alert.incident_id is not None:
        return AlertOutcome.NEW_INCIDENT if opened else AlertOutcome.ATTACHED
    return AlertOutcome.SILENCED if alert.silenced else AlertOutcome.IGNORED
