"""What is left to be evaluated, what came of the rest, and whom a death is blamed on. Pure bookkeeping."""

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from opsgraph.adapters.expressions import messages
from opsgraph.adapters.expressions.process import Death
from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.domains.readiness.model.manifests import FieldType

MOST_DEATHS = 50
"""How many processes a call may spend on expressions that had killed one before; what is left then is undecided."""

MOST_EVALUATIONS = 2_000
MOST_BYTES = 1024 * 1024
"""What one request holds at most, so that others get their turn in between."""

_MOST_PLACES = 100
"""How many evaluations a death makes others do again at most."""

_UNDECIDED = Evaluated(undecided=True)
_UNREADABLE = Evaluated(error="the manifest cannot be read")
_ANSWER = msgspec.json.Decoder(list[bool | str])


@dataclass(frozen=True, slots=True)
class Item:
    """Some expressions, by their places, that are to be evaluated under one binding."""

    binding: int
    places: tuple[int, ...]


class Rounds:
    """Every expression under every binding, in as many requests as it takes.

    A death is an error in the one place where it happened. The expression goes on under the other bindings, after
    everything else and with a bounded number of deaths.

    Args:
        expressions: what is evaluated.
        fields: the names that they can use.
        bindings: values for those names; the first of them come first where not all can be decided.

    Attributes:
        deaths: how many evaluations a process died of.
    """

    def __init__(
        self, expressions: Sequence[str], fields: Mapping[str, FieldType], bindings: Sequence[Mapping[str, Any]]
    ) -> None:
        self._bindings = bindings
        self._outcomes: list[list[Evaluated | None]] = [[None] * len(expressions) for _ in bindings]
        self.deaths = 0
        self._spent = 0
        self._last: list[Item] = []
        self._first: int | None = None
        refused = {place: error for place, text in enumerate(expressions) if (error := messages.refusal_of(text))}
        for place, error in refused.items():
            self._settle_all(place, error)
        texts = json.dumps(["" if place in refused else text for place, text in enumerate(expressions)])
        self._head = b'{"fields":%b,"expressions":%b,"items":' % (orjson.dumps(fields), texts.encode())
        places = [place for place in range(len(expressions)) if place not in refused]
        parts = [tuple(places[at : at + _MOST_PLACES]) for at in range(0, len(places), _MOST_PLACES)]
        self._left = deque(Item(binding, part) for binding in range(len(bindings)) for part in parts)

    def take(self) -> tuple[list[Item], bytes]:
        """What the next request asks for, and its line; nothing once everything is known."""
        self._turn_to_the_last()
        items, texts, evaluations, size = [], [], 0, 0
        while self._left and evaluations + len(self._left[0].places) <= MOST_EVALUATIONS and size < MOST_BYTES:
            item = self._left.popleft()
            try:
                text = b"[%b,%b]" % (orjson.dumps(item.places), encoded(self._bindings[item.binding]))
            except (RecursionError, ValueError, TypeError):
                self._settle(item, [_UNREADABLE] * len(item.places))
                continue
            items.append(item)
            texts.append(text)
            evaluations += len(item.places)
            size += len(text)
        if not items and self._last:
            return self.take()  # all that was left could not be read
        return items, self._head + b"[" + b",".join(texts) + b"]}\n"

    def note(self, items: Sequence[Item], answers: Sequence[bytes], death: Death | None) -> None:
        """Take down what a request came to; what a death left undone is for the next one."""
        for item, line in zip(items, answers, strict=False):
            self._settle(item, [messages.evaluated(answer) for answer in _ANSWER.decode(line)])
        undone = items[len(answers) :]
        if death is not None and undone:
            undone = self._blame(items, len(answers), death)
        self._left.extendleft(reversed(undone))

    def give_up(self, error: str) -> None:
        """Make everything that is not known an error."""
        for place in range(len(self._outcomes[0]) if self._outcomes else 0):
            self._settle_all(place, error)

    def outcomes(self) -> list[list[Evaluated]]:
        """What everything came to, once nothing is left or it was given up."""
        return [[outcome for outcome in row if outcome is not None] for row in self._outcomes]

    def _blame(self, items: Sequence[Item], answered: int, death: Death) -> list[Item]:
        """Settle the evaluation that a process died of; gives what was asked beside it and is asked again now."""
        before = sum(len(item.places) for item in items[:answered])
        fatal, *others = items[answered:]
        if death.begun <= before:
            return [fatal, *others]
        place = fatal.places[death.begun - before - 1]
        self._outcomes[fatal.binding][place] = Evaluated(error=death.cause)
        self.deaths += 1
        others.insert(0, _without(fatal, place))
        if self._first is None:
            return self._put_last(place, others)
        self._spent += 1
        return [item for item in others if item.places]

    def _put_last(self, place: int, others: Sequence[Item]) -> list[Item]:
        """Leave for the end what an expression that killed comes to elsewhere: all else is known by then."""
        waiting = [*others, *self._left]
        self._last.extend(Item(item.binding, (place,)) for item in waiting if place in item.places)
        self._left = deque(item for each in self._left if (item := _without(each, place)).places)
        return [item for each in others if (item := _without(each, place)).places]

    def _turn_to_the_last(self) -> None:
        """Go on with what was put last, one binding after the other, as long as deaths may be spent on it.

        The first of those bindings is finished whatever it takes: so every call brings something to an end.
        """
        if self._first is None and not self._left and self._last:
            self._left = deque(sorted(self._last, key=lambda item: item.binding))
            self._last, self._first = [], self._left[0].binding
        if self._first is not None and self._spent >= MOST_DEATHS:
            undecided = [item for item in self._left if item.binding != self._first]
            self._left = deque(item for item in self._left if item.binding == self._first)
            for item in undecided:
                self._settle(item, [_UNDECIDED] * len(item.places))

    def _settle(self, item: Item, outcomes: Iterable[Evaluated]) -> None:
        for place, outcome in zip(item.places, outcomes, strict=True):
            self._outcomes[item.binding][place] = outcome

    def _settle_all(self, place: int, error: str) -> None:
        for row in self._outcomes:
            row[place] = row[place] or Evaluated(error=error)


def _without(item: Item, place: int) -> Item:
    return Item(item.binding, tuple(other for other in item.places if other != place))


def encoded(values: Mapping[str, Any]) -> bytes:
    """Values as JSON that the evaluator can take, whatever they are.

    What JSON or CEL has no type for becomes the nearest: an integer beyond 64 bits and an amount a double, half a
    character a question mark, a NUL (at which the binding would cut the text) a replacement, anything else its text.

    Raises:
        ValueError, TypeError, RecursionError: they contain themselves, or one another without end.
    """
    with suppress(TypeError):
        usual = orjson.dumps(values)
        if rb"\u0000" not in usual:
            return usual
    return json.dumps(_plain(values)).encode()


def _plain(value: Any) -> Any:
    """The same in types of JSON."""
    match value:
        case None | bool():
            return value
        case str():
            return value.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
        case int():
            return value if -(2**63) <= value < 2**64 else _float(value)
        case Mapping():
            return {_plain(str(name)): _plain(member) for name, member in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(member) for member in value]
    return _float(value) if hasattr(value, "__float__") else _plain(str(value))


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
