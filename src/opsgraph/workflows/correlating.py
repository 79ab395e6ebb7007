"""Which incident alerts belong to: slots and incidents are locked in order, then alerts join or open.

Locks are taken slot, incident, alert, each kind in sorted order, by everyone: nobody waits in a circle, and no two
processes open an incident for one burst (docs/decisions/0011-slots-for-correlation.md).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from opsgraph.domains.alerts.model import Alert, AlertPolicy
from opsgraph.domains.alerts.rules.absorbing import title_of
from opsgraph.domains.incidents.commands import correlating, locking, slots
from opsgraph.domains.incidents.commands.correlating import Joined, Opening
from opsgraph.domains.incidents.model import Incident, IncidentChanged, IncidentEventKind, IncidentStatus, Slot
from opsgraph.kernel.text import name_key
from opsgraph.settings import Settings
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.followers import Follower


@dataclass(frozen=True, slots=True)
class Alerting:
    """How alerts are taken in: the numbers, and what follows a new incident."""

    policy: AlertPolicy = field(default_factory=AlertPolicy)
    followers: Sequence[Follower] = ()


def alerting_of(settings: Settings, followers: Sequence[Follower] = ()) -> Alerting:
    """How alerts are taken in, as the settings say."""
    auto_resolve = timedelta(minutes=settings.auto_resolve_minutes) if settings.auto_resolve == "on" else None
    policy = AlertPolicy(
        window=timedelta(minutes=settings.correlation_window_minutes),
        auto_resolve=auto_resolve,
        resolve_timeout=timedelta(minutes=settings.resolve_timeout_minutes) or None,
        info_incidents=settings.info_incidents == "on",
    )
    return Alerting(policy, followers)


@dataclass(frozen=True, slots=True)
class Locked:
    """What is locked: the incident that each slot's next alert joins, and every incident as it is now, by id."""

    joinable: Mapping[Slot, Incident]
    incidents: dict[UUID, Incident]

    def note(self, changed: Iterable[Incident]) -> None:
        """Remember what became of incidents: whoever changes one next goes on from there."""
        self.incidents.update((incident.id, incident) for incident in changed)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where alerts were placed.

    Attributes:
        incidents: the incident of each alert, as it is with all of them, by the alert's id.
        opened: the incidents that are new.
        openers: the alerts that opened one.
    """

    incidents: Mapping[UUID, Incident] = field(default_factory=dict)
    opened: Sequence[Incident] = ()
    openers: frozenset[UUID] = frozenset()


def slot_of(alert: Alert) -> Slot:
    """The slot that an alert is correlated in."""
    return Slot(name_key(alert.service_name), alert.severity)


async def lock(tx: Tx, wanted: Collection[Slot], incident_ids: Collection[UUID], policy: AlertPolicy) -> Locked:
    """Lock slots, then the incidents that alerts of these slots may join together with others that are named."""
    await slots.lock(tx, wanted)
    open_ids = await correlating.joinable(tx, wanted, tx.now - policy.window) if wanted else {}
    found = await locking.lock_incidents(tx, {*open_ids.values(), *incident_ids})
    # Looked at again under the lock: one may have been resolved, or have got another severity, until it was granted.
    return Locked({slot: found[id_] for slot, id_ in open_ids.items() if _is_of(found.get(id_), slot)}, found)


async def place(tx: Tx, alerts: Sequence[Alert], reporters: Mapping[UUID, str], locked: Locked) -> Placed:
    """Give each alert an incident: the open one of its slot, else a new one.

    Args:
        tx: the transaction.
        alerts: those that belong to an incident, in the order in which they came.
        reporters: who reported each, by its id.
        locked: what `lock` locked, for the slots of these alerts.
    """
    if not alerts:
        return Placed()
    by_slot: dict[Slot, list[Alert]] = {}
    for alert in alerts:
        by_slot.setdefault(slot_of(alert), []).append(alert)
    new = [slot for slot in by_slot if slot not in locked.joinable]
    opened = await correlating.open_incidents(tx, [_opening(by_slot[s], reporters) for s in new])
    incidents = {**locked.joinable, **dict(zip(new, opened, strict=True))}
    joined = {
        slot: Joined(incidents[slot], [alert.id for alert in members], reporters[members[0].id])
        for slot, members in by_slot.items()
    }
    old = [slot for slot in by_slot if slot in locked.joinable]
    counted = await correlating.attach(tx, [joined[slot] for slot in old])
    await correlating.tell_attached(tx, list(joined.values()))
    changed = {**{slot: incidents[slot] for slot in by_slot}, **dict(zip(old, counted, strict=True))}
    locked.note(changed.values())
    for slot, incident in changed.items():
        kind = IncidentEventKind.ALERT_ATTACHED if slot in locked.joinable else IncidentEventKind.CREATED
        tx.record(IncidentChanged(kind, incident))
    return Placed(
        {alert.id: changed[slot] for slot, members in by_slot.items() for alert in members},
        [changed[slot] for slot in new],
        frozenset(by_slot[slot][0].id for slot in new),
    )


def _opening(alerts: Sequence[Alert], reporters: Mapping[UUID, str]) -> Opening:
    first = alerts[0]
    return Opening(
        title=title_of(first.message),
        service_name=first.service_name,
        service_id=first.service_id,
        severity=first.severity,
        source=first.source,
        reporter=reporters[first.id],
        alert_count=len(alerts),
    )


def _is_of(incident: Incident | None, slot: Slot) -> bool:
    if incident is None or incident.status is IncidentStatus.RESOLVED:
        return False
    return Slot(incident.service_key, incident.severity) == slot
