"""The folder that `opsgraph export all` writes and `opsgraph import all` reads.

``manifest.json`` says which format it is, when it was written and how much it holds; it is written last, so that a
folder without it is not complete. ``slos.yaml`` holds OpenSLO documents, every other file one JSON object a line.
Instants are RFC 3339, amounts are texts, null means that there is none.
"""

MANIFEST = "manifest.json"
FORMAT = "opsgraph-export"
VERSION = 1

FILES = {
    "teams": "teams.jsonl",
    "users": "users.jsonl",
    "services": "services.jsonl",
    "slos": "slos.yaml",
    "budgets": "budgets.jsonl",
    "costs": "costs.jsonl",
    "duties": "duties.jsonl",
    "governance": "governance.jsonl",
    "reliability": "reliability.jsonl",
    "manifests": "manifests.jsonl",
    "deployments": "deployments.jsonl",
}
"""The files by what they hold, in the order in which they are written and read."""
