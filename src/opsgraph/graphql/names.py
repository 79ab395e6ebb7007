"""What generic types are called."""

from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryObjectDefinition, StrawberryType

_OTHERWISE = {"TimelineEntryConnection": "TimelineConnection", "TimelineEntryEdge": "TimelineEdge"}


class Names(NameConverter):
    """Connections and edges are called after their nodes, but for those of a timeline: its entries are all it has."""

    def from_generic(self, generic_type: StrawberryObjectDefinition, types: list[StrawberryType | type]) -> str:
        """The name of a generic type that holds these."""
        name = super().from_generic(generic_type, types)
        return _OTHERWISE.get(name, name)
