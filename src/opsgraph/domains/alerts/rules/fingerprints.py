"""What makes two reports the same alert.

The fingerprint of labels is that of Prometheus and Alertmanager (`LabelSet.Fingerprint` in prometheus/common): FNV-1a
of 64 bits over the names and values in the order of their names, a byte 0xff after each. So an alert is one whichever
way it came.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from opsgraph.domains.alerts.model import Severity

CONTENT_LENGTH = 100
"""How many characters of a message count."""

_OFFSET = 0xCBF29CE484222325
_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF
_LONGEST_REMEMBERED = 200


def of_labels(labels: Mapping[str, str]) -> str:
    """The fingerprint of labels as 16 hexadecimal digits; labels with an empty value do not count."""
    state = _OFFSET
    for name, value in sorted(labels.items()):
        if value:
            step = _remembered if len(value) <= _LONGEST_REMEMBERED >= len(name) else _step
            factor, summand = step(state & 0xFF, name, value)
            state = state * factor + summand & _MASK
    return f"{state:016x}"


def of_content(service: str, severity: Severity, message: str) -> str:
    """The fingerprint of an alert that has no identity of its own: SHA-256, hexadecimal.

    It is over `service|severity|message`, the severity in lower case, of the message the first 100 characters.
    """
    content = f"{service}|{severity.value.lower()}|{message[:CONTENT_LENGTH]}"
    return _sha256(_utf8(content))


def scoped(*parts: str) -> str:
    """The fingerprint of an identity that holds within something: SHA-256, hexadecimal.

    Each part counts with its length, so that no other parts give the same; a secret among them cannot be read from it.
    """
    return _sha256(b"".join(_measured(_utf8(part)) for part in parts))


def _step(low: int, name: str, value: str) -> tuple[int, int]:
    """What hashing a label does to a state whose low byte is ``low``: a factor and a summand, modulo 2**64.

    A step of FNV-1a changes the low byte and multiplies. So over many bytes the state is multiplied by a power, and
    something is added that depends on the low byte alone: labels that were seen before need not be hashed again.
    """
    data = b"%b\xff%b\xff" % (_utf8(name), _utf8(value))
    state = low
    for byte in data:
        state = (state ^ byte) * _PRIME & _MASK
    factor = pow(_PRIME, len(data), _MASK + 1)
    return factor, (state - low * factor) & _MASK


# The labels of a fleet are few thousand, each alert has some of them, and firing alerts are sent every minute.
_remembered = lru_cache(maxsize=16_384)(_step)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _measured(part: bytes) -> bytes:
    return b"%d:%b" % (len(part), part)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
