"""What `opsgraph incidents` asks the API."""

_LINE = (
    "number title serviceName severity status alertCount version source createdAt updatedAt acknowledgedAt resolvedAt "
    "mttaSeconds mttrSeconds assignee { name }"
)
_NOTES = "nodes { author content createdAt } pageInfo { hasNextPage endCursor }"
_TIMELINE = "nodes { type actor detail createdAt } pageInfo { hasNextPage endCursor }"

LIST = f"""query ($first: Int, $after: String, $filter: IncidentFilter, $order: IncidentOrder) {{
  incidents(first: $first, after: $after, filter: $filter, orderBy: $order) {{
    nodes {{ {_LINE} }} pageInfo {{ hasNextPage endCursor }} totalCount
  }}
}}"""

SHOW = f"""query ($number: Int!) {{
  incident(number: $number) {{
    {_LINE} allowedTransitions service {{ team {{ name }} }}
    alerts(first: 200) {{
      nodes {{ id severity status message labels source sourceUrl occurrences startsAt lastSeenAt resolvedAt }}
      totalCount
    }}
    notes(first: 200) {{ {_NOTES} }}
    timeline(first: 200) {{ {_TIMELINE} }}
    impact(first: 200) {{ nodes {{ name }} totalCount }}
  }}
}}"""


def _further(member: str, selection: str) -> str:
    return f"""query ($number: Int!, $after: String) {{
      incident(number: $number) {{ {member}(first: 200, after: $after) {{ {selection} }} }}
    }}"""


FURTHER = {"notes": _further("notes", _NOTES), "timeline": _further("timeline", _TIMELINE)}
"""For the lists that are shown whole: what asks for a further page."""

_MOVED = "number title serviceName severity status"
_PROBLEM = "... on Problem { message }"


def _bulk(mutation: str) -> str:
    return f"""mutation ($input: BulkTransitionInput!) {{
      {mutation}(input: $input) {{
        __typename ... on BulkIncidents {{ changed {{ {_MOVED} }} refused {{ problem {{ message }} }} }} {_PROBLEM}
      }}
    }}"""


ACKNOWLEDGE, RESOLVE = _bulk("acknowledgeIncidents"), _bulk("resolveIncidents")

ADD_NOTE = f"""mutation ($input: AddIncidentNoteInput!) {{
  addIncidentNote(input: $input) {{ __typename ... on Incident {{ {_MOVED} }} {_PROBLEM} }}
}}"""
