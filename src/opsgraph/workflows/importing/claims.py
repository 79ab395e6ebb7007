"""Who has which name: how an entity of a catalog is found again, and what it is called when it is new.

An entity is known by its origin, whatever it is called here. One that is new adopts what has its name and came from
nowhere; a name that belongs to another entity is left to that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opsgraph.kernel.text import name_key


@dataclass(slots=True)
class Claims:
    """The names of one kind of thing and the origins they belong to, kept up while an import claims more."""

    _origin_by_key: dict[str, str | None] = field(default_factory=dict)
    _name_by_origin: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, origins_by_name: Mapping[str, str | None]) -> "Claims":
        """The claims as stored: the origin, or None, by name."""
        claims = cls()
        for name, origin in origins_by_name.items():
            claims.claim(name, origin)
        return claims

    def claim(self, name: str, origin: str | None) -> None:
        """Note that a name is taken, and by whom."""
        self._origin_by_key[name_key(name)] = origin
        if origin is not None:
            self._name_by_origin[origin] = name

    def known(self, origin: str) -> str | None:
        """What an entity is called here, if it was imported before."""
        return self._name_by_origin.get(origin)

    def adoptable(self, name: str) -> bool:
        """Whether something has this name that came from nowhere."""
        return self._origin_by_key.get(name_key(name), "") is None

    def is_free(self, name: str) -> bool:
        """Whether an entity may have this name: nothing has it, or something that came from nowhere."""
        return self._origin_by_key.get(name_key(name)) is None

    def choose(self, origin: str, names: Sequence[str]) -> str | None:
        """What an entity is called: as it is known, else by the first of the names that is free, else None."""
        known = self.known(origin)
        return known if known is not None else next((name for name in names if self.is_free(name)), None)
