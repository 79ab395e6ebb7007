"""Time-ordered ids: UUID version 7 (RFC 9562, section 5.7)."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

_RANDOM_BITS = 74
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

RandomBits = Callable[[int], int]


def uuid7(now: datetime, random_bits: RandomBits = secrets.randbits) -> UUID:
    """Make a version 7 UUID: 48 bits of Unix milliseconds, version, then 74 random bits around the variant.

    Args:
        now: the aware instant that the id sorts by.
        random_bits: source of ``n`` random bits; a seeded one makes ids reproducible.
    """
    milliseconds = (now - _EPOCH) // _MILLISECOND & ((1 << 48) - 1)
    noise = random_bits(_RANDOM_BITS)
    high = (milliseconds << 16) | (0x7 << 12) | (noise >> 62)
    low = (0b10 << 62) | (noise & ((1 << 62) - 1))
    return UUID(int=(high << 64) | low)
