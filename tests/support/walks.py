"""The way to every connection of the schema, on a platform that `connections.fill` makes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Walk:
    """How to reach one connection.

    Attributes:
        field: the type and field that it is, as in the schema.
        around: the document around the connection, which stands for %s.
        name: the field of a node that tells it from others.
        arguments: of the connection, beside those of paging.
        backwards: whether it takes `last` and `before`.
    """

    field: str
    around: str
    name: str = "name"
    arguments: str = ""
    backwards: bool = False

    def document(self, arguments: str, selection: str) -> str:
        """A query for a page."""
        given = ", ".join(part for part in (self.arguments, arguments) if part)
        name = self.field.partition(".")[2]
        return (
            self.around % f"{name}({given}) {{ {selection} }}" if given else self.around % f"{name} {{ {selection} }}"
        )


ORDERS = ("NAME", "HEALTH_WORST_FIRST", "TIER", "COST_HIGHEST_FIRST")
"""The orders of services."""

_INCIDENT = '{ service(name: "hub") { incidents(first: 1, filter: {search: "incident 0"}) { nodes { %s } } } }'
_INCIDENT_ORDERS = ("NEWEST", "OLDEST", "SEVERITY")
_HUB, _TEAM = '{ service(name: "hub") { %s } }', '{ team(name: "platform") { %s } }'
WALKS = [
    *(Walk("Query.services", "{ %s }", arguments=f"orderBy: {order}", backwards=True) for order in ORDERS),
    Walk("Query.services", "{ %s }", arguments='filter: {tags: ["even"]}, orderBy: TIER', backwards=True),
    Walk("Query.teams", "{ %s }"),
    Walk("Query.users", "{ %s }"),
    Walk("Query.slos", "{ %s }", name="id"),
    Walk("Query.slos", "{ %s }", arguments='filter: {services: ["hub"]}'),
    Walk("Team.services", _TEAM),
    Walk("Team.members", _TEAM),
    Walk("Service.slos", _HUB),
    Walk("Service.dependencies", _HUB),
    Walk("Service.dependents", _HUB),
    Walk("Service.readinessVerdicts", _HUB, name="id"),
    Walk("Service.readinessOverrides", _HUB, name="reason"),
    Walk("Service.manifests", _HUB, name="id"),
    *(Walk("Query.incidents", "{ %s }", "title", f"orderBy: {order}", backwards=True) for order in _INCIDENT_ORDERS),
    Walk("Query.alerts", "{ %s }", name="id", backwards=True),
    Walk("Query.apiKeys", "{ %s }"),
    Walk("Query.auditLog", "{ %s }", name="id"),
    Walk("Query.auditLog", "{ %s }", name="id", arguments='actor: "SYSTEM", since: "2024-01-01T00:00:00Z"'),
    Walk("Query.silences", "{ %s }", name="reason"),
    Walk("Query.maintenanceWindows", "{ %s }", name="reason"),
    Walk("Service.incidents", _HUB, name="title"),
    Walk("Service.alerts", _HUB, name="id"),
    Walk("Incident.alerts", _INCIDENT, name="id"),
    Walk("Incident.notes", _INCIDENT, name="content"),
    Walk("Incident.timeline", _INCIDENT, name="id"),
    Walk("Incident.impact", _INCIDENT),
    Walk("Service.deployments", _HUB, name="version"),
]
"""Every connection, each by every order that it has."""
