"""What roles imply, the one decision whether an actor may do something, and what makes a key."""

import re
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from string import ascii_lowercase, ascii_uppercase, digits
from zoneinfo import available_timezones

from opsgraph.domains.access.model import ApiKey
from opsgraph.kernel.actor import LOCAL, SYSTEM, Actor, Role
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.refusals import Forbidden, Invalid
from opsgraph.kernel.text import free_name, name_key, shown

IMPLIED: dict[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset(),
    Role.RESPONDER: frozenset({Role.VIEWER}),
    Role.EDITOR: frozenset({Role.VIEWER, Role.RESPONDER}),
    Role.APPROVER: frozenset({Role.VIEWER}),
    Role.ADMIN: frozenset(Role),
    Role.INGEST: frozenset(),
}
"""The roles that holding a role brings with it. `INGEST` posts facts and reads nothing."""

SECRET_BITS = 256
"""How much chance there is in a secret."""

ROUTING_LENGTH = 32
"""How many characters of a secret are its routing key, for senders that have room for no more: 190 bits of chance."""

_MARK = "ogk_"
"""What every secret begins with, so that scanners of repositories and logs know one when they see it."""

_DIGITS = digits + ascii_uppercase + ascii_lowercase
_LENGTH = 43
_SHOWN = 6
_SECRET = re.compile(rf"{_MARK}[0-9A-Za-z]{{{_LENGTH}}}", re.ASCII)
_ROUTING_KEY = re.compile(rf"[0-9A-Za-z]{{{ROUTING_LENGTH}}}", re.ASCII)
_RESERVED = {name_key(actor.name) for actor in (LOCAL, SYSTEM)}

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


def require_service(actor: Actor, service: str | None, action: str) -> None:
    """Let an actor who is bound to a service pass with what is about that service, and anybody else with anything.

    Raises:
        Forbidden: it is about another one, or about none.
    """
    if actor.service is not None and (service is None or name_key(service) != name_key(actor.service)):
        about = "nothing else" if service is None else f"not about {shown(service)}"
        raise Forbidden(
            f"{shown(actor.name)} is bound to the service {shown(actor.service)}: {action} is for that, {about}",
            details={"action": action, "service": actor.service},
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


def key_name(value: str) -> str:
    """Accept the name of a new key, under which its holders act.

    Raises:
        Invalid: it is no name, or one under which opsgraph itself acts.
    """
    name = free_name(value)
    if name_key(name) in _RESERVED:
        raise Invalid(f"name {shown(name)} is reserved: opsgraph itself acts under it", "name")
    return name


def key_roles(roles: Collection[Role], *, bound: bool) -> tuple[Role, ...]:
    """Accept the roles of a new key, each once, in the order in which roles are declared.

    Raises:
        Invalid: there is none; or the key is bound to a service and would do more than post facts, which no service
            bounds.
    """
    if not roles:
        raise Invalid("roles is empty; a key has at least one", "roles")
    if bound and set(roles) != {Role.INGEST}:
        raise Invalid("a key that is bound to a service has the role INGEST and no other", "roles")
    return tuple(role for role in Role if role in roles)


def key_expiry(at: datetime | None, now: datetime) -> datetime | None:
    """Accept the instant at which a new key expires.

    Raises:
        Invalid: it has passed already.
    """
    if at is not None and at <= now:
        raise Invalid(f"expires_at is {rfc3339(at)}; a key expires in the future", "expires_at")
    return at


def refused_because(key: ApiKey, now: datetime) -> str | None:
    """Why a key is refused that was issued once: `revoked` or `expired`; None if it is good."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else None


def secret_of(chance: int) -> str:
    """What a new key is presented by: `ogk_`, and `SECRET_BITS` bits of chance as 43 letters and digits."""
    written = []
    for _ in range(_LENGTH):
        chance, digit = divmod(chance, len(_DIGITS))
        written.append(_DIGITS[digit])
    return _MARK + "".join(written)


def looks_like_secret(text: str) -> bool:
    """Whether a text has the shape of a secret: no other needs to be looked up."""
    return _SECRET.fullmatch(text) is not None


def looks_like_routing_key(text: str) -> bool:
    """Whether a text has the shape of a routing key."""
    return _ROUTING_KEY.fullmatch(text) is not None


def routing_key_of(secret: str) -> str:
    """The part of a secret that stands behind `ogk_`, for senders of alerts whose field for a key takes no more."""
    return secret.removeprefix(_MARK)[:ROUTING_LENGTH]


def prefix_of(secret: str) -> str:
    """The beginning of a secret that may be shown."""
    return secret[: len(_MARK) + _SHOWN]


def hash_of(secret: str) -> str:
    """What is kept of a secret. Of so much chance a fast hash gives nothing away, and each request needs it."""
    return sha256(secret.encode()).hexdigest()
