"""How a service is doing, all things considered: composite health, stored, and the platform report over it.

Owns the stored health of each service: status, points with where each came from, and the few figures that lists and
the report show. It is recomputed in the transaction that changes an input, and by the evaluating worker where only
time passes; `evaluated_at` tells its age.

A subsystem contributes through `model.Subsystem`; third parties register theirs under the entry point group
`opsgraph.health`.
"""
