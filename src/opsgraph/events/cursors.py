"""Cursors of feeds: opaque to clients, and made of the log's id and a place in it."""

import base64
import binascii
from uuid import UUID

from opsgraph.events.log import LogState
from opsgraph.kernel.refusals import CursorExpired, Invalid

_PLACE_BYTES = 8
_BYTES = 16 + _PLACE_BYTES
EXPIRED = "what came after this cursor is no longer known; read again, and follow from a new cursor"
FOREIGN = (
    "this cursor is of another log of events, of another server or of a database that there was before; "
    "read again, and follow from a new cursor"
)


def write_cursor(log_id: UUID, position: int) -> str:
    """Make the cursor of a place in a log."""
    return base64.urlsafe_b64encode(log_id.bytes + position.to_bytes(_PLACE_BYTES)).decode()


def read_cursor(state: LogState, cursor: str, field: str = "after") -> int:
    """The place that a cursor stands for, in a log of which everything after it is still there.

    Raises:
        Invalid: opsgraph made no such cursor.
        CursorExpired: it is of another log, of a place that this log never reached, or of before it was pruned.
    """
    try:
        content = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid(f"{field} is not a cursor that opsgraph made", field) from error
    if len(content) != _BYTES or cursor.endswith("="):
        raise Invalid(f"{field} is not a cursor that opsgraph made", field)
    position = int.from_bytes(content[16:])
    if UUID(bytes=content[:16]) != state.log_id:
        raise CursorExpired(FOREIGN, field, {"log": "ANOTHER"})
    if not state.reaches(position):
        raise CursorExpired(EXPIRED, field)
    return position
