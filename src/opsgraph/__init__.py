"""opsgraph: one typed GraphQL API for the health of all services."""
