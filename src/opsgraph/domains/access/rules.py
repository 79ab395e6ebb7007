"""What roles imply, and the one decision whether an actor may do something."""

import re
from collections.abc import Collection
from zoneinfo import available_timezones

from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.refusals import Forbidden, Invalid
from opsgraph.kernel.text import shown

IMPLIED: dict[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset(),
    Role.RESPONDER: frozenset({Role.VIEWER}),
    Role.EDITOR: frozenset({Role.VIEWER, Role.RESPONDER}),
    Role.APPROVER: frozenset({Role.VIEWER}),
    Role.ADMIN: frozenset(Role),
    Role.INGEST: frozenset(),
}
"""The roles that holding a role brings with it. `INGEST` posts facts and reads nothing."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets


def held(actor: Actor) -> frozenset[Role]:
    """Every role an actor has, granted or implied."""
    return actor.roles.union(*(IMPLIED[role] for role in actor.roles))


def require(actor: Actor, any_of: Collection[Role], action: str) -> None:
    """Let an actor pass who holds one of the roles.

    Raises:
        Forbidden: none of them is held; names the action and the roles that would do.
    """
    if held(actor).isdisjoint(any_of):
        names = sorted(role.value for role in any_of)
        raise Forbidden(
            f"{action} needs the role {' or '.join(names)}, which {shown(actor.name)} does not have",
            details={"action": action, "anyOf": names},
        )


def email(value: str) -> str:
    """Accept something that has the shape of a mail address.

    Raises:
        Invalid: no `@` with something on either side, white space, or more than 254 characters.
    """
    if len(value) > _EMAIL_LENGTH or not _EMAIL.fullmatch(value) or not value.isprintable():
        raise Invalid(f"email {shown(value)} is not a mail address", "email")
    return value


def time_zone(value: str) -> str:
    """Accept the name of an IANA time zone, such as Europe/Lisbon.

    Raises:
        Invalid: no such zone is known here.
    """
    if value not in available_timezones():
        raise Invalid(f"time zone {shown(value)} is not an IANA zone such as Europe/Lisbon", "time_zone")
    return value
