"""Silences as Alertmanager's API, version 2, takes them: what amtool and Grafana post."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from opsgraph.domains.alerts.formats.bodies import decoded, storable
from opsgraph.domains.alerts.formats.instants import stated
from opsgraph.domains.alerts.model import Matcher, SilenceInput
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

_NO_COMMENT = "(no comment)"


class _Matcher(msgspec.Struct, rename={"is_regex": "isRegex", "is_equal": "isEqual"}):
    name: str
    value: str
    is_regex: bool = False
    is_equal: bool | None = True


class _Silence(msgspec.Struct, rename={"starts_at": "startsAt", "ends_at": "endsAt", "created_by": "createdBy"}):
    matchers: list[_Matcher]
    ends_at: str
    starts_at: str | None = None
    created_by: str | None = None
    comment: str | None = None
    id: str | None = None


_SILENCE = msgspec.json.Decoder(_Silence)


@dataclass(frozen=True, slots=True)
class PostedSilence:
    """A silence to make, or, with an id, to change; and who says to have made it, if anybody."""

    id: UUID | None
    wanted: SilenceInput
    created_by: str | None


def read_silence(body: bytes) -> PostedSilence:
    """Read a silence.

    Raises:
        Invalid: the body is not JSON, or not a silence; names the place.
    """
    silence = decoded(_SILENCE, storable(body))
    ends_at = stated(silence.ends_at, "endsAt")
    if ends_at is None:
        raise Invalid("endsAt is missing", "endsAt")
    wanted = SilenceInput(
        matchers=tuple(Matcher(m.name, m.value, m.is_regex, m.is_equal is False) for m in silence.matchers),
        reason=(silence.comment or "").strip() or _NO_COMMENT,
        ends_at=ends_at,
        starts_at=stated(silence.starts_at, "startsAt"),
    )
    return PostedSilence(
        silence_id(silence.id) if silence.id else None, wanted, (silence.created_by or "").strip() or None
    )


def silence_id(text: str) -> UUID:
    """Read the id of a silence.

    Raises:
        Invalid: it is not a UUID.
    """
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(f"silence id {shown(text)} is not a UUID", "id") from error
