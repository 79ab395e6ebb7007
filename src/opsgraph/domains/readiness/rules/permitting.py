"""What people may decide beside a verdict: overrides and exemptions, always two people and never for ever.

    override:   PENDING -> APPROVED -> REVOKED, or ENDED when it expires or a new blocker appears
                PENDING -> REJECTED, REVOKED, or ENDED when it expires

Nothing leaves REJECTED, REVOKED or ENDED.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from opsgraph.domains.readiness.model.overrides import Exemption, Override, OverrideState
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.refusals import Conflict, Forbidden, Invalid
from opsgraph.kernel.text import free_text, name_key, shown

LONGEST_OVERRIDE = timedelta(days=90)
LONGEST_EXEMPTION = timedelta(days=366)

EXPIRED = "expired"
"""Why something ended whose time was over."""


def accept_override(decision: ReadinessDecision, reason: str, expires_at: datetime, now: datetime) -> str:  # noqa: ARG001 - any decision can be asked for
    """Accept what is asked for; gives the reason as it is kept.

    Raises:
        Invalid: there is no reason, or it would not end within the next 90 days.
    """
    _ends_in_time(expires_at, "expires_at", LONGEST_OVERRIDE, now)
    return _reason(reason)


def approve(override: Override, actor_name: str, now: datetime) -> Override:
    """The override as it is once this person approves it.

    Raises:
        Conflict: it is not pending, or it would have ended already.
        Forbidden: who asked for it is who approves.
    """
    _require_open(override, "approved", now)
    _refuse_own(override.requested_by, actor_name, "an override")
    return replace(override, state=OverrideState.APPROVED, decided_by=actor_name, decided_at=now)


def reject(override: Override, actor_name: str, now: datetime, *, approving: bool) -> Override:
    """The override as it is once this person refuses it; whoever asked for it may, approver or not.

    Raises:
        Conflict: it is not pending, or it would have ended already.
        Forbidden: who acts is no approver, and did not ask for it.
    """
    _require_open(override, "rejected", now)
    if not approving and name_key(override.requested_by) != name_key(actor_name):
        by = override.requested_by
        raise Forbidden(f"only an approver rejects what {shown(by)} asked for, or {shown(by)}", None, {"by": by})
    return replace(override, state=OverrideState.REJECTED, decided_by=actor_name, decided_at=now)


def revoke(override: Override, actor_name: str, now: datetime) -> Override:
    """The override as it is once this person ends it before its time, or takes the request for it back.

    Raises:
        Conflict: it has ended already.
    """
    _require_open(override, "revoked", now, OverrideState.PENDING, OverrideState.APPROVED)
    return replace(override, state=OverrideState.REVOKED, ended_by=actor_name, ended_at=now)


def end_of(override: Override, blockers: Iterable[str], now: datetime) -> str | None:
    """Why an override ends by itself; None where it does not.

    Args:
        override: in whatever state; one that has ended already ends no more.
        blockers: the hard blockers of the verdict on its service: one that nobody knew of when it was approved ends it.
        now: as of when.
    """
    if override.state not in {OverrideState.PENDING, OverrideState.APPROVED}:
        return None
    if now >= override.expires_at:
        return EXPIRED
    new = [name for name in blockers if name not in override.blockers]
    if override.state is OverrideState.PENDING or not new:
        return None
    return f"new blocker{'s' if len(new) > 1 else ''}: {', '.join(new)}"


def accept_exemption(reason: str, ends_at: datetime, now: datetime) -> str:
    """Accept what is asked for; gives the reason as it is kept.

    Raises:
        Invalid: there is no reason, or it would not end within the next 366 days.
    """
    _ends_in_time(ends_at, "ends_at", LONGEST_EXEMPTION, now)
    return _reason(reason)


def grant(exemption: Exemption, actor_name: str, now: datetime) -> Exemption:
    """The exemption as it is once this person grants it.

    Raises:
        Conflict: it is granted already, or it has ended.
        Forbidden: who asked for it is who grants it.
    """
    if exemption.ended_at is not None or now >= exemption.ends_at:
        over = rfc3339(exemption.ended_at or exemption.ends_at)
        raise Conflict(f"the exemption from {shown(exemption.check)} ended at {over}; ask for another one", "check")
    if exemption.approved_by is not None:
        granted = f"the exemption from {shown(exemption.check)} is granted already, by {shown(exemption.approved_by)}"
        raise Conflict(granted, "check")
    if exemption.requested_by is not None:
        _refuse_own(exemption.requested_by, actor_name, "an exemption")
    return replace(exemption, approved_by=actor_name, approved_at=now)


def _require_open(override: Override, wish: str, now: datetime, *states: OverrideState) -> None:
    allowed = states or (OverrideState.PENDING,)
    if override.state not in allowed:
        which = " or ".join(state.value for state in allowed)
        raise Conflict(
            f"the override is {override.state.value}; only one that is {which} can be {wish}",
            "service",
            {"state": override.state.value, "allowed": [state.value for state in allowed]},
        )
    if now >= override.expires_at:
        over = rfc3339(override.expires_at)
        raise Conflict(f"the override that was asked for expired at {over}; ask for another one", "service")


def _refuse_own(requested_by: str, actor_name: str, what: str) -> None:
    if name_key(requested_by) == name_key(actor_name):
        raise Forbidden(
            f"{shown(actor_name)} asked for {what} and cannot approve it; another approver has to",
            None,
            {"by": requested_by},
        )


def _ends_in_time(at: datetime, field: str, longest: timedelta, now: datetime) -> None:
    if at <= now:
        raise Invalid(f"{field} is {rfc3339(at)}; it takes an instant in the future", field)
    if at - now > longest:
        latest = rfc3339(now + longest)
        raise Invalid(f"{field} is {rfc3339(at)}; at most {longest.days} days from now, until {latest}", field)


def _reason(text: str) -> str:
    reason = free_text(text.strip(), "reason")
    if not reason:
        raise Invalid("reason is empty; say why, for those who read it later", "reason")
    return reason
