"""What is accepted as a silence and as a maintenance window."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from opsgraph.domains.alerts.model import (
    MaintenanceWindow,
    MaintenanceWindowInput,
    Matcher,
    Silence,
    SilenceInput,
)
from opsgraph.domains.alerts.rules import matching
from opsgraph.kernel.changes import UNSET, Maybe
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_name, free_text

MOST_SERVICES = 200


def silence(wanted: SilenceInput, now: datetime, id_: UUID, created_by: str) -> Silence:
    """Decide what a new silence is; it begins now unless it begins later.

    Raises:
        Invalid: it has no matcher, or none that an absent label does not fulfil; no reason; or it ends before it
            begins or has ended already.
    """
    starts_at = max(wanted.starts_at or now, now)
    if wanted.ends_at <= now:
        raise Invalid(f"ends_at is {rfc3339(wanted.ends_at)}; a silence ends in the future", "ends_at")
    _refuse_backwards(starts_at, wanted.ends_at)
    matchers = _matchers(wanted.matchers)
    if not matchers:
        raise Invalid("matchers is empty; a silence has at least one", "matchers")
    author = free_name(created_by, "created_by")
    return Silence(id_, matchers, _reason(wanted.reason), author, starts_at, wanted.ends_at)


def change(kept: Silence, wanted: SilenceInput, now: datetime, created_by: str) -> Silence | None:
    """Decide what a silence is after an update, as Alertmanager does; None if another has to take its place.

    It stays the same one while its matchers do and the past is left alone: one in force keeps its start, to the second,
    one that has not begun may begin at another time, and one that has ended stays as it was.

    Raises:
        Invalid: what is wanted would not be accepted as a new silence either.
    """
    starts_at = wanted.starts_at or kept.starts_at
    changed = silence(wanted, now, kept.id, created_by)
    if kept.ends_at <= now or set(kept.matchers) != set(changed.matchers):
        return None
    if kept.starts_at > now:
        return replace(changed, starts_at=starts_at) if starts_at >= now else None
    same_start = abs(kept.starts_at - starts_at) < timedelta(seconds=1)
    return replace(changed, starts_at=kept.starts_at) if same_start else None


def window(
    wanted: MaintenanceWindowInput, kept: MaintenanceWindow | None, now: datetime, id_: UUID, created_by: str
) -> MaintenanceWindow:
    """Decide what a maintenance window is after a save; what was left out stays, null clears.

    Args:
        wanted: what is to change; services are names that exist.
        kept: the window so far; None makes one, which begins now unless it says otherwise.
        now: the present.
        id_: the id of a new one.
        created_by: who makes a new one.

    Raises:
        Invalid: a value is missing or breaks a rule, it has neither services nor matchers, or it ends before it begins;
            a new one has to end in the future.
    """
    base = kept or MaintenanceWindow(id_, (), (), "", created_by, False, now, now)
    starts_at = base.starts_at if wanted.starts_at is UNSET else wanted.starts_at or now
    ends_at = _end(wanted.ends_at, kept, now)
    _refuse_backwards(starts_at, ends_at, may_be_empty=kept is not None)
    saved = replace(
        base,
        services=base.services if wanted.services is UNSET else _services(wanted.services or ()),
        matchers=base.matchers if wanted.matchers is UNSET else _matchers(wanted.matchers or ()),
        reason=_kept_reason(wanted.reason, kept),
        exclude_from_slos=base.exclude_from_slos
        if wanted.exclude_from_slos is UNSET
        else bool(wanted.exclude_from_slos),
        starts_at=starts_at,
        ends_at=ends_at,
    )
    if not saved.services and not saved.matchers:
        raise Invalid("a maintenance window is for services or for what matchers find; it has neither", "services")
    return saved


def _end(wanted: Maybe[datetime | None], kept: MaintenanceWindow | None, now: datetime) -> datetime:
    if wanted is UNSET and kept is not None:
        return kept.ends_at
    if wanted is UNSET or wanted is None:
        raise Invalid("ends_at is missing; a maintenance window has an end", "ends_at")
    if kept is None and wanted <= now:
        raise Invalid(f"ends_at is {rfc3339(wanted)}; a new maintenance window ends in the future", "ends_at")
    return wanted


def _refuse_backwards(starts_at: datetime, ends_at: datetime, *, may_be_empty: bool = False) -> None:
    if ends_at < starts_at or (ends_at == starts_at and not may_be_empty):
        raise Invalid(f"ends_at is {rfc3339(ends_at)}, which is not after the start, {rfc3339(starts_at)}", "ends_at")


def _kept_reason(wanted: Maybe[str | None], kept: MaintenanceWindow | None) -> str:
    if wanted is UNSET and kept is not None:
        return kept.reason
    return _reason("" if wanted is UNSET or wanted is None else wanted)


def _reason(value: str) -> str:
    reason = free_text(value, "reason").strip()
    if not reason:
        raise Invalid("reason is empty; others will want to know why it is quiet", "reason")
    return reason


def _services(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > MOST_SERVICES:
        raise Invalid(f"services has {len(names)} members; at most {MOST_SERVICES} are accepted", "services")
    return tuple(names)


def _matchers(wanted: Sequence[Matcher]) -> tuple[Matcher, ...]:
    checked = matching.matchers(wanted)
    if checked and not matching.says_something(checked):
        raise Invalid(
            "every matcher is fulfilled by alerts without its label; at least one has to ask for it", "matchers"
        )
    return checked
