"""Time-ordered ids: UUID version 7 (RFC 9562, section 5.7).

From the left: 48 bits of Unix milliseconds, 4 of version, 12 with the rest of the microseconds as a fraction of a
millisecond (section 6.2, method 3), 2 of variant, and 62 of chance, of which the first 20 count within a sequence
(section 6.2, method 1).
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

_FRACTION_BITS = 12
_CHANCE_BITS = 62
_COUNT_BITS = 20
_UNCOUNTED_BITS = _CHANCE_BITS - _COUNT_BITS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

RandomBits = Callable[[int], int]


def uuid7(now: datetime, random_bits: RandomBits = secrets.randbits) -> UUID:
    """Make a version 7 UUID that sorts by its instant, to the microsecond.

    Args:
        now: the aware instant that the id sorts by, 1970 or later.
        random_bits: source of ``n`` random bits; a seeded one makes ids reproducible.
    """
    return _uuid(_ticks(now) << _CHANCE_BITS | random_bits(_CHANCE_BITS))


def ids_in_order(now: datetime, random_bits: RandomBits = secrets.randbits) -> Callable[[], UUID]:
    """Give a maker of version 7 UUIDs of one instant, each greater than the one before.

    Two sequences sort by their instants, to the microsecond; only after a million ids does one run ahead of its own, by
    a quarter of a microsecond a million.

    Args:
        now: the aware instant that the ids sort by, 1970 or later.
        random_bits: source of ``n`` random bits; a seeded one makes ids reproducible.
    """
    place = _ticks(now) << _COUNT_BITS

    def next_id() -> UUID:
        nonlocal place
        id_ = _uuid(place << _UNCOUNTED_BITS | random_bits(_UNCOUNTED_BITS))
        place += 1
        return id_

    return next_id


def earliest(instant: datetime) -> UUID:
    """The least id of an instant: in what is ordered by id, everything of then or later stands from there on."""
    return uuid7(max(instant, _EPOCH), lambda _bits: 0)


def behind(previous: UUID | None, new_id: UUID) -> UUID:
    """The new id if it sorts behind the previous one, else the next that does.

    For what is ordered by id and written by one after the other: clocks of two processes may differ by more than the
    time between them.
    """
    if previous is None or previous < new_id:
        return new_id
    return UUID(int=previous.int + 1)


def _ticks(now: datetime) -> int:
    """The instant in units of 1/4096 of a millisecond, which tell each microsecond from the next."""
    milliseconds, microseconds = divmod((now - _EPOCH) // _MICROSECOND, 1000)
    return milliseconds << _FRACTION_BITS | (microseconds << _FRACTION_BITS) // 1000


def _uuid(value: int) -> UUID:
    """Put version and variant between the 122 bits of a time and chance."""
    milliseconds, rest = divmod(value, 1 << _FRACTION_BITS + _CHANCE_BITS)
    fraction, chance = divmod(rest, 1 << _CHANCE_BITS)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | chance)
