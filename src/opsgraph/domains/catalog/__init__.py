"""What there is: teams, the services they own, what depends on what, and what was deployed.

Owns teams and their members, services with tags, links and dependencies, and deployments.

Invariants: a service's name is an RFC 1123 label, unique without case; a rename keeps the id; a service is archived,
never deleted, so that its history stays readable; a service does not depend on itself, longer cycles are allowed; a
deployment is never changed.
"""
